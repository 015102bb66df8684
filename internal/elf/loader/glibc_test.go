//go:build linux

package loader_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/elf/elftest"
	"smith/internal/elf/loader"
)

// Each rule of ld.so(8), and rules that meet, are judged by ld.so itself.
func TestRules(t *testing.T) {
	for name, script := range rules {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.script(script)
			b.compare("/bin/main")
		})
	}
}

// The rules hold for an older linker too: that of glibc 2.17 in CentOS 7, whose
// own folders are others. Its libc tells the version.
func TestRulesOfOldGlibc(t *testing.T) {
	rpm := testdata(t, "rpm-repo/centos7-httpd/glibc-2.17-317.el7.x86_64.rpm")
	need(t, "rpm2cpio", "cpio")
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", `rpm2cpio "$0" | cpio -id --quiet "./lib64/ld-2.17.so"`, rpm)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	linker, err := os.ReadFile(filepath.Join(dir, "lib64/ld-2.17.so"))
	if err != nil {
		t.Fatal(err)
	}
	libc := architectures[0].with(func(o *elftest.Object) {
		o.Soname, o.VersionDefs = "libc.so.6", []string{"libc.so.6", "GLIBC_2.2.5", "GLIBC_2.17"}
	})
	for name, script := range rules {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.write(glibcLinker, linker, 0o755)
			b.write("/lib64/libc.so.6", libc, 0o755)
			b.script(strings.NewReplacer("/lib/x86_64-linux-gnu", "/lib64", " /lib/", " /lib64/", "=/lib/", "=/lib64/", "/usr/lib/", "/usr/lib64/").Replace(script))
			b.compare("/bin/main")
		})
	}
}

// Auditors are in no list of the linker's; it tells where it searches for them.
func TestAuditors(t *testing.T) {
	for name, script := range map[string]string{
		"the environment, the program, and what they need": `
			env LD_AUDIT=libenv.so:libnone.so
			exe /bin/main needed=liba.so audit=libau.so depaudit=libdep.so
			lib /lib/liba.so
			lib /lib/libenv.so
			lib /lib/libau.so needed=libsub.so
			lib /lib/libdep.so needed=libsub.so,liba.so
			lib /lib/libsub.so`,
		"RUNPATH of the program comes before LD_LIBRARY_PATH": `
			env LD_LIBRARY_PATH=/env
			exe /bin/main audit=libau.so runpath=/opt
			lib /opt/libau.so needed=libsub.so,libown.so
			lib /env/libau.so
			lib /opt/libsub.so runpath=/own needed=libown.so
			lib /env/libsub.so
			lib /own/libown.so
			lib /env/libown.so`,
		"RPATH of the program, and another class": `
			exe /bin/main audit=libau.so rpath=/opt
			lib /opt/libau.so m32
			lib /lib/libau.so needed=libsub.so
			lib /opt/libsub.so`,
		"RUNPATH of the auditor": `
			exe /bin/main audit=libau.so runpath=/opt
			lib /opt/libau.so runpath=/own needed=libsub.so
			lib /opt/libsub.so
			lib /own/libsub.so`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.script(script)
			p, err := loader.New(rootTree(t, b.root), loader.Options{Env: b.env}).Load(context.Background(), "/bin/main")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, lib := range p.Libraries {
				got = append(got, lib.Path)
			}
			slices.Sort(got)
			if d := cmp.Diff(b.searched("/bin/main"), got); d != "" {
				t.Errorf("(-linker +model):\n%s", d)
			}
		})
	}
}

// searched returns the files at which the linker's searches end, in all its
// worlds, sorted.
func (b *bench) searched(program string) []string {
	b.t.Helper()
	cmd := &exec.Cmd{
		Path: program, Args: []string{program}, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Chroot: b.root},
		Env: append([]string{"LD_TRACE_LOADED_OBJECTS=1", "LD_DEBUG=libs", elftest.BaselineCPU}, b.env...),
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.t.Fatalf("%v: %s", err, out)
	}
	const tried = "trying file="
	var found []string
	for _, one := range strings.Split(string(out), "find library=")[1:] {
		last := one[max(0, strings.LastIndex(one, tried)+len(tried)):]
		last, _, _ = strings.Cut(last, "\n")
		if _, err := os.Stat(b.at(last)); err == nil && last != "" {
			found = append(found, last)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
