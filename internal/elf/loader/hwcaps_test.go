//go:build linux

package loader_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/elf/loader"
)

// On each CPU the model tries the subfolders that the linker of glibc 2.36
// tries, of both generations and in its order.
func TestSearchFolders(t *testing.T) {
	for _, c := range []struct {
		architecture, variant string
		cpu, level            string
		platform              bool // qemu tells the program one
	}{
		{"amd64", "", "qemu64", "", true},
		{"amd64", "", "Nehalem", "x86-64-v2", true},
		{"amd64", "", "Haswell", "x86-64-v3", true},
		{"386", "", "qemu32", "", true},
		{"arm64", "", "cortex-a53", "", true},
		{"arm", "v5", "pxa250", "", true},
		{"riscv64", "", "rv64", "", false},
		{"ppc64le", "", "power8", "", false},
		{"ppc64le", "", "power9", "power9", false},
		{"ppc64le", "", "power10", "power10", false},
		{"s390x", "", "z900", "", false},
	} {
		t.Run(c.architecture+c.variant+c.level, func(t *testing.T) {
			want := searchedBy(t, c.architecture, c.variant, c.cpu)
			got, err := loader.SearchFolders(c.architecture, c.variant, 36, c.level, c.platform)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-linker +model):\n%s", d)
			}
		})
	}
}

// searchedBy returns the subfolders that an architecture's linker says it
// searches on a CPU.
func searchedBy(t *testing.T, name, variant, cpu string) []string {
	t.Helper()
	for _, a := range architectures {
		if a.name != name || a.variant != variant {
			continue
		}
		ldso := a.keptAt(t)
		cmd := exec.Command(a.emulator(t), "-cpu", cpu, "-E", "LD_DEBUG=libs", ldso, "--library-path", "/X", "--list", filepath.Join(filepath.Dir(ldso), "libm.so.6"))
		out, err := cmd.CombinedOutput()
		_, paths, found := strings.Cut(string(out), "search path=")
		if !found {
			t.Fatalf("%v: %s", err, out)
		}
		paths, _, _ = strings.Cut(paths, "\t")
		var folders []string
		for folder := range strings.SplitSeq(paths, ":") {
			folder = strings.TrimPrefix(strings.TrimPrefix(folder, "/X"), "/")
			if folder != "" {
				folder += "/"
			}
			// A name that stands for two things comes twice.
			if len(folders) == 0 || folders[len(folders)-1] != folder {
				folders = append(folders, folder)
			}
		}
		return folders
	}
	t.Fatalf("no architecture %s%s", name, variant)
	return nil
}

// emulator returns the path of the architecture's qemu-user.
func (a architecture) emulator(t *testing.T) string {
	t.Helper()
	qemu := "/usr/bin/qemu-" + a.qemu + "-static"
	if _, err := os.Stat(qemu); err != nil {
		skip(t, "no "+qemu)
	}
	return qemu
}
