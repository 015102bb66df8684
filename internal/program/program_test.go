package program

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
		for _, c := range Interpreters(line, []string{path}) {
			if c.Search {
				c.Program += " in " + SearchPath(c.Env)
			}
			programs = append(programs, c.Program)
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
