package osrelease

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/tree"
)

const sample = `# a comment=none
NAME="Example Linux"
ID=example
VERSION_ID='9.4'

PRETTY_NAME="Example \"nine\" \$x \\ y"
ID=other
nothing
EMPTY=
`

var sampleValues = map[string]string{
	"NAME": "Example Linux", "ID": "other", "VERSION_ID": "9.4", "PRETTY_NAME": `Example "nine" $x \ y`, "EMPTY": "",
}

func TestParse(t *testing.T) {
	if d := cmp.Diff(sampleValues, Parse(sample)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// A shell is the judge.
	for name, want := range sampleValues {
		script := strings.ReplaceAll(sample, "nothing\n", "") + "printf %s \"$" + name + `"`
		out, err := exec.Command("sh", "-c", script).Output()
		if err != nil || string(out) != want {
			t.Errorf("%s: sh says %q, want %q; %v", name, out, want, err)
		}
	}
}

func TestOfATreeAndAMachine(t *testing.T) {
	root, files := t.TempDir(), tree.New()
	check := func(what string, want map[string]string) {
		t.Helper()
		got, err := Machine(root)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("a machine with %s: %v %s", what, err, d)
		}
		if got, err = Of(files); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("a tree with %s: %v %v", what, err, got)
		}
	}
	add := func(name, text string) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := files.Insert(name, tree.NewFile([]byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	check("nothing", map[string]string{})
	add("/usr/lib/os-release", "ID=usr\n")
	check("the file of /usr", map[string]string{"ID": "usr"})
	add("/etc/os-release", "ID=etc\n")
	check("both", map[string]string{"ID": "etc"})
	if err := os.Remove(filepath.Join(root, "etc/os-release")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "etc/os-release"), 0o700); err != nil {
		t.Fatal(err)
	}
	want := "cannot tell which system this is: read " + root + "/etc/os-release: is a directory"
	if _, err := Machine(root); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	want = "cannot tell which system this is: open a\x00b/etc/os-release: invalid argument"
	if _, err := Machine("a\x00b"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add("A='\nB=\"\n=\"\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, value := range Parse(text) {
			if strings.Contains(name, "=") || strings.Contains(value, "\n") {
				t.Errorf("%q = %q", name, value)
			}
		}
	})
}
