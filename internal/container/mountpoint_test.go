package container

import (
	"os"
	"path/filepath"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/golden"
	"smith/internal/tree"
)

// imageOf is a tree of directories (a path that ends in a slash), symlinks
// (path and target) and empty files.
func imageOf(t *testing.T, entries ...[2]string) *tree.Tree {
	t.Helper()
	files := tree.New()
	for _, e := range entries {
		n := tree.NewFile(nil, 0o755)
		switch {
		case e[1] == "/":
			n = &tree.Node{Kind: tree.Dir, Mode: 0o755}
		case e[1] != "":
			n = &tree.Node{Kind: tree.Symlink, Link: e[1]}
		}
		if err := files.Insert(e[0], n); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// No mount covers anything but a real directory of the unpacked root.
func TestMountPointsOfHostileImages(t *testing.T) {
	canary := t.TempDir()
	texts := golden.New(t)
	for _, c := range []struct {
		name    string
		entries [][2]string
		config  ocispec.ImageConfig
	}{
		{name: "dev is an absolute symlink", entries: [][2]string{{"/dev", "/canary"}}},
		{name: "proc is a symlink with dots", entries: [][2]string{{"/proc", "../../../canary"}}},
		{name: "sys is a symlink to a directory of the image", entries: [][2]string{{"/x", "/"}, {"/sys", "x"}}},
		{name: "run is a file", entries: [][2]string{{"/run", ""}}},
		{name: "tmp is a symlink", entries: [][2]string{{"/tmp", "/write"}}},
		{name: "etc is a symlink", entries: [][2]string{{"/etc", "/write"}}},
		{name: "a file that is written is a directory", entries: [][2]string{{"/etc/hosts", "/"}}},
		{name: "a parent of a volume is a dangling symlink", entries: [][2]string{{"/var", "/canary"}}, config: ocispec.ImageConfig{Volumes: map[string]struct{}{"/var/data": {}}}},
	} {
		files := imageOf(t, append(c.entries, [2]string{"/x-program", ""})...)
		c.config.Entrypoint = []string{"/x-program"}
		p, err := newProcess(Options{Tree: files, Config: c.config, Read: canary})
		if err == nil {
			err = prepare(t.Context(), files, filepath.Join(t.TempDir(), "rootfs"), p)
		}
		texts.Error(c.name, err)
	}
	if left, err := os.ReadDir(canary); err != nil || len(left) > 0 {
		t.Errorf("%v: written outside of the root: %v", err, left)
	}
}

// A program or working directory in /proc leads to what the runtime has open.
func TestKernelPaths(t *testing.T) {
	files := imageOf(t, [2]string{"/app", "/proc/self/exe"}, [2]string{"/dir/w", "../proc/self/fd/7"}, [2]string{"/usr/bin/true", ""}, [2]string{"/bin", "usr/bin"}, [2]string{"/deep", "/dir"})
	for name, want := range map[string]string{
		"/app": "/proc/self/exe", "/dir/w": "/proc/self/fd/7", "/deep/w": "/proc/self/fd/7", "/bin/true": "", "/process": "", "/proc": "/proc", "/devil/x": "", "/sys/x": "/sys/x",
	} {
		if got := kernelPath(files, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestVolumes(t *testing.T) {
	files := imageOf(t, [2]string{"/run", "/"}, [2]string{"/var/run", "/run"}, [2]string{"/var/lib/db/seed", ""}, [2]string{"/file", ""}, [2]string{"/dev", "/"}, [2]string{"/d", "/dev"})
	for volume, want := range map[string]string{
		"/var/run/db": "/run/db", "/var/lib/db/": "/var/lib/db", "/new/deep": "/new/deep", "/var/../run": "/run", "/../../x": "/x",
		"relative": "", "/": "", "/..": "", "/proc/sys": "", "/d/x": "", "/x:exec,dev,suid": "", "/x,y": "", "/a\nb": "", "/file": "", "": "",
	} {
		got, ok := volumeDir(files, volume)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", volume, got, ok, want)
		}
	}
	list, refused := scratches(files, map[string]struct{}{"/var/lib/db": {}, "/tmp": {}, "/var/run": {}, "/read": {}, "/x:y": {}})
	if len(list) != 4 || !list[3].filled || list[3].dir != "/var/lib/db" || len(refused) != 1 {
		t.Errorf("%+v, %v", list, refused)
	}
}

func FuzzVolume(f *testing.F) {
	f.Add("/var/run/x", "/run")
	f.Add("/a/../..", "..")
	f.Fuzz(func(t *testing.T, volume, target string) {
		files := tree.New()
		if err := files.Insert("/var/run", &tree.Node{Kind: tree.Symlink, Link: target}); err != nil {
			t.Skip(err)
		}
		if dir, ok := volumeDir(files, volume); ok && (ofKernel(dir) || !filepath.IsAbs(dir) || dir == "/" || dir != filepath.Clean(dir)) {
			t.Errorf("%q became %q", volume, dir)
		}
	})
}

func TestEnvironment(t *testing.T) {
	var p process
	p.setEnv([]string{"AWS*", "A=b", "=x", "HOME=", "EMPTY=", "PATH"})
	if len(p.env) != 3 || p.env[0] != "A=b" || p.env[1] != "EMPTY=" || p.env[2] != "HOME=/write" || len(p.ignored) != 3 {
		t.Errorf("%q, %q", p.env, p.ignored)
	}
	p = process{}
	if p.setEnv([]string{"HOME=/root"}); len(p.env) != 1 {
		t.Errorf("%q", p.env)
	}
}

func TestCanExecute(t *testing.T) {
	texts := golden.New(t)
	for _, p := range []ocispec.Platform{{}, {OS: "linux", Architecture: hostArchitecture}} {
		if err := CanExecute(p); err != nil {
			t.Error(err)
		}
	}
	texts.Error("another system", CanExecute(ocispec.Platform{OS: "windows", Architecture: hostArchitecture}))
	if hostArchitecture == "amd64" {
		texts.Error("no such architecture", CanExecute(ocispec.Platform{OS: "linux", Architecture: "pdp11"}))
		if err := CanExecute(ocispec.Platform{OS: "linux", Architecture: "386"}); err != nil {
			t.Error(err)
		}
	}
}
