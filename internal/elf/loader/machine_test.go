//go:build linux

package loader_test

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"smith/internal/elf/elftest"
	"smith/internal/elf/loader"
)

// listed is one line of "ld.so --list": "name => path (0x…)", or the path alone
// where that is what was asked for.
var listed = regexp.MustCompile(`^\t(?:(\S+) => )?(\S+) \(0x[0-9a-f]+\)$`)

// parseList returns the libraries that a linker printed, as "name => path",
// without the vdso and the linker itself, and those that it did not find. A
// relative path counts from the root, the working folder.
func parseList(out []byte, linker string) (libraries, missing []string) {
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutSuffix(line, " => not found"); ok {
			missing = append(missing, strings.TrimSpace(name))
		}
		m := listed.FindStringSubmatch(line)
		if m == nil || m[2] == linker || m[2] == "linux-vdso.so.1" {
			continue
		}
		name, path := cmp.Or(m[1], m[2]), m[2]
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		libraries = append(libraries, name+" => "+path)
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
			// Not "--list", with which older versions take $ORIGIN for the
			// folder of a link to the program.
			cmd := exec.Command(name)
			cmd.Env = []string{"LD_TRACE_LOADED_OBJECTS=1", elftest.BaselineCPU}
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
			if d := gocmp.Diff(want, got); d != "" {
				t.Errorf("%s (-linker +model):\n%s", name, d)
			}
			if d := gocmp.Diff(wantMissing, gotMissing); d != "" {
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

// Static programs of C and of Go need nothing, wherever in memory they go.
func TestStatic(t *testing.T) {
	need(t, "gcc", "go")
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("main.c", "int main(void) { return 0; }\n")
	write("main.go", "package main\n\nfunc main() {}\n")
	for name, args := range map[string][]string{
		"static":     {"gcc", "-static", "main.c"},
		"static-pie": {"gcc", "-static-pie", "main.c"},
		"go":         {"go", "build", "main.go"},
	} {
		last := len(args) - 1
		cmd := exec.Command(args[0], append(args[1:last:last], "-o", name, args[last])...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		p, err := loader.New(rootTree(t, dir), loader.Options{}).Load(context.Background(), "/"+name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Interpreter != nil || len(p.Libraries)+len(p.Missing) != 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
