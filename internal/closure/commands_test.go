package closure

import (
	"errors"
	"testing"

	"smith/internal/golden"
)

// What the image runs must be in it, whatever runs it and whatever the spec
// excludes; a health check's program brings what it needs.
func TestCommands(t *testing.T) {
	offered := files(t, glibc+`
		elf 0755 usr/bin/app program needs=libc.so.6
		elf 0755 usr/bin/check program needs=libx.so
		elf 0644 usr/lib/libx.so soname=libx.so needs=libc.so.6
		link bin usr/bin
		file 0755 usr/bin/sh #!/usr/bin/app`)
	health := func(name string) []Command { return []Command{{Name: name, Detail: "health check"}} }
	s := selected(t, Input{Source: offered, Platform: amd64, Entrypoint: []string{"app"}, Commands: health("/usr/bin/check")})
	for _, path := range []string{"/usr/bin/app", "/usr/bin/check", "/usr/lib/libx.so"} {
		if s.Files[path] == nil {
			t.Errorf("%s is not selected", path)
		}
	}
	texts := golden.New(t)
	for _, c := range []struct {
		name string
		in   Input
	}{
		{"no such check", Input{Entrypoint: []string{"app"}, Commands: health("/usr/bin/curl")}},
		{"a shell that is missing", Input{Entrypoint: []string{"app"}, Commands: health("/opt/sh")}},
		{"entry point excluded by path", Input{Entrypoint: []string{"/usr/bin/app"}, Excludes: []string{"/usr/bin/app"}}},
		{"entry point excluded by glob, found in PATH", Input{Entrypoint: []string{"app"}, Excludes: []string{"/bin/*"}}},
		{"check excluded", Input{Entrypoint: []string{"app"}, Commands: health("check"), Excludes: []string{"/usr/bin/check"}}},
		{"mistyped path", Input{Roots: roots("/usr/bin/chekc"), Entrypoint: []string{"gone"}}},
	} {
		c.in.Source, c.in.Platform = offered, amd64
		_, err := Select(t.Context(), c.in)
		texts.Error(c.name, err)
	}
}

// Of an image that is finished, the same holds.
func TestCheckCommands(t *testing.T) {
	texts := golden.New(t)
	img := Image{Entrypoint: []string{"/bin/app"}, Commands: []Command{{Name: "/bin/sh", Detail: "health check"}}}
	for _, p := range checked(t, img, "elf 0755 bin/app program needs=libc.so.6").Problems {
		texts.Add("no shell", p.String())
	}
	img.Excluded = []string{"/bin/app", "app"}
	for _, p := range checked(t, img, "elf 0755 bin/sh program needs=libc.so.6").Problems {
		texts.Add("entry point excluded", p.String())
	}
}

// Excludes that match nothing at all are warned of; a needed library that is
// left out is accepted and listed.
func TestUnusedExcludes(t *testing.T) {
	offered := files(t, glibc+`
		elf 0755 usr/bin/app program needs=libx.so
		elf 0644 usr/lib/libx.so soname=libx.so needs=libc.so.6
		file 0644 usr/share/doc/app`)
	s := selected(t, Input{
		Source: offered, Platform: amd64, Entrypoint: []string{"/usr/bin/app"},
		Excludes: []string{"/usr/lib/libx.so", "/usr/share/doc", "/usr/share/dok", "/usr/*/none", "**/*.pyc"},
	})
	texts := golden.New(t)
	for _, w := range s.Warnings {
		texts.Add(w, "")
	}
	for _, f := range s.Excluded {
		texts.Add("excluded "+f.Name, f.Detail)
	}
}

// A budget of work holds for whatever a spec excludes.
func TestExcludesAreBounded(t *testing.T) {
	pattern := ""
	for range 30 {
		pattern += "{,}"
	}
	_, err := Select(t.Context(), Input{Source: files(t, "file 0644 a"), Roots: roots("/a"), Excludes: []string{"/" + pattern}})
	if err == nil || errors.As(err, new(*IncompleteError)) {
		t.Errorf("got %v", err)
	}
}
