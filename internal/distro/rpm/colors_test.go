package rpm

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"smith/internal/distro"
	"smith/internal/distro/rpm/yumconfig"
	"smith/internal/elf/elftest"
)

// colorsSpec makes a package whose files say for how many bits they are.
const colorsSpec = `
Name: %{name_}
Version: 1
Release: 1
Summary: x
License: x
%define debug_package %{nil}
%define _build_id_links none
%define __os_install_post %{nil}
%description
x
%install
mkdir -p %{buildroot}/usr/bin
cp %{_sourcedir}/%{tool} %{buildroot}/usr/bin/tool
cp %{_sourcedir}/%{odd} %{buildroot}/usr/bin/odd
cp %{_sourcedir}/%{tool} %{buildroot}/usr/bin/%{name_}-%{_target_cpu}
%files
/usr/bin/*
`

// Of two packages that hold a program, one for 32 and one for 64 bits, the
// program for 64 bits stands, whichever architecture its package is for: rpm
// with colors is the judge.
func TestColorsOfFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("asks rpm many times")
	}
	w := newWorkshop(t)
	if err := os.WriteFile(w.path("colors.spec"), []byte(colorsSpec), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]elftest.Object{
		"elf64": {Soname: "sixty-four"}, "elf32": {Class: elf.ELFCLASS32, Machine: elf.EM_386, Soname: "thirty-two"},
	} {
		if err := os.WriteFile(w.path(name), elftest.Build(o), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range [][]string{{"tool", "x86_64", "elf64", "elf32"}, {"tool", "i686", "elf32", "elf64"}, {"tool2", "x86_64", "elf32", "elf64"}} {
		err := w.run("rpmbuild", "--quiet", "-bb", "--target", p[1], "--define", "name_ "+p[0], "--define", "tool "+p[2], "--define", "odd "+p[3],
			"--define", "_topdir "+w.path("top"), "--define", "_rpmdir "+w.path("colors"), "--define", "_sourcedir "+w.dir,
			"--define", "_dbpath "+w.path("db"), "--define", "_build_name_fmt %%{NAME}.%%{ARCH}.rpm", w.path("colors.spec"))
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, names := range [][]string{{"tool.x86_64", "tool.i686"}, {"tool.i686", "tool.x86_64"}, {"tool.x86_64", "tool2.x86_64"}} {
		o := w.options(t, yumconfig.Repository{BaseURLs: []string{w.serve(t, "good", nil)}, Keys: []string{"us.asc"}, GPGCheck: true})
		var files []string
		for _, n := range names {
			files = append(files, w.path("colors/"+n+".rpm"))
			o.Requests = append(o.Requests, distro.Request{Text: files[len(files)-1], File: true, Where: "smith.yaml:2"})
		}
		root := rpmInstalled(t, w, files)
		offer, err := New(o).Open(t.Context(), amd64)
		if err != nil {
			t.Fatal(err)
		}
		defer offer.Close()
		for _, path := range []string{"/usr/bin/tool", "/usr/bin/odd"} {
			at, err := offer.Tree.Resolve(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := at.Node.ReadAll(1 << 20)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(root(path)) || !strings.Contains(string(got), "sixty-four") {
				t.Errorf("%v: %s is not the program that rpm installs", names, path)
			}
		}
	}
}

// rpmInstalled has rpm install packages into a folder and returns how a file
// there is read.
func rpmInstalled(t *testing.T, w *workshop, files []string) func(path string) []byte {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("rpm installs into a folder for root only")
	}
	if _, err := exec.LookPath("rpm"); err != nil {
		t.Skip("rpm is not installed (test/install.sh)")
	}
	root := t.TempDir()
	args := []string{
		"--root", root, "--dbpath", "/db", "--define", "_transaction_color 3", "--define", "_prefer_color 2", "--define", "_vsflags 0x3fff00",
		"-i", "--nodeps", "--nosignature", "--ignorearch", "--noscripts",
	}
	if err := w.run("rpm", append(args, files...)...); err != nil {
		t.Fatal(err)
	}
	return func(path string) []byte {
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
}
