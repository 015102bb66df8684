package loader_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/loader"
)

// listed is one line of "ld.so --list": "name => path (0x…)".
var listed = regexp.MustCompile(`^\t(\S+) => (\S+) \(0x[0-9a-f]+\)$`)

// parseList returns the libraries that a linker printed, as "name => path",
// without the vdso and the linker itself, and those that it did not find.
func parseList(out []byte, linker string) (libraries, missing []string) {
	for line := range strings.SplitSeq(string(out), "\n") {
		if m := listed.FindStringSubmatch(line); m != nil && m[2] != linker {
			libraries = append(libraries, m[1]+" => "+m[2])
		}
		if name, ok := strings.CutSuffix(line, " => not found"); ok {
			missing = append(missing, strings.TrimSpace(name))
		}
		if name, _, ok := strings.Cut(strings.TrimSpace(line), " (0x"); ok && strings.HasPrefix(name, "/") && name != linker && !strings.Contains(name, " ") {
			libraries = append(libraries, name+" => "+name)
		}
	}
	return libraries, missing
}

// modelled returns the same of a process.
func modelled(p *loader.Process) (libraries, missing []string) {
	for _, l := range p.Libraries {
		libraries = append(libraries, l.Name+" => "+l.Path)
	}
	for _, m := range p.Missing {
		missing = append(missing, m.Name)
	}
	return libraries, missing
}

// Every program of this machine loads in the model what it loads in truth.
func TestThisMachine(t *testing.T) {
	l := loader.New(rootTree(t, "/"), loader.Options{})
	compared := 0
	for _, folder := range []string{"/usr/bin", "/usr/sbin", "/usr/lib/git-core", "/usr/libexec"} {
		entries, _ := os.ReadDir(folder)
		for _, e := range entries {
			name := filepath.Join(folder, e.Name())
			p, err := l.Load(context.Background(), name)
			if err != nil || p.Interpreter == nil {
				continue
			}
			cmd := exec.Command(p.Interpreter.Path, "--list", name)
			cmd.Env = []string{}
			out, err := cmd.Output()
			if err != nil {
				t.Logf("%s: %v", name, err)
				continue
			}
			if bytes.Contains(out, []byte("statically linked")) {
				continue
			}
			want, wantMissing := parseList(out, p.Interpreter.Path)
			got, gotMissing := modelled(p)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-linker +model):\n%s", name, d)
			}
			if d := cmp.Diff(wantMissing, gotMissing); d != "" {
				t.Errorf("%s missing (-linker +model):\n%s", name, d)
			}
			compared++
		}
	}
	t.Logf("%d programs compared", compared)
	if compared == 0 {
		t.Skip("this machine has no dynamic glibc program")
	}
}
