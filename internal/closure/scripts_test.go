package closure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"smith/internal/golden"
	"smith/internal/tree"
	"smith/record"
)

// Each case is a program and what is on offer. "package NAME [DEPENDENCIES]"
// begins what a package has; without one, the source is an image.
var scripted = map[string]struct {
	root, entry, source, env string
}{
	"python imports": {root: "/usr/bin/app", source: `
		package app lib
		file 0755 usr/bin/app #!/usr/bin/python3\nfrom lib.core import main\nimport single, google.proto, yaml\ntry:\n  import extra\nexcept ImportError: pass\nimport sys
		file 0644 usr/bin/unrelated.py import elsewhere
		package lib other
		file 0644 usr/lib/python3/dist-packages/lib/__init__.py from . import part\nfrom .deep.er import x
		file 0644 usr/lib/python3/dist-packages/lib/core.py import other
		file 0644 usr/lib/python3/dist-packages/lib/part.py
		file 0644 usr/lib/python3/dist-packages/lib/late.py import absent_late
		file 0644 usr/lib/python3/dist-packages/lib/data.txt x
		file 0644 usr/lib/python3/dist-packages/lib/tests/test_x.py import pytest
		file 0644 usr/lib/python3/dist-packages/lib/deep/er.py
		file 0644 usr/lib/python3/dist-packages/Lib-1.0.dist-info/METADATA Name: lib
		package other
		file 0644 usr/lib/python3/dist-packages/other.py import ctypes
		file 0644 usr/lib/python3/dist-packages/single.py
		file 0644 usr/lib/python3/dist-packages/google/proto/__init__.py
		file 0644 usr/lib/python3/dist-packages/google/unrelated/__init__.py
		elf 0644 usr/lib/python3/dist-packages/yaml.cpython-311-x86_64-linux-gnu.so soname=y
		package stranger
		file 0644 usr/lib/python3/dist-packages/extra.py
		package python
		file 0755 usr/bin/python3 x
		file 0644 usr/lib/python3.11/ctypes/__init__.py`},
	"python entry point": {root: "/usr/bin/app", source: `
		package app dep
		file 0755 usr/bin/app #!/usr/bin/python3\n__requires__ = 'app==1'\nfrom pkg_resources import load_entry_point\nload_entry_point('app==1', 'console_scripts', 'app')()
		file 0644 usr/lib/python3/dist-packages/app_main/__init__.py
		file 0644 usr/lib/python3/dist-packages/app-1.egg-info/entry_points.txt [console_scripts]\napp = app_main:run\n
		file 0644 usr/lib/python3/dist-packages/app-1.egg-info/requires.txt dep>=1\n[extra]\nnever
		package dep
		file 0644 usr/lib/python3/dist-packages/dep-2.dist-info/METADATA Name: dep
		file 0644 usr/lib/python3/dist-packages/never-2.dist-info/METADATA Name: never
		file 0755 usr/bin/python3 x
		file 0644 usr/lib/python3/dist-packages/pkg_resources/__init__.py`},
	"python of an image": {root: "/usr/bin/app", source: `
		file 0755 usr/bin/app #!/usr/bin/python3\nimport lib\ntry:\n  import extra\nexcept ImportError: pass\ndef f():\n  import late
		file 0755 usr/bin/python3 x
		file 0644 usr/lib/python3.11/site-packages/lib/__init__.py
		file 0644 usr/lib/python3.11/site-packages/lib/sub.py import unrelated
		file 0644 usr/lib/python3.11/site-packages/lib-1.dist-info/METADATA Name: lib
		file 0644 usr/lib/python3.11/site-packages/extra.py
		file 0644 usr/lib/python3.11/site-packages/late.py
		file 0644 usr/lib/python3.11/site-packages/unrelated.py`},
	"perl": {root: "/usr/bin/app", source: `
		package app lib
		file 0755 usr/bin/app #!/usr/bin/perl\nuse App::Main; require Xs::Mod; eval { require Stranger };
		file 0644 usr/share/perl5/App/Main.pm package App::Main; require $class;
		file 0644 usr/share/perl5/App/Plugin/One.pm 1
		package lib
		file 0644 usr/lib/x86_64-linux-gnu/perl5/5.36/Xs/Mod.pm 1
		elf 0644 usr/lib/x86_64-linux-gnu/perl5/5.36/auto/Xs/Mod/Mod.so soname=x
		file 0755 usr/bin/perl x
		package stranger
		file 0644 usr/share/perl5/Stranger.pm 1`},
	"ruby": {root: "/usr/bin/app", source: `
		package app lib
		file 0755 usr/bin/app #!/usr/bin/ruby\nrequire 'lib'\ngem 'ingem'\nrequire 'ingem'
		package lib
		file 0644 usr/lib/ruby/vendor_ruby/lib.rb require 'lib/version'
		file 0644 usr/lib/ruby/vendor_ruby/lib/version.rb 1
		file 0644 usr/lib/ruby/vendor_ruby/lib/lazy.rb 1
		file 0644 usr/share/rubygems-integration/all/specifications/lib-1.gemspec x
		file 0644 usr/share/rubygems-integration/all/specifications/ingem-2.gemspec x
		file 0644 usr/share/rubygems-integration/all/gems/ingem-2/lib/ingem.rb 1
		file 0755 usr/bin/ruby x`},
	"node": {root: "/usr/bin/app", source: `
		package app lib
		file 0755 usr/bin/app #!/usr/bin/node\nrequire('lib'); require('fs'); require('@scope/x/sub')
		package lib
		file 0644 usr/share/nodejs/lib/package.json {"main": "./dist/main"}
		file 0644 usr/share/nodejs/lib/dist/main.js require('./own'); require('nested')
		file 0644 usr/share/nodejs/lib/dist/own.js 1
		file 0644 usr/share/nodejs/lib/node_modules/nested/index.js 1
		file 0644 usr/share/nodejs/@scope/x/index.js 1
		file 0755 usr/bin/node x`},
	"lua, tcl and php": {root: "/usr/bin/*.*", source: `
		package app lib
		file 0755 usr/bin/a.lua #!/usr/bin/lua5.4\nrequire "socket.http"
		file 0755 usr/bin/a.tcl #!/usr/bin/tclsh\npackage require Thing 1.0
		file 0755 usr/bin/a.php #!/usr/bin/php\n<?php require_once 'Thing/autoload.php';
		package lib
		file 0644 usr/share/lua/5.4/socket/http.lua require "socket.core"
		elf 0644 usr/lib/x86_64-linux-gnu/lua/5.4/socket/core.so soname=c
		file 0644 usr/share/tcltk/thing1.0/pkgIndex.tcl package ifneeded Thing 1.0 [list source x.tcl]
		file 0644 usr/share/tcltk/thing1.0/thing.tcl x
		file 0644 usr/share/tcltk/other/pkgIndex.tcl package ifneeded Other 1.0 x
		file 0644 usr/share/php/Thing/autoload.php <?php
		file 0644 usr/share/php/Thing/Class.php <?php
		file 0755 usr/bin/lua5.4 x
		file 0755 usr/bin/tclsh x
		file 0755 usr/bin/php x`},
	"shell": {root: "/usr/bin/app", source: `
		package app tools
		file 0755 usr/bin/app #!/bin/sh\nPREFIX=/usr/lib/app\n. $PREFIX/functions\nsed x; command -v gzip && gzip; exec $PREFIX/bin/server; $PREFIX/plugins/$1
		file 0644 usr/lib/app/functions dirname "$0"\nstranger x
		file 0755 usr/lib/app/bin/server x
		file 0755 usr/lib/app/plugins/one x
		package tools
		file 0755 usr/bin/sed x
		file 0755 usr/bin/gzip x
		file 0755 bin/sh x
		package strangers
		file 0755 usr/bin/dirname x
		file 0755 usr/bin/unused x`},
	"shell, without what it runs": {root: "/usr/bin/app", source: `
		package app
		file 0755 usr/bin/app #!/bin/sh\nabsent x; test -x /usr/bin/gone && gone
		file 0755 bin/sh x`},
	"data": {root: "/usr/bin/app", source: glibc + `
		package app data
		elf 0755 usr/bin/app program needs=libc.so.6 strings=/usr/share/app/table,/usr/share/data,share/below,/usr/share/elsewhere.dat,/usr/share/magic,/etc/app/%s.conf
		file 0644 usr/share/app/table x
		file 0644 usr/share/app/unused x
		file 0644 etc/app/a.conf x
		package data
		file 0644 usr/share/data/one x
		file 0644 usr/share/below/two x
		file 0644 usr/share/magic.mgc x
		package strangers
		file 0644 usr/share/elsewhere.dat x
		file 0644 usr/share/data/three x`},
}

