//go:build linux

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

	"smith/internal/elf/elftest"
	"smith/test/fixture"
)

// TestDeps holds smith deps against ld.so for every program and every shared
// object in a root of some hundred packages: order and paths.
func TestDeps(t *testing.T) {
	c := newComparison(t, "programs")
	c.compare(c.objects(func(f *elf.File) string {
		if needed, err := f.ImportedLibraries(); err == nil && len(needed) > 0 && f.Machine == elf.EM_X86_64 {
			return "/lib64/ld-linux-x86-64.so.2"
		}
		return ""
	}), 1000)
}

// TestDepsOfAnotherArchitecture does the same for the programs of arm64, whose
// linker qemu-user runs. The root has no cache, and /lib and /usr/lib are two
// folders; then it gets the cache that its own ldconfig makes.
func TestDepsOfAnotherArchitecture(t *testing.T) {
	c := newComparison(t, "arm64")
	c.emulate("qemu-aarch64-static")
	programs := c.objects(func(*elf.File) string { return "" })
	c.compare(programs, 100)
	c.run("/sbin/ldconfig")
	c.compare(programs, 100)
}

// A comparison is between smith and the linkers of a root.
type comparison struct {
	*testing.T
	root     string
	emulator []string // what runs the root's programs, as the root knows it
}

func newComparison(t *testing.T, fixture string) *comparison {
	t.Helper()
	if os.Getuid() != 0 {
		missing(t, "chroot needs root")
	}
	return &comparison{T: t, root: unpackFixture(t, fixture)}
}

// emulate has the root's programs be run by one of this machine.
func (c *comparison) emulate(program string) {
	c.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing(c.T, program+" is not installed")
	}
	if out, err := exec.Command("cp", path, filepath.Join(c.root, "emulator")).CombinedOutput(); err != nil {
		c.Fatalf("%v: %s", err, out)
	}
	c.emulator = []string{"/emulator"}
}

// run runs a program of the root in a chroot.
func (c *comparison) run(args ...string) string {
	c.Helper()
	args = slices.Concat(c.emulator, args)
	cmd := &exec.Cmd{Path: args[0], Args: args, Dir: "/", Env: []string{"PATH=/usr/bin", elftest.BaselineCPU}, Stderr: os.Stderr, SysProcAttr: &syscall.SysProcAttr{Chroot: c.root}}
	out, err := cmd.Output()
	if err != nil {
		c.Fatalf("%s: %v", args, err)
	}
	return string(out)
}

// compare compares what is listed of objects, of which there must be so many.
func (c *comparison) compare(objects map[string]string, least int) {
	c.Helper()
	want := c.listed(objects)
	files := slices.Sorted(maps.Keys(objects))
	began := time.Now()
	got := c.modelled(files)
	c.Logf("%d files, smith deps in %s", len(files), time.Since(began).Round(time.Millisecond))
	found := 0
	for _, file := range files {
		found += len(want[file])
		if w := want[file]; len(w) == 1 && strings.HasSuffix(w[0], unfoundMark) && slices.Contains(got[file], w[0]) {
			continue
		}
		if d := cmp.Diff(want[file], got[file]); d != "" {
			c.Errorf("%s (-ld.so +smith):\n%s", file, d)
		}
	}
	if len(files) < least || found < 2*len(files) {
		c.Errorf("only %d files with %d libraries", len(files), found)
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
	base, err := fixture.Make(context.Background(), os.Stderr, name)
	if errors.Is(err, fixture.ErrNoTool) {
		missing(t, err.Error())
	}
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

// objects returns the paths of the ELF files under the root, each with the
// linker that lists it: the interpreter that it names, or the one that usual
// tells; "" leaves it out.
func (c *comparison) objects(usual func(*elf.File) string) map[string]string {
	c.Helper()
	objects := map[string]string{}
	err := filepath.WalkDir(c.root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := elf.Open(name)
		if err != nil {
			return nil // no ELF file
		}
		defer f.Close()
		linker := usual(f)
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				data, err := io.ReadAll(p.Open())
				if err != nil {
					return err
				}
				linker = strings.TrimRight(string(data), "\x00")
			}
		}
		if linker != "" {
			objects[strings.TrimPrefix(name, c.root)] = linker
		}
		return nil
	})
	if err != nil {
		c.Fatal(err)
	}
	return objects
}

// judge lists what a linker loads for each file in lines "LINKER FILE".
const judge = `while read -r linker file; do
	echo "FILE $file"
	$0 "$linker" --list "$file" </dev/null 2>&1
done </objects
exit 0`

// A list is what a linker loads for a program: lines "NAME => PATH", and "NAME
// => not found" after them.
type list []string

const unfoundMark = " => not found"

var (
	loaded  = regexp.MustCompile(`^\t(\S+) => (\S+) \(0x[0-9a-f]+\)$`)
	unfound = regexp.MustCompile(`^\t(\S+) => not found$`)
	refused = regexp.MustCompile(`error while loading shared libraries: (\S+): cannot open shared object file`)
)

// listed returns what the linkers of the root list. Of a shared object that
// lacks something they tell only what they lack first.
func (c *comparison) listed(objects map[string]string) map[string]list {
	c.Helper()
	var todo strings.Builder
	for file, linker := range objects {
		fmt.Fprintln(&todo, linker, file)
	}
	if err := os.WriteFile(filepath.Join(c.root, "objects"), []byte(todo.String()), 0o644); err != nil {
		c.Fatal(err)
	}
	out := c.run("/bin/bash", "-c", judge, strings.Join(c.emulator, " "))
	all := map[string]list{}
	for _, part := range strings.Split(out, "FILE ")[1:] {
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
func (c *comparison) modelled(files []string) map[string]list {
	c.Helper()
	cmd := exec.Command(buildSmith(c.T), slices.Concat([]string{"deps", "--json", "--root", c.root}, files)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		c.Fatal(err)
	}
	all := map[string]list{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var one struct {
			File      string
			Libraries []struct{ Name, Path string }
			Missing   []struct{ Name string }
		}
		if err := d.Decode(&one); err != nil {
			c.Fatal(err)
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
