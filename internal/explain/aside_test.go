package explain_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/explain"
	"smith/record"
)

func TestHeaviestAside(t *testing.T) {
	file := func(path string, size int64, from ...string) record.File {
		f := record.File{Path: path, Type: "file", Size: size}
		for _, name := range from {
			f.Reasons = append(f.Reasons, record.Reason{Rule: "needed", From: name})
		}
		return f
	}
	const spec = ""
	libc := file("/libc", 30, "/server", "/perl")
	for name, c := range map[string]struct {
		program string
		files   []record.File
		want    *explain.Aside
	}{
		"an interpreter of scripts": {
			"/server",
			[]record.File{
				file("/server", 5, spec), file("/tool", 1, spec), file("/other", 1, spec), libc,
				file("/perl", 3, "/tool", "/other"), file("/modules", 20, "/perl"), file("/Loop", 2, "/modules", "/Back"), file("/Back", 1, "/Loop"),
			},
			&explain.Aside{Path: "/perl", For: []string{"/other", "/tool"}, Bytes: 26},
		},
		"needed by the program too": {
			"/server", []record.File{file("/server", 5, spec), file("/tool", 1, spec), libc, file("/perl", 3, "/tool", "/server")}, nil,
		},
		"asked for": {
			"/server", []record.File{file("/server", 5, spec), file("/perl", 40, spec, "/tool"), file("/tool", 1, spec)}, nil,
		},
		"the heavier of two": {
			"/server",
			[]record.File{
				file("/server", 5, spec), file("/a", 1, spec), file("/b", 1, spec), file("/x", 4, "/a"), file("/y", 5, "/b"), file("/z", 2, "/a", "/b"),
			},
			&explain.Aside{Path: "/y", For: []string{"/b"}, Bytes: 5},
		},
		"no program":               {"", []record.File{file("/tool", 1, spec), file("/perl", 3, "/tool")}, nil},
		"a program that is absent": {"/gone", []record.File{file("/tool", 1, spec), file("/perl", 3, "/tool")}, nil},
		"reached from nowhere":     {"/server", []record.File{file("/server", 5, spec), file("/x", 9, "/y"), file("/y", 9, "/x")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, explain.HeaviestAside(&record.Record{Files: c.files}, c.program)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
