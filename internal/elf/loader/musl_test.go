//go:build linux

package loader_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/elf"
	"smith/internal/elf/loader"
	"smith/internal/tree"
)

// testdata returns the path of a file of the real data for tests.
func testdata(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("SMITH_TESTDATA")
	if dir == "" {
		t.Skip("SMITH_TESTDATA is not set")
	}
	file := filepath.Join(dir, name)
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// unpack unpacks a compressed archive into a folder.
func unpack(t testing.TB, archive, dir string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = unpackOne(root, h, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func unpackOne(root *os.Root, h *tar.Header, r io.Reader) error {
	switch h.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(strings.TrimSuffix(filepath.Clean(h.Name), "/"), 0o755)
	case tar.TypeSymlink:
		return root.Symlink(h.Linkname, h.Name)
	case tar.TypeReg:
		out, err := root.OpenFile(h.Name, os.O_CREATE|os.O_WRONLY, fs.FileMode(h.Mode)&0o777)
		if err != nil {
			return err
		}
		defer out.Close()
		_, err = io.Copy(out, r)
		return err
	}
	return nil
}

const muslLinker = "/lib/ld-musl-x86_64.so.1"

var muslMissing = regexp.MustCompile(`Error loading shared library (\S+): .* \(needed by`)

// compareMusl holds the model's answer against musl's linker. An emulator is
// the program of the root that runs it.
func compareMusl(t *testing.T, root, linker, program string, env []string, emulator ...string) {
	t.Helper()
	args := slices.Concat(emulator, []string{linker, "--list", program})
	cmd := &exec.Cmd{Path: args[0], Args: args, Env: env, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Chroot: root}}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, _ := cmd.Output()
	want, _ := parseList(out, linker)
	var wantMissing []string
	for _, m := range muslMissing.FindAllStringSubmatch(stderr.String(), -1) {
		wantMissing = append(wantMissing, m[1])
	}
	p, err := loader.New(rootTree(t, root), loader.Options{Env: env}).Load(context.Background(), program)
	if err != nil {
		t.Fatal(err)
	}
	var gotMissing []string
	for _, m := range p.Missing {
		if m.Fatal() {
			gotMissing = append(gotMissing, m.Name)
		}
	}
	got, _ := modelled(p)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-linker +model):\n%s\n%s", program, d, out)
	}
	if d := cmp.Diff(wantMissing, gotMissing); d != "" {
		t.Errorf("%s missing (-linker +model):\n%s\n%s", program, d, stderr.String())
	}
}

// Every object of Alpine loads in the model what musl's linker loads.
func TestAlpine(t *testing.T) {
	if os.Getuid() != 0 {
		skip(t, "chroot needs root")
	}
	for _, architecture := range []string{"x86_64", "aarch64"} {
		t.Run(architecture, func(t *testing.T) {
			root := t.TempDir()
			unpack(t, testdata(t, "rootfs/alpine/"+architecture+"/alpine-minirootfs-3.20.3-"+architecture+".tar.gz"), root)
			var emulator []string
			if architecture == "aarch64" {
				qemu, err := os.ReadFile(architectures[2].emulator(t))
				if err == nil {
					err = os.WriteFile(filepath.Join(root, "qemu"), qemu, 0o755)
				}
				if err != nil {
					t.Fatal(err)
				}
				emulator = []string{"/qemu"}
			}
			files, compared := rootTree(t, root), 0
			l := loader.New(files, loader.Options{})
			err := files.Walk(func(n *tree.Node) error {
				if f, err := l.ELF(n); err == nil && len(f.Needed) > 0 {
					compareMusl(t, root, "/lib/ld-musl-"+architecture+".so.1", n.Path(), nil, emulator...)
					compared++
				} else if err != nil && !errors.Is(err, elf.ErrNotELF) {
					t.Error(err)
				}
				return nil
			})
			if err != nil || compared < 10 {
				t.Errorf("%d objects compared: %v", compared, err)
			}
		})
	}
}