// packaged makes a tree of such a source, with what the packages hold and call
// for.
func packaged(t *testing.T, source string) (in Input) {
	t.Helper()
	origins, depends := map[string]*record.Origin{}, map[string][]string{}
	var current *record.Origin
	held := map[string][]string{}
	var entries []tree.Entry
	for _, line := range lines(source) {
		if words := strings.Fields(line); words[0] == "package" {
			current = &record.Origin{Kind: record.KindPackage, Package: record.Package{Name: words[1]}, Digest: words[1]}
			origins[words[1]], depends[words[1]] = current, words[2:]
			continue
		}
		e := entry(t, line)
		e.Node.Origin = current
		if current != nil {
			held[current.Digest] = append(held[current.Digest], "/"+e.Path)
		}
		entries = append(entries, e)
	}
	in.Source = tree.New()
	if err := in.Source.Apply(entries); err != nil {
		t.Fatal(err)
	}
	if len(origins) == 0 {
		return in
	}
	var reaches func(from, to string) bool
	reaches = func(from, to string) bool {
		return slices.ContainsFunc(depends[from], func(d string) bool { return d == to || reaches(d, to) })
	}
	in.Depends = func(of, on *record.Origin) bool { return of.Digest == on.Digest || reaches(of.Digest, on.Digest) }
	in.Holds = func(_ context.Context, of *record.Origin) ([]string, error) { return held[of.Digest], nil }
	return in
}

