package pipeline

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/tree"
)

func TestAddMerged(t *testing.T) {
	build := func(paths map[string]string) *tree.Tree {
		all := tree.New()
		for name, link := range paths {
			n := tree.NewFile(nil, 0o755)
			if link != "" {
				n = &tree.Node{Kind: tree.Symlink, Link: link}
			}
			if err := all.Insert(name, n); err != nil {
				t.Fatal(err)
			}
		}
		return all
	}
	offered := build(map[string]string{"/bin": "usr/bin", "/sbin": "/usr/sbin", "/lib": "usr/lib", "/lib64": "elsewhere", "/lib32": "usr/lib32", "/usr/bin/sh": ""})
	for _, tt := range []struct {
		name            string
		offered, parent *tree.Tree
		excludes        []string
		want            []string
	}{
		{"merged", offered, nil, nil, []string{"/bin", "/lib", "/sbin"}},
		{"the parent's", offered, build(map[string]string{"/bin": "usr/bin"}), nil, []string{"/lib", "/sbin"}},
		{"excluded", offered, nil, []string{"/bin"}, []string{"/lib", "/sbin"}},
		{"not merged", build(map[string]string{"/bin/sh": "", "/lib/libc.so.6": ""}), nil, nil, nil},
		{"no source", nil, nil, nil, nil},
	} {
		files := build(map[string]string{"/usr/bin/sh": "", "/usr/lib/libc.so.6": "", "/usr/lib64/ld.so": "", "/usr/sbin/a": ""})
		reasons, err := addMerged(files, tt.offered, tt.parent, tt.excludes)
		if err != nil {
			t.Fatal(err)
		}
		got := slices.Sorted(maps.Keys(reasons))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		for _, name := range got {
			if _, err := files.Lookup(name); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}