// Each rule of musl's linker is judged by it: by Debian's, which is of version
// 1.2.3, and by Alpine's, of 1.2.5.
func TestMuslRules(t *testing.T) {
	judges := map[string]string{"Debian": muslLinker}
	if os.Getenv("SMITH_TESTDATA") != "" {
		alpine := t.TempDir()
		unpack(t, testdata(t, "rootfs/alpine/x86_64/alpine-minirootfs-3.20.3-x86_64.tar.gz"), alpine)
		judges["Alpine"] = filepath.Join(alpine, muslLinker)
	}
	for judge, file := range judges {
		linker, err := os.ReadFile(file)
		if err != nil {
			skip(t, "no "+file+": install Debian's musl package")
		}
		for name, script := range muslRules {
			t.Run(judge+"/"+name, func(t *testing.T) {
				b := newBench(t)
				b.linker = muslLinker
				b.write(muslLinker, linker, 0o755)
				b.script(script)
				compareMusl(t, b.root, muslLinker, "/bin/main", b.env)
			})
		}
	}
}

var muslRules = map[string]string{
	"built-in path": `
		exe /bin/main needed=liba.so,libb.so,libd.so
		lib /lib/liba.so
		lib /usr/lib/liba.so
		lib /usr/lib/libb.so
		lib /usr/local/lib/libb.so
		lib /usr/lib/libd.so`,
	"path file": `
		text /etc/ld-musl-x86_64.path /opt/1:/opt/2 /opt/3
		exe /bin/main needed=liba.so,libb.so,libd.so,libe.so
		lib /opt/2/liba.so
		lib /opt/3/libb.so
		lib /lib/libd.so
		lib /opt/1/libe.so
		lib /opt/3/libe.so`,
	"an empty path file": `
		text /etc/ld-musl-x86_64.path
		exe /bin/main needed=liba.so
		lib /lib/liba.so`,
	"ld.so.conf and a cache count for nothing": `
		text /etc/ld.so.conf /opt
		exe /bin/main needed=liba.so
		lib /opt/liba.so`,
	"RUNPATH is inherited": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so needed=libb.so
		lib /opt/libb.so`,
	"RUNPATH of an object does not hide that of its parents": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so runpath=/none needed=libb.so
		lib /opt/libb.so
		lib /lib/libb.so`,
	"LD_LIBRARY_PATH comes first": `
		env LD_LIBRARY_PATH=/env:/none
		exe /bin/main rpath=/opt needed=liba.so,libb.so
		lib /env/liba.so
		lib /opt/liba.so
		lib /opt/libb.so`,
	"LD_PRELOAD": `
		env LD_PRELOAD=/opt/libp.so:libq.so
		exe /bin/main needed=liba.so
		lib /lib/liba.so
		lib /opt/libp.so needed=libr.so
		lib /lib/libq.so
		lib /lib/libr.so`,
	"libc's own names": `
		exe /bin/main needed=libc.so,libpthread.so.0,libm.so.6,libdl.so.2,librt.so.1,libutil.so.1,libxnet.so.1,libcx.so,libc.musl-x86_64.so.1
		lib /lib/libm.so.6
		lib /lib/libcx.so`,
	"a wrong machine ends the search": `
		exe /bin/main runpath=/opt needed=liba.so
		text /opt/liba.so this is no shared object
		lib /lib/liba.so`,
	"a soname does not answer": `
		exe /bin/main needed=liba.so,libreal.so
		lib /lib/liba.so soname=libreal.so
		lib /lib/libreal.so`,
	"two links to one file": `
		exe /bin/main needed=liba.so.1,liba.so.2
		lib /opt/liba.so
		link /lib/liba.so.1 ../opt/liba.so
		link /lib/liba.so.2 ../opt/liba.so`,
	"a path, and then its name": `
		exe /bin/main needed=/opt/liba.so,liba.so,libb.so
		lib /opt/liba.so
		lib /lib/libb.so needed=/opt/liba.so
		lib /lib/liba.so`,
	"ORIGIN in both spellings": `
		exe /bin/main runpath=$ORIGIN/../1:${ORIGIN}/../2 needed=liba.so,libb.so
		lib /1/liba.so
		lib /2/libb.so`,
	"ORIGIN of a library": `
		exe /bin/main runpath=/opt/link needed=liba.so
		link /opt/link real/deep
		lib /opt/real/deep/liba.so runpath=$ORIGIN/../x needed=libb.so
		lib /opt/x/libb.so
		lib /opt/real/x/libb.so`,
	"another token drops the path": `
		exe /bin/main runpath=/opt:$LIB/x needed=liba.so
		lib /opt/liba.so`,
	"a relative path": `
		exe /bin/main runpath=opt needed=liba.so,opt/libb.so
		lib /opt/liba.so
		lib /opt/libb.so`,
	"no filters": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so filter=libx.so aux=liby.so
		lib /lib/libx.so
		lib /lib/liby.so`,
	"missing deep in the chain": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so needed=libgone.so
		lib /lib/libb.so needed=libgone.so,liba.so`,
	"cycles, breadth first": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so needed=libd.so,libb.so
		lib /lib/libb.so needed=liba.so,libe.so
		lib /lib/libd.so needed=liba.so
		lib /lib/libe.so`,

	"a program": `
		exe /bin/main runpath=/opt needed=liba.so
		exe /opt/liba.so needed=libb.so
		lib /lib/libb.so`,
	// Pairs of rules that meet.
	"RUNPATH of the object before that of its parents": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so runpath=/own needed=libb.so,libd.so
		lib /opt/libb.so
		lib /own/libb.so
		lib /opt/libd.so`,
	"LD_LIBRARY_PATH and an inherited RUNPATH": `
		env LD_LIBRARY_PATH=/env
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so needed=libb.so,libd.so
		lib /env/libb.so
		lib /opt/libb.so
		lib /opt/libd.so`,
	"what is no library in LD_LIBRARY_PATH ends the search": `
		env LD_LIBRARY_PATH=/env:/env2
		exe /bin/main needed=liba.so,libb.so
		text /env/liba.so this is no shared object
		lib /env2/liba.so
		lib /lib/liba.so
		lib /env2/libb.so`,
	"a link in a circle ends the search": `
		exe /bin/main runpath=/opt needed=liba.so
		link /opt/liba.so liba.so
		lib /lib/liba.so`,
	"a link through a file does not": `
		exe /bin/main runpath=/opt needed=liba.so
		text /opt/file x
		link /opt/liba.so file/liba.so
		lib /lib/liba.so`,
	"the path file and RUNPATH": `
		text /etc/ld-musl-x86_64.path /opt/1
		exe /bin/main runpath=/opt/2 needed=liba.so,libb.so
		lib /opt/1/liba.so
		lib /opt/2/liba.so
		lib /opt/1/libb.so
		lib /lib/libb.so`,
	"LD_PRELOAD and a name that is needed": `
		env LD_PRELOAD=/opt/libp.so:liba.so
		exe /bin/main needed=libp.so,liba.so
		lib /opt/libp.so
		lib /lib/libp.so
		lib /lib/liba.so runpath=/opt needed=libp.so`,
	"LD_PRELOAD of what is not there": `
		env LD_PRELOAD=libnone.so
		exe /bin/main needed=liba.so
		lib /lib/liba.so`,
	"ORIGIN in an inherited RUNPATH": `
		exe /opt/app/main runpath=$ORIGIN/lib needed=liba.so
		hard /bin/main /opt/app/main
		lib /bin/lib/liba.so needed=libb.so
		lib /bin/lib/libb.so`,
	"the linker by its path and by libc's name": `
		exe /bin/main needed=/lib/ld-musl-x86_64.so.1,liba.so
		lib /lib/liba.so needed=libc.so,/lib/ld-musl-x86_64.so.1`,
}
