package test

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smith/test/fixture"
)

// depsRoot is the fixture whose programs are compared: one of some hundred
// packages.
const depsRoot = "programs"

// TestDeps holds smith deps against ld.so for every program and every shared
// object in a root of some hundred packages: order and paths.
func TestDeps(t *testing.T) {
	if os.Getuid() != 0 {
		missing(t, "chroot needs root")
	}
	root := unpackFixture(t, depsRoot)
	objects := dynamicObjects(t, root)
	want := listed(t, root, objects)
	files := slices.Sorted(maps.Keys(objects))
	began := time.Now()
	got := modelled(t, root, files)
	t.Logf("%d files of %s, smith deps in %s", len(files), depsRoot, time.Since(began).Round(time.Millisecond))
	programs := 0
	for _, file := range files {
		if w := want[file]; len(w) == 1 && strings.HasSuffix(w[0], unfoundMark) && slices.Contains(got[file], w[0]) {
			continue
		}
		if d := cmp.Diff(want[file], got[file]); d != "" {
			t.Errorf("%s (-ld.so +smith):\n%s", file, d)
		}
		if len(want[file]) > 0 && strings.Contains(file, "/bin/") {
			programs++
		}
	}
	if programs < 200 || len(files) < 500 {
		t.Errorf("only %d files, %d of them programs", len(files), programs)
	}
}

// missing ends a test that cannot run here; in CI it fails.
func missing(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// unpackFixture returns a folder that holds a fixture's files.
func unpackFixture(t *testing.T, name string) string {
	t.Helper()
	err := fixture.Make(context.Background(), os.Stderr, name)
	if errors.Is(err, fixture.ErrNoTool) {
		missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	base, err := fixture.Folder()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, layer := range layers(t, filepath.Join(base, name)) {
		out, err := exec.Command("tar", "-xf", layer, "-C", root, "--exclude=./usr/share/doc", "--exclude=./usr/share/locale").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return root
}

// layers returns the files of the layers of the only image in a layout.
func layers(t *testing.T, layout string) []string {
	t.Helper()
	type blobs []struct{ Digest string }
	read := func(file string) (m struct{ Manifests, Layers blobs }) {
		t.Helper()
		data, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(data, &m)
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	at := func(digest string) string {
		return filepath.Join(layout, "blobs", strings.ReplaceAll(digest, ":", "/"))
	}
	var files []string
	for _, l := range read(at(read(filepath.Join(layout, "index.json")).Manifests[0].Digest)).Layers {
		files = append(files, at(l.Digest))
	}
	return files
}

// dynamicObjects returns the paths of the programs and shared objects under a
// root, each with the linker that lists them: the interpreter that it names, or
// the one of this machine.
func dynamicObjects(t *testing.T, root string) map[string]string {
	t.Helper()
	objects := map[string]string{}
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := elf.Open(name)
		if err != nil {
			return nil // no ELF file
		}
		defer f.Close()
		if linker := linkerOf(f); linker != "" {
			objects[strings.TrimPrefix(name, root)] = linker
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func linkerOf(f *elf.File) string {
	linker := ""
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_INTERP:
			name, err := io.ReadAll(p.Open())
			if err != nil {
				return ""
			}
			return strings.TrimRight(string(name), "\x00")
		case elf.PT_DYNAMIC:
			if needed, err := f.ImportedLibraries(); err == nil && len(needed) > 0 && f.Machine == elf.EM_X86_64 {
				linker = "/lib64/ld-linux-x86-64.so.2"
			}
		}
	}
	return linker
}

// judge lists in a chroot what a linker loads for each program in a file of
// lines "LINKER PROGRAM".
const judge = `while read -r linker program; do
	echo "FILE $program"
	"$linker" --list "$program" </dev/null 2>&1
done </programs`

// A list is what a linker loads for a program: lines "NAME => PATH", and "NAME
// => not found" after them.
type list []string

const unfoundMark = " => not found"

var (
	loaded  = regexp.MustCompile(`^\t(\S+) => (\S+) \(0x[0-9a-f]+\)$`)
	unfound = regexp.MustCompile(`^\t(\S+) => not found$`)
	refused = regexp.MustCompile(`error while loading shared libraries: (\S+): cannot open shared object file`)
)

// listed returns what the linkers under a root list. Of a shared object that
// lacks something they tell only what they lack first.
func listed(t *testing.T, root string, objects map[string]string) map[string]list {
	t.Helper()
	var todo strings.Builder
	for file, linker := range objects {
		fmt.Fprintln(&todo, linker, file)
	}
	if err := os.WriteFile(filepath.Join(root, "programs"), []byte(todo.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{
		Path: "/bin/sh", Args: []string{"sh", "-c", judge}, Dir: "/", Env: []string{"PATH=/usr/bin"},
		SysProcAttr: &syscall.SysProcAttr{Chroot: root},
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]list{}
	for _, part := range strings.Split(string(out), "FILE ")[1:] {
		file, text, _ := strings.Cut(part, "\n")
		all[file] = parseList(text, objects[file])
	}
	return all
}

func parseList(text, linker string) list {
	found, missing := list{}, list{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := loaded.FindStringSubmatch(line); m != nil && m[1] != linker {
			found = append(found, m[1]+" => "+m[2])
		}
		if m := unfound.FindStringSubmatch(line); m != nil {
			missing = append(missing, m[1]+unfoundMark)
		}
		if m := refused.FindStringSubmatch(line); m != nil {
			return list{m[1] + unfoundMark}
		}
	}
	return append(found, missing...)
}

// modelled returns what smith deps lists, in the form of what the linkers do.
func modelled(t *testing.T, root string, files []string) map[string]list {
	t.Helper()
	cmd := exec.Command(buildSmith(t), slices.Concat([]string{"deps", "--json", "--root", root}, files)...)
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatal(err)
	}
	all := map[string]list{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var one struct {
			File      string
			Libraries []struct{ Name, Path string }
			Missing   []struct{ Name string }
		}
		if err := d.Decode(&one); err != nil {
			t.Fatal(err)
		}
		lines := list{}
		for _, l := range one.Libraries {
			lines = append(lines, l.Name+" => "+l.Path)
		}
		for _, m := range one.Missing {
			lines = append(lines, m.Name+unfoundMark)
		}
		all[one.File] = lines
	}
	return all
}