func TestScriptsAndData(t *testing.T) {
	texts := golden.New(t)
	for _, name := range sortedKeys(scripted) {
		c := scripted[name]
		in := packaged(t, c.source)
		in.Roots = roots(c.root)
		s := selected(t, in)
		got := show(t, s)
		for i, line := range got {
			_, file, _ := strings.Cut(line, " ")
			path, _, _ := strings.Cut(file[strings.Index(file, " ")+1:], "  ")
			if detail := s.Files["/"+path]; len(detail) > 0 && detail[0].Detail != "" {
				got[i] = line + ": " + detail[0].Detail
			}
		}
		for _, f := range s.Suspects {
			got = append(got, fmt.Sprintf("suspect %s of %s: %s", f.Name, f.From, f.Detail))
		}
		for _, f := range s.Commands {
			got = append(got, fmt.Sprintf("nobody has %s, which %s runs: %s", f.Name, f.From, f.Detail))
		}
		texts.Add(name, strings.Join(append(got, s.Warnings...), "\n"))
	}
}

// FuzzScripts reads scripts of every language, and what describes their modules.
// Whatever they hold, a selection comes to an end, and all that it keeps is on
// offer.
func FuzzScripts(f *testing.F) {
	f.Add("import a.b\nfrom . import *", "[console_scripts]\napp = a:b", "package ifneeded x 1", `{"main": "../../x", "exports": {"a": ["./b"]}}`)
	f.Add("require '../../x'; use A::B; . ./x; exec $0", "Requires-Dist: a>1", "", "[[[[")
	f.Fuzz(func(t *testing.T, script, metadata, index, manifest string) {
		root := tree.New()
		for name, text := range map[string]string{
			"/usr/lib/python3/dist-packages/a/__init__.py": script, "/usr/lib/python3/dist-packages/a-1.dist-info/entry_points.txt": metadata,
			"/usr/lib/python3/dist-packages/a-1.dist-info/METADATA": metadata, "/usr/share/perl5/A/B.pm": script, "/usr/lib/ruby/vendor_ruby/x.rb": script,
			"/usr/share/tcltk/x/pkgIndex.tcl": index, "/usr/bin/a.tcl": script, "/usr/share/nodejs/x/package.json": manifest, "/usr/bin/a.js": "require('x')",
			"/usr/bin/a.sh": script, "/usr/bin/a.php": script, "/usr/bin/a.lua": script, "/usr/bin/a.py": "import a\n" + script, "/usr/bin/x": script,
		} {
			if err := root.Insert(name, tree.NewFile([]byte(text), 0o755)); err != nil {
				t.Fatal(err)
			}
		}
		reasons, err := Reasons(t.Context(), Input{Source: root, Roots: roots("/usr/bin/*", "/usr/share/perl5")})
		if err != nil {
			t.Fatal(err)
		}
		for name := range reasons {
			if name != "/" && !root.Exists(name) {
				t.Errorf("%s is kept, and is not on offer", name)
			}
		}
	})
}
