// Package golden compares the texts that a test produces with a file under
// testdata, so that a change of wording is one reviewed diff and not an edit in
// many literals. Run the tests with UPDATE=1 to rewrite the files.
package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Texts collects the named texts of one test. It is not safe for concurrent
// use: add them in the test itself, not in parallel subtests.
type Texts struct {
	t     *testing.T
	path  string
	names map[string]bool
	lines []string
}

// New returns an empty collection that is compared with
// testdata/golden/TESTNAME.txt when the test ends.
func New(t *testing.T) *Texts {
	t.Helper()
	name := strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())
	x := &Texts{t: t, path: filepath.Join("testdata", "golden", name+".txt"), names: map[string]bool{}}
	t.Cleanup(x.compare)
	return x
}

// Add adds a text under a name that is unique in the test.
func (x *Texts) Add(name, text string) {
	x.t.Helper()
	if x.names[name] {
		x.t.Errorf("golden: duplicate name %q", name)
	}
	x.names[name] = true
	x.lines = append(x.lines, name+":\n\t"+strings.ReplaceAll(text, "\n", "\n\t"))
}

// Error adds the message of an error. A nil error fails the test: the case
// that should fail did not.
func (x *Texts) Error(name string, err error) {
	x.t.Helper()
	if err == nil {
		x.t.Errorf("%s: no error", name)
		return
	}
	x.Add(name, err.Error())
}

func (x *Texts) compare() {
	if x.t.Failed() || x.t.Skipped() {
		return
	}
	got := strings.Join(x.lines, "\n") + "\n"
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(x.path), 0o755); err != nil {
			x.t.Fatal(err)
		}
		if err := os.WriteFile(x.path, []byte(got), 0o644); err != nil {
			x.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(x.path)
	if err != nil {
		x.t.Fatalf("cannot read the golden file (UPDATE=1 writes it): %v", err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if a, b := at(g, i), at(w, i); a != b {
			x.t.Errorf("%s:%d (UPDATE=1 rewrites it)\n got %s\nwant %s", x.path, i+1, a, b)
			return
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(no line)"
}
