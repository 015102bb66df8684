package closure

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShebang(t *testing.T) {
	const path = "PATH=/usr/bin:/bin"
	for line, want := range map[string]string{ // the programs, with the PATH in which they are looked for
		"/bin/sh":                                        "/bin/sh",
		"/bin/sh -e -u":                                  "/bin/sh",
		"/usr/bin/awk -f":                                "/usr/bin/awk",
		"/usr/bin/env python3":                           "/usr/bin/env; python3 in /usr/bin:/bin",
		"/usr/bin/env\tpython3":                          "/usr/bin/env; python3 in /usr/bin:/bin",
		"/usr/bin/env /opt/run":                          "/usr/bin/env; /opt/run",
		"/usr/bin/env python3 -u":                        "/usr/bin/env; python3 -u in /usr/bin:/bin",
		"/usr/bin/env -S python3 -u":                     "/usr/bin/env; python3 in /usr/bin:/bin",
		"/usr/bin/env -Spython3 -u":                      "/usr/bin/env; python3 in /usr/bin:/bin",
		"/usr/bin/env -vS python3":                       "/usr/bin/env; python3 in /usr/bin:/bin",
		"/usr/bin/env --split-string=python3 -u":         "/usr/bin/env; python3 in /usr/bin:/bin",
		"/usr/bin/env --split=python3":                   "/usr/bin/env; python3 in /usr/bin:/bin",
		"/usr/bin/env -S -i A=b C=d sh":                  "/usr/bin/env; sh in /bin:/usr/bin",
		"/usr/bin/env -iS sh":                            "/usr/bin/env; sh in /bin:/usr/bin",
		"/usr/bin/env -S - sh":                           "/usr/bin/env; sh in /bin:/usr/bin",
		"/usr/bin/env -S -u PATH sh":                     "/usr/bin/env; sh in /bin:/usr/bin",
		"/usr/bin/env -S --unset=PATH sh":                "/usr/bin/env; sh in /bin:/usr/bin",
		"/usr/bin/env -S PATH=/opt:/srv run":             "/usr/bin/env; run in /opt:/srv",
		"/usr/bin/env -S PATH=/opt:${PATH} run":          "/usr/bin/env; run in /opt:/usr/bin:/bin",
		"/usr/bin/env -S -C /opt ./run":                  "/usr/bin/env; /opt/run",
		"/usr/bin/env -S --chdir=/opt bin/run":           "/usr/bin/env; /opt/bin/run",
		"/usr/bin/env -S -a other run":                   "/usr/bin/env; run in /usr/bin:/bin",
		"/usr/bin/env -S --default-signal=PIPE run":      "/usr/bin/env; run in /usr/bin:/bin",
		"/usr/bin/env -S -- run":                         "/usr/bin/env; run in /usr/bin:/bin",
		"/usr/bin/env -S -S 'run x'":                     "/usr/bin/env; run in /usr/bin:/bin",
		`/usr/bin/env -S "A=b c" 'a program'`:            "/usr/bin/env; a program in /usr/bin:/bin",
		`/usr/bin/env -S a\_b`:                           "/usr/bin/env; a in /usr/bin:/bin",
		`/usr/bin/env -S "a\_b"`:                         "/usr/bin/env; a b in /usr/bin:/bin",
		`/usr/bin/env -S 'a\_b'`:                         `/usr/bin/env; a\_b in /usr/bin:/bin`,
		`/usr/bin/env -S a\\b`:                           `/usr/bin/env; a\b in /usr/bin:/bin`,
		`/usr/bin/env -S ${NOTHING} run # comment`:       "/usr/bin/env; run in /usr/bin:/bin",
		`/usr/bin/env -S '${PATH}'`:                      "/usr/bin/env; ${PATH} in /usr/bin:/bin",
		`/usr/bin/env -S A=b\c run`:                      "/usr/bin/env",
		`/usr/bin/env -S`:                                "/usr/bin/env",
		`/usr/bin/env -i`:                                "/usr/bin/env",
		`/usr/bin/env A=b`:                               "/usr/bin/env",
		`/usr/bin/env -S # nothing`:                      "/usr/bin/env",
		"/usr/local/bin/env -S" + strings.Repeat(" ", 9): "/usr/local/bin/env",
	} {
		var programs []string
		for _, c := range parseShebang(line, []string{path}) {
			if c.search {
				c.program += " in " + searchPath(c.env)
			}
			programs = append(programs, c.program)
		}
		if diff := cmp.Diff(want, strings.Join(programs, "; ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// TestEnvSplit compares with env(1) of the coreutils.
func TestEnvSplit(t *testing.T) {
	version, err := exec.CommandContext(t.Context(), "env", "--version").Output()
	if err != nil || !strings.Contains(string(version), "GNU coreutils") {
		t.Skip("this machine has no env of the GNU coreutils")
	}
	for _, text := range []string{
		`a b`, "a\tb  c\td", `"a b" 'c d'`, `a\_b "c\_d" 'e\_f'`, `a\tb\nc`, `'a\tb'`, `'it\'s' '\\'`, `"\"\\\$"`, `a"b"'c'd`, `"" ''`,
		`${NAME} x${NAME}y '${NAME}' "${NAME}z"`, `${ABSENT} a`, `"${ABSENT}" a`, `a #b c`, `a#b c`, `\#a b`, `a \c b`, `a\fb\rc\vd`,
	} {
		// printf that gets no argument prints its format once.
		cmd := exec.CommandContext(t.Context(), "env", "-S", `printf '[%s]' `+text)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "NAME=some value"}
		want, err := cmd.Output()
		if err != nil {
			t.Fatalf("env -S %s: %v", text, err)
		}
		got := "[" + strings.Join(envSplit(text, cmd.Env), "][") + "]"
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-env +split):\n%s", text, diff)
		}
	}
}

func FuzzEnvSplit(f *testing.F) {
	for _, text := range []string{"a b", `"a b" 'c'`, `a\_b\tc`, "${PATH} x#y #z", `"`, `\`, "${", "a=b -u X -S 'y z'"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := envSplit(text, []string{"PATH=/bin"})
		if n := len(strings.Join(words, "")); n > len(text)*len("/bin") {
			t.Errorf("%q grows to %d bytes", text, n)
		}
		envCommand([]string{"-S", text}, nil)
	})
}

func TestScripts(t *testing.T) {
	source := files(t, glibc+`
		elf 0755 usr/bin/dash program needs=libc.so.6
		link usr/bin/sh dash
		link bin usr/bin
		elf 0755 usr/bin/env program needs=libc.so.6
		file 0755 usr/bin/wrapper #!/bin/sh\nexec "$@"
		file 0755 opt/script #!/usr/bin/wrapper -x\n
		file 0755 opt/named #!/usr/bin/env wrapper\n
		file 0755 opt/elsewhere #!/usr/bin/env -S PATH=/srv tool --flag\n
		file 0755 srv/tool #! /bin/sh\n
		file 0644 opt/data #!/usr/bin/nothing\n
		file 0644 opt/entry #!/bin/sh\n
		file 0755 opt/binary #!/usr/bin/nothing\x00
	`)
	for root, want := range map[string]string{
		"/opt/script": `file 0755 opt/script  <- path
			file 0755 usr/bin/dash  <- symlink usr/bin/sh
			symlink usr/bin/sh -> dash  <- script usr/bin/wrapper
			file 0755 usr/bin/wrapper  <- script opt/script`,
		"/opt/named": `file 0755 opt/named  <- path
			file 0755 usr/bin/dash  <- symlink usr/bin/sh
			file 0755 usr/bin/env  <- script opt/named
			symlink usr/bin/sh -> dash  <- script usr/bin/wrapper
			file 0755 usr/bin/wrapper  <- script opt/named`,
		"/opt/elsewhere": `file 0755 opt/elsewhere  <- path
			file 0755 srv/tool  <- script opt/elsewhere
			file 0755 usr/bin/dash  <- symlink usr/bin/sh
			file 0755 usr/bin/env  <- script opt/elsewhere
			symlink usr/bin/sh -> dash  <- script srv/tool`,
		"/opt/data": `file 0644 opt/data  <- path`,
	} {
		t.Run(root, func(t *testing.T) {
			s := selected(t, Input{Source: source, Roots: roots(root)})
			var got []string
			for _, l := range own(t, s) {
				if !strings.HasPrefix(l, "symlink bin") {
					got = append(got, l)
				}
			}
			same(t, "kept", lines(want), got)
		})
	}
	t.Run("the entry point is a script whatever its mode, and refused for it", func(t *testing.T) {
		same(t, "problems", []string{"entry point /opt/entry: it is not executable"},
			problems(t, Input{Source: source, Entrypoint: []string{"/opt/entry"}}))
	})
}
