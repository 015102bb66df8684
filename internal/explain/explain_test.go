package explain_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/explain"
	"smith/internal/tree"
	"smith/record"
)

// image makes an explained image of lines "PATH SIZE ORIGIN <- RULE FROM
// DETAIL; RULE FROM DETAIL …", in which "-" means nothing. A path that
// ends in "@" is a link.
func image(t *testing.T, lines ...string) *explain.Image {
	t.Helper()
	files := tree.New()
	r := &record.Record{Version: record.Version}
	for _, line := range lines {
		head, reasons, _ := strings.Cut(line, " <- ")
		words := strings.Fields(head)
		f := record.File{Path: strings.TrimSuffix(words[0], "@"), Type: "file"}
		fmt.Sscan(words[1], &f.Size)
		n := tree.NewFile(bytes.Repeat([]byte("x"), int(f.Size)), 0o755)
		if strings.HasSuffix(words[0], "@") {
			f.Type = "symlink"
			n = &tree.Node{Kind: tree.Symlink, Link: "elsewhere"}
		}
		if words[2] != "-" {
			name, version, _ := strings.Cut(words[2], "_")
			f.Origin = &record.Origin{Kind: record.KindPackage, Package: record.Package{Name: name, Version: version}}
		}
		for reason := range strings.SplitSeq(reasons, "; ") {
			w := strings.SplitN(strings.ReplaceAll(reason, "-", ""), " ", 3)
			if len(w) == 3 {
				f.Reasons = append(f.Reasons, record.Reason{Rule: record.Rule(w[0]), From: w[1], Detail: w[2]})
			}
		}
		if err := files.Insert(f.Path, n); err != nil {
			t.Fatal(err)
		}
		r.Files = append(r.Files, f)
	}
	img, err := explain.Explain(t.Context(), explain.Subject{Name: "image", Tree: files, Record: r})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func show(c explain.Chain) string {
	var steps []string
	for _, s := range c {
		steps = append(steps, s.File.Path+" "+string(s.Reason.Rule))
	}
	return strings.Join(steps, " → ")
}

func server(t *testing.T, further ...string) *explain.Image {
	return image(t, append([]string{
		"/bin/server 100 server_1.0 <- path - smith.yaml:3",
		"/bin/tool 50 - <- path - smith.yaml:4",
		"/lib/liba.so@ 0 liba_2.0 <- needed /bin/server liba.so",
		"/lib/liba.so.1 40 liba_2.0 <- symlink /lib/liba.so -",
		"/lib/libb.so 20 libb_1.1 <- needed /lib/liba.so.1 libb.so; needed /bin/tool libb.so",
		"/lib/libc.so 300 libc_6 <- needed /lib/libb.so libc.so; needed /bin/server libc.so; needed /lib/libc.so libc.so",
		"/share/data 7 server_1.0 <- path - smith.yaml:5",
	}, further...)...)
}

func TestWhyIsTheShortestChain(t *testing.T) {
	img := server(t)
	for path, want := range map[string]string{
		"/bin/server":    "/bin/server path",
		"/lib/liba.so.1": "/bin/server path → /lib/liba.so needed → /lib/liba.so.1 symlink",
		"/lib/libb.so":   "/bin/tool path → /lib/libb.so needed",
		"/lib/libc.so":   "/bin/server path → /lib/libc.so needed",
		"/lib":           "/bin/server path → /lib/liba.so needed → /lib way",
	} {
		if got := show(img.Why(img.File(path))); got != want {
			t.Errorf("%s:\n got %s\nwant %s", path, got, want)
		}
	}
	if img.File("/nowhere") != nil {
		t.Error("a file that does not exist was found")
	}
}

func TestAllChains(t *testing.T) {
	img := server(t)
	var got []string
	for _, c := range img.All(img.File("/lib/libc.so")) {
		got = append(got, show(c))
	}
	want := []string{ // the one that only libc itself leads to is left out
		"/bin/server path → /lib/libc.so needed",
		"/bin/tool path → /lib/libb.so needed → /lib/libc.so needed",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestOrphansAndPackages(t *testing.T) {
	img := server(t)
	var got []string
	for _, f := range img.Orphans(func(p string) bool { return strings.HasPrefix(p, "/bin/") }) {
		got = append(got, f.Path)
	}
	if d := cmp.Diff([]string{"/share/data"}, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]record.Package{{Name: "liba", Version: "2.0"}, {Name: "libb", Version: "1.1"}, {Name: "libc", Version: "6"}, {Name: "server", Version: "1.0"}}, img.Packages()); d != "" {
		t.Error(d)
	}
	if files := img.FilesOf("server"); len(files) != 2 || len(img.FilesOf("serv")) != 0 || len(img.FilesOf("libc 6")) != 1 {
		t.Errorf("files of server: %v", files)
	}
}

func TestWithoutARecord(t *testing.T) {
	files := tree.New()
	for path, data := range map[string]string{"/bin/run": "#!/bin/sh -e\n", "/bin/sh": "no program", "/etc/extra": "x"} {
		if err := files.Insert(path, tree.NewFile([]byte(data), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	for _, config := range []ocispec.ImageConfig{
		{Entrypoint: []string{"/bin/run"}}, {Cmd: []string{"/bin/run"}}, {Entrypoint: []string{"./run"}, WorkingDir: "/bin"},
	} {
		img, err := explain.Explain(t.Context(), explain.Subject{Tree: files, Config: config})
		if err != nil {
			t.Fatal(err)
		}
		if got := show(img.Why(img.File("/bin/sh"))); got != "/bin/run path → /bin/sh script" || img.Recorded {
			t.Errorf("%+v: got %s", config, got)
		}
		if f := img.File("/etc/extra"); img.Why(f) != nil || len(f.Reasons) != 0 || !f.WorkedOut {
			t.Errorf("%+v: got %+v", config, f)
		}
	}
}

func TestDiff(t *testing.T) {
	before := server(t)
	after := image(t,
		"/bin/server 110 server_1.1 <- path - smith.yaml:3",
		"/bin/tool 50 - <- path - smith.yaml:4",
		"/lib/libb.so 20 libb_1.1 <- needed /bin/tool libb.so",
		"/lib/libc.so 300 libc_6 <- needed /bin/server libc.so",
		"/lib/libnew.so@ 0 libnew_1 <- needed /bin/server libnew.so",
		"/lib/libnew.so.1 1000 libnew_1 <- symlink /lib/libnew.so -",
		"/lib/libdeep.so 500 libdeep_1 <- needed /lib/libnew.so.1 libdeep.so",
		"/share/data 7 server_1.1 <- path - smith.yaml:5",
	)
	d, err := explain.Diff(before, after, [2]ocispec.ImageConfig{
		{User: "10:10", Env: []string{"A=1"}}, {User: "10:10", Env: []string{"A=2"}, Cmd: []string{"-v"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range d.Files {
		got = append(got, fmt.Sprintf("%s %s %d %v", f.Change, f.Path, f.Bytes, f.What))
	}
	for _, p := range d.Packages {
		got = append(got, fmt.Sprintf("package %s %q %q", p.Name, p.Before, p.After))
	}
	for _, c := range d.Config {
		got = append(got, fmt.Sprintf("config %s %q %q", c.Name, c.Before, c.After))
	}
	total := int64(0)
	for _, c := range d.Causes {
		got = append(got, fmt.Sprintf("cause %s → %s %s: %d in %d", c.Root, c.Path, c.Edge.Rule, c.Bytes, c.Files))
		total += c.Bytes
	}
	want := []string{
		"changed /bin/server 10 [content]",
		"removed /lib/liba.so 0 []",
		"removed /lib/liba.so.1 -40 []",
		"added /lib/libdeep.so 500 []",
		"added /lib/libnew.so 0 []",
		"added /lib/libnew.so.1 1000 []",
		`package liba "2.0" ""`,
		`package libdeep "" "1"`,
		`package libnew "" "1"`,
		`package server "1.0" "1.1"`,
		`config cmd "" "[\"-v\"]"`,
		`config env A "1" "2"`,
		"cause /bin/server → /lib/libnew.so needed: 1500 in 3",
		"cause /bin/server → /lib/liba.so needed: -40 in 2",
		"cause /bin/server → /bin/server path: 10 in 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if total != d.After-d.Before {
		t.Errorf("the causes add up to %d, the images differ by %d bytes", total, d.After-d.Before)
	}
	same, err := explain.Diff(before, before, [2]ocispec.ImageConfig{})
	if err != nil || !same.Empty() {
		t.Errorf("an image differs from itself: %+v, %v", same, err)
	}
}

func TestDot(t *testing.T) {
	var out strings.Builder
	if err := server(t, `/share/"odd\ 1 - <- path - glob`).Dot(&out); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`"/bin/server" [shape=box];`, `"/lib/liba.so" -> "/lib/liba.so.1" [style=dashed];`,
		`"/bin/tool" -> "/lib/libb.so" [label="needed"];`, `"/share/\"odd\\" [shape=box];`,
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no line %s in\n%s", line, out.String())
		}
	}
}
