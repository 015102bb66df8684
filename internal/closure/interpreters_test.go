package closure

import (
	"slices"
	"strings"
	"testing"

	"smith/record"
)

// worlds are interpreters with their libraries, as distributions lay them out.
var worlds = map[string]struct {
	source, root  string
	full, minimal string // of the library
}{
	"python of Debian": {
		source: glibc + `
			elf 0755 usr/bin/python3.11 program needs=libc.so.6
			link usr/bin/python3 python3.11
			file 0644 usr/lib/python3.11/os.py os
			file 0644 usr/lib/python3.11/encodings/utf_8.py
			file 0755 usr/lib/python3.11/encodings/__pycache__/utf_8.pyc
			file 0644 usr/lib/python3.11/json/__init__.py
			file 0644 usr/lib/python3.11/test/test_json.py
			file 0644 usr/lib/python3.11/unittest/test/x.py
			file 0644 usr/lib/python3.11/config-3.11-x86_64-linux-gnu/libpython3.11.a
			elf 0644 usr/lib/python3.11/lib-dynload/_sqlite3.so needs=libsqlite3.so.0
			elf 0644 usr/lib/x86_64-linux-gnu/libsqlite3.so.0 soname=libsqlite3.so.0
			file 0644 usr/lib/python3.11/dist-packages/x.py
			file 0644 usr/lib/python3/dist-packages/requests/__init__.py
			file 0644 usr/lib/python3.9/os.py
			link usr/lib/python3.11/sitecustomize.py /etc/python3.11/sitecustomize.py
			file 0644 etc/python3.11/sitecustomize.py`,
		root: "/usr/bin/python3",
		full: `/etc/python3.11/sitecustomize.py
			/usr/lib/python3.11/encodings/utf_8.py
			/usr/lib/python3.11/json/__init__.py
			/usr/lib/python3.11/lib-dynload/_sqlite3.so
			/usr/lib/python3.11/os.py
			/usr/lib/python3.11/sitecustomize.py
			/usr/lib/x86_64-linux-gnu/libsqlite3.so.0`,
		minimal: `/etc/python3.11/sitecustomize.py
			/usr/lib/python3.11/encodings/utf_8.py
			/usr/lib/python3.11/lib-dynload/_sqlite3.so
			/usr/lib/python3.11/os.py
			/usr/lib/python3.11/sitecustomize.py
			/usr/lib/x86_64-linux-gnu/libsqlite3.so.0`,
	},
	"python in a program, on an RPM system": {
		source: glibc + `
			elf 0755 usr/bin/app program needs=libpython3.9.so.1.0
			elf 0755 usr/lib64/libpython3.9.so.1.0 soname=libpython3.9.so.1.0
			file 0644 usr/lib64/python3.9/os.py os
			file 0644 usr/lib64/python3.9/site-packages/x.py`,
		root:    "/usr/bin/app",
		full:    `/usr/lib64/python3.9/os.py`,
		minimal: `/usr/lib64/python3.9/os.py`,
	},
	"perl of Debian": {
		source: glibc + `
			elf 0755 usr/bin/perl program needs=libc.so.6
			file 0644 usr/lib/x86_64-linux-gnu/perl-base/Config.pm     archlibexp => '/usr/lib/x86_64-linux-gnu/perl/5.36',\n    privlibexp => '/usr/share/perl/5.36',\n    sitelibexp => '/usr/local/share/perl/5.36.0',\n
			file 0644 usr/lib/x86_64-linux-gnu/perl-base/strict.pm
			link usr/lib/x86_64-linux-gnu/perl/5.36 5.36.0
			file 0644 usr/lib/x86_64-linux-gnu/perl/5.36.0/CORE/perl.h
			file 0644 usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode.pm
			elf 0644 usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/Encode/Encode.so needs=libc.so.6
			link usr/share/perl/5.36 5.36.0
			file 0644 usr/share/perl/5.36.0/a.t
			file 0644 usr/share/perl/5.36.0/Benchmark.pm
			file 0644 usr/share/perl/5.36.0/pod/perl.pod
			file 0644 usr/share/perl/5.36.0/pod/perldiag.pod
			file 0644 usr/share/perl5/JSON.pm
			file 0644 usr/local/share/perl/5.36.0/Own.pm`,
		root: "/usr/bin/perl",
		full: `/usr/lib/x86_64-linux-gnu/perl-base/Config.pm
			/usr/lib/x86_64-linux-gnu/perl-base/strict.pm
			/usr/lib/x86_64-linux-gnu/perl/5.36
			/usr/lib/x86_64-linux-gnu/perl/5.36.0/Encode.pm
			/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/Encode/Encode.so
			/usr/share/perl/5.36
			/usr/share/perl/5.36.0/Benchmark.pm
			/usr/share/perl/5.36.0/pod/perldiag.pod`,
		minimal: `/usr/lib/x86_64-linux-gnu/perl-base/Config.pm
			/usr/lib/x86_64-linux-gnu/perl-base/strict.pm`,
	},
	"perl of Fedora": {
		source: glibc + `
			elf 0755 usr/bin/perl program needs=libperl.so.5.36
			elf 0755 usr/lib64/libperl.so.5.36 soname=libperl.so.5.36
			file 0644 usr/lib64/perl5/Config.pm     archlibexp => '/usr/lib64/perl5',\n    privlibexp => '/usr/share/perl5',\n
			file 0644 usr/share/perl5/strict.pm
			file 0644 usr/share/perl5/Benchmark.pm
			file 0644 usr/share/perl5/vendor_perl/JSON.pm`,
		root: "/usr/bin/perl",
		full: `/usr/lib64/perl5/Config.pm
			/usr/share/perl5/Benchmark.pm
			/usr/share/perl5/strict.pm`,
		minimal: `/usr/lib64/perl5/Config.pm
			/usr/share/perl5/strict.pm`,
	},
	"ruby of Debian": {
		source: glibc + `
			elf 0755 usr/bin/ruby3.1 program needs=libruby-3.1.so.3.1
			link usr/bin/ruby ruby3.1
			elf 0644 usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1 soname=libruby-3.1.so.3.1
			file 0644 usr/lib/ruby/3.1.0/json.rb
			file 0644 usr/lib/ruby/3.1.0/did_you_mean.rb
			elf 0644 usr/lib/x86_64-linux-gnu/ruby/3.1.0/openssl.so needs=libc.so.6
			file 0644 usr/lib/x86_64-linux-gnu/ruby/3.1.0/rbconfig.rb
			file 0644 usr/lib/ruby/vendor_ruby/rubygems.rb
			file 0644 usr/lib/ruby/vendor_ruby/rubygems/version.rb
			file 0644 usr/lib/ruby/vendor_ruby/rack.rb
			file 0644 usr/lib/ruby/gems/3.1.0/gems/rake/rake.rb
			file 0644 usr/lib/ruby/gems/3.1.0/specifications/default/json.gemspec`,
		root: "/usr/bin/ruby",
		full: `/usr/lib/ruby/3.1.0/did_you_mean.rb
			/usr/lib/ruby/3.1.0/json.rb
			/usr/lib/ruby/gems/3.1.0/specifications/default/json.gemspec
			/usr/lib/ruby/vendor_ruby/rubygems.rb
			/usr/lib/ruby/vendor_ruby/rubygems/version.rb
			/usr/lib/x86_64-linux-gnu/ruby/3.1.0/openssl.so
			/usr/lib/x86_64-linux-gnu/ruby/3.1.0/rbconfig.rb`,
		minimal: `/usr/lib/ruby/3.1.0/did_you_mean.rb
			/usr/lib/ruby/vendor_ruby/rubygems.rb
			/usr/lib/ruby/vendor_ruby/rubygems/version.rb
			/usr/lib/x86_64-linux-gnu/ruby/3.1.0/rbconfig.rb`,
	},
	"node of Debian": {
		source: glibc + `
			elf 0755 usr/bin/node program needs=libc.so.6
			file 0644 usr/share/nodejs/cjs-module-lexer/lexer.js
			file 0644 usr/share/nodejs/cjs-module-lexer/lexer.d.ts
			file 0644 usr/share/nodejs/express/index.js`,
		root:    "/usr/bin/node",
		full:    `/usr/share/nodejs/cjs-module-lexer/lexer.js`,
		minimal: `/usr/share/nodejs/cjs-module-lexer/lexer.js`,
	},
	"java of Debian": {
		source: glibc + `
			elf 0755 usr/lib/jvm/java-17/bin/java program needs=libjli.so,libc.so.6 runpath=$ORIGIN/../lib
			elf 0644 usr/lib/jvm/java-17/lib/libjli.so soname=libjli.so
			elf 0644 usr/lib/jvm/java-17/lib/server/libjvm.so soname=libjvm.so
			elf 0644 usr/lib/jvm/java-17/lib/libjava.so soname=libjava.so needs=libjvm.so
			elf 0644 usr/lib/jvm/java-17/lib/libawt.so soname=libawt.so needs=libjvm.so
			file 0644 usr/lib/jvm/java-17/lib/modules
			file 0644 usr/lib/jvm/java-17/lib/ct.sym
			link usr/lib/jvm/java-17/lib/jvm.cfg /etc/java/jvm.cfg
			file 0644 etc/java/jvm.cfg
			link usr/lib/jvm/java-17/conf/sound.properties /etc/java/sound.properties
			file 0644 etc/java/sound.properties
			file 0644 usr/lib/jvm/java-17/release
			link usr/bin/java /usr/lib/jvm/java-17/bin/java`,
		root: "/usr/bin/java",
		full: `/etc/java/jvm.cfg
			/etc/java/sound.properties
			/usr/lib/jvm/java-17/conf/sound.properties
			/usr/lib/jvm/java-17/lib/jvm.cfg
			/usr/lib/jvm/java-17/lib/libawt.so
			/usr/lib/jvm/java-17/lib/libjava.so
			/usr/lib/jvm/java-17/lib/libjli.so
			/usr/lib/jvm/java-17/lib/modules
			/usr/lib/jvm/java-17/lib/server/libjvm.so
			/usr/lib/jvm/java-17/release`,
		minimal: `/etc/java/jvm.cfg
			/usr/lib/jvm/java-17/lib/jvm.cfg
			/usr/lib/jvm/java-17/lib/libjava.so
			/usr/lib/jvm/java-17/lib/libjli.so
			/usr/lib/jvm/java-17/lib/modules
			/usr/lib/jvm/java-17/lib/server/libjvm.so`,
	},
}

