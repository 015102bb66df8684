//go:build linux

package loader_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/elf/loader"
)

// versioned links the objects that TestVersionNeeds makes its processes of:
// libraries with the versions V1, V2, or none, and objects that need both.
func versioned(t *testing.T, b *bench) map[string]string {
	t.Helper()
	made := map[string]string{}
	link := func(name, source, versions string, args ...string) {
		file := filepath.Join(t.TempDir(), name)
		for suffix, text := range map[string]string{".c": source, ".map": versions} {
			if err := os.WriteFile(file+suffix, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		args = append([]string{"-nostdlib", "-fPIC", "-Wl,--no-as-needed", file + ".c", "-o", file}, args...)
		if versions != "" {
			args = append(args, "-Wl,--version-script="+file+".map")
		}
		b.run("gcc", args...)
		made[name] = file
	}
	const body = "int %[1]s1(void) { return 1; } int %[1]s2(void) { return 2; }"
	for _, l := range []string{"a", "b"} {
		source, soname := fmt.Sprintf(body, l), "-Wl,-soname,lib"+l+".so"
		link(l+"-full", source, fmt.Sprintf("V1 { %[1]s1; }; V2 { %[1]s2; } V1;", l), "-shared", soname)
		link(l+"-old", source, fmt.Sprintf("V1 { %[1]s1; %[1]s2; };", l), "-shared", soname)
		link(l+"-none", source, "", "-shared", soname)
	}
	calls := "int a1(void), a2(void), b1(void), b2(void); int %s(void) { return a%d() + b%d(); }"
	for i, need := range [][2]int{{1, 1}, {1, 2}, {2, 1}, {2, 2}} {
		link(fmt.Sprintf("m-%d", i), fmt.Sprintf(calls, "m", need[0], need[1]), "", "-shared", "-Wl,-soname,libm.so", made["a-full"], made["b-full"])
	}
	for i, need := range [][2]int{{1, 1}, {1, 2}, {2, 1}, {2, 2}} {
		link(fmt.Sprintf("main-%d", i), fmt.Sprintf(calls, "_start", need[0], need[1]), "", "-pie", "-Wl,-dynamic-linker,"+glibcLinker, made["m-0"], made["a-full"], made["b-full"])
	}
	return made
}

var notFound = regexp.MustCompile("(?m): (\\S+): version `(\\S+)' not found \\(required by (\\S+)\\)$")

// judged is what the linker says of the versions that a program needs.
func judged(out []byte) []string {
	if strings.Contains(string(out), "needed != NULL") {
		return []string{"abort"}
	}
	var all []string
	for _, m := range notFound.FindAllStringSubmatch(string(out), -1) {
		all = append(all, m[1]+" "+m[2]+" "+m[3])
	}
	return all
}

// Which symbol versions a process lacks is judged by the linker, for random
// sets of libraries, old and new, and objects from which patchelf has removed
// or renamed what they need.
func TestVersionNeeds(t *testing.T) {
	need(t, "gcc", "patchelf")
	made := versioned(t, newBench(t))
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	seen := map[string]bool{}
	for i := range 60 {
		b := newBench(t)
		put := func(from, to string, remove ...string) {
			data, err := os.ReadFile(made[from])
			if err != nil {
				t.Fatal(err)
			}
			b.write(to, data, 0o755)
			for _, name := range remove {
				if random.IntN(3) == 0 {
					b.run("patchelf", "--remove-needed", name, b.at(to))
				}
			}
		}
		put(pick("a-full", "a-old", "a-none"), "/lib/liba.so")
		put(pick("b-full", "b-old", "b-none"), "/lib/libb.so")
		if random.IntN(4) == 0 {
			b.run("patchelf", "--set-soname", "libother.so", b.at("/lib/liba.so"))
		}
		put(fmt.Sprintf("m-%d", random.IntN(4)), "/lib/libm.so", "liba.so", "libb.so")
		put(fmt.Sprintf("main-%d", random.IntN(4)), "/bin/main", "liba.so", "libb.so", "libm.so")
		out, failed := b.tracing("/bin/main").CombinedOutput()
		want := judged(out)
		p, err := loader.New(rootTree(t, b.root), loader.Options{}).Load(context.Background(), "/bin/main")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range p.Versions {
			if v.Absent {
				got = []string{"abort"}
				break
			}
			got = append(got, v.Library+" "+v.Version+" "+v.NeededBy)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("case %d (-linker +model):\n%s\n%s %+v", i, d, out, failed)
		}
		switch {
		case len(want) == 0:
			seen["fine"] = true
		case want[0] == "abort":
			seen["abort"] = true
		default:
			seen["not found"] = true
		}
	}
	if len(seen) != 3 {
		t.Errorf("the cases are one-sided: %v", seen)
	}
}