func TestInterpreters(t *testing.T) {
	for name, world := range worlds {
		for level, want := range map[string]string{"full": world.full, "": world.full, "minimal": world.minimal, "none": ""} {
			t.Run(name+" "+level, func(t *testing.T) {
				s := selected(t, Input{Source: files(t, world.source), Roots: roots(world.root), Interpreters: level})
				var got []string
				for name, reasons := range s.Files {
					if slices.ContainsFunc(reasons, func(r record.Reason) bool {
						return r.Rule == "interpreter-library" || r.Rule == "symlink" && strings.Contains(r.From, "/jvm/") || r.Rule == "needed" && strings.Contains(r.From, "/lib-dynload/") || r.Rule == "symlink" && strings.Contains(r.From, "sitecustomize") ||
							r.Rule == "way" && strings.Contains(r.From, "/perl/5.36/")
					}) {
						got = append(got, name)
					}
				}
				slices.Sort(got)
				same(t, "library", lines(want), got)
				if slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "libjvm.so") }) {
					t.Errorf("java has loaded libjvm.so before: %s", s.Warnings)
				}
			})
		}
	}
}

func TestInterpreterWithoutItsLibrary(t *testing.T) {
	const python = glibc + "elf 0755 usr/bin/python3.11 program needs=libc.so.6\n"
	s := selected(t, Input{Source: files(t, python), Roots: roots("/usr/bin/python3.11")})
	same(t, "warnings", []string{
		"/usr/bin/python3.11 is kept, and the source has no standard library for it: it will hardly start; " +
			"add the library's package to the source, or say interpreters: none",
	}, s.Warnings)
	s = selected(t, Input{Source: files(t, python), Roots: roots("/usr/bin/python3.11"), Interpreters: "none"})
	same(t, "warnings", nil, s.Warnings)
	s = selected(t, Input{Source: files(t, glibc+"elf 0755 usr/bin/node program needs=libc.so.6\n"), Roots: roots("/usr/bin/node")})
	same(t, "warnings", nil, s.Warnings)
}
