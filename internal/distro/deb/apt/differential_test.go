package apt

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"smith/internal/distro/resolve"
)

// TestDifferential compares, on small universes made at random, what smith
// chooses with what apt chooses on a machine where nothing is installed.
// SMITH_UNIVERSES is how many requests are asked (150 if unset), SMITH_SEED
// where they begin.
func TestDifferential(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("asks apt many times")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("there is no apt on this machine")
	}
	count, seed := number(t, "SMITH_UNIVERSES", 150), number(t, "SMITH_SEED", 1)
	found := map[string]int{}
	for asked := 0; asked < count && found[unknown] < 5; seed++ {
		asked += compareUniverse(t, seed, found)
	}
	for _, class := range slices.Sorted(maps.Keys(found)) {
		t.Logf("%5d %s", found[class], class)
	}
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// compareUniverse asks both for what is in one universe, counts the classes,
// and returns how many requests that were.
func compareUniverse(t *testing.T, seed int, found map[string]int) int {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	g := generator{random}
	var texts []string
	for release := 1; release <= 1+random.IntN(2); release++ {
		texts = append(texts, g.repository(release))
	}
	preferences := ""
	if len(texts) > 1 {
		preferences = []string{
			"", "Package: *\nPin: release n=r2\nPin-Priority: 400\n",
			"Package: *\nPin: release n=r2\nPin-Priority: 600\n", "Package: p1* v1\nPin: release n=r1\nPin-Priority: -1\n",
		}[random.IntN(4)]
	}
	recommends := random.IntN(3) == 0
	j := privateJudge(t, texts, preferences)
	offers := make([]*Offer, len(texts))
	for i, text := range texts {
		x, err := writeTestIndex(t, text)
		if err != nil {
			t.Fatal(err)
		}
		codename := fmt.Sprintf("r%d", i+1)
		x.Release = &Release{Codename: codename, Suite: codename}
		x.Source, x.Component = &Source{Mirrors: []string{"file:/" + codename}, Suite: codename}, "main"
		offers[i] = x.Offer()
	}
	p := &Preferences{}
	if err := p.Read(strings.NewReader(preferences)); err != nil {
		t.Fatal(err)
	}
	const requests = 10
	for range requests {
		words := g.request()
		c := NewCatalogue(offers, p, j.native, recommends)
		text, err := resolveWords(t, c, words...)
		ours := strings.Fields(text)
		theirs, ok := j.install(t, recommends, words...)
		class, fault := j.classify(t, c, ours, theirs, err == nil, ok)
		if fault != "" {
			t.Errorf("seed %d, %v, recommends %v: %s\nsmith %v %v\napt %v\n%s%s", seed, words, recommends, fault, ours, err, theirs, preferences, strings.Join(texts, "---\n"))
		}
		found[class]++
	}
	return requests
}

// privateJudge is apt with repositories, preferences and nothing else.
func privateJudge(t *testing.T, texts []string, preferences string) *judge {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sources := ""
	for i, text := range texts {
		name := fmt.Sprintf("r%d", i+1)
		write(name+"/Packages", text)
		write(name+"/Release", fmt.Sprintf("Suite: %s\nCodename: %s\nDate: Mon, 01 Jan 2024 00:00:00 UTC\nSHA256:\n %x %d Packages\n", name, name, sha256Of(text), len(text)))
		sources += fmt.Sprintf("deb [trusted=yes] file:%s/%s ./\n", dir, name)
	}
	write("etc/apt/sources.list", sources)
	write("etc/apt/preferences", preferences)
	write("status", "")
	for _, empty := range []string{"state/lists/partial", "cache/archives/partial", "etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "log"} {
		write(empty+"/.empty", "")
	}
	j := &judge{native: nativeArchitecture(t), options: []string{
		"-o", "Dir::Etc=" + dir + "/etc/apt", "-o", "Dir::State=" + dir + "/state", "-o", "Dir::State::status=" + dir + "/status",
		"-o", "Dir::Cache=" + dir + "/cache", "-o", "Dir::Log=" + dir + "/log", "-o", "Debug::NoLocking=true", "-o", "APT::Sandbox::User=root",
		"-o", "Dir::Cache::pkgcache=pkgcache.bin", "-o", "Dir::Cache::srcpkgcache=srcpkgcache.bin",
	}}
	if out, err := exec.CommandContext(t.Context(), "apt-get", append(j.options, "-qq", "update")...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return j
}

// The classes of docs/resolution.md.
const (
	same       = "the same"
	neither    = "the same: none"
	gaveUp     = "apt gives up"
	candidates = "apt considers candidates only"
	leaner     = "apt has more packages"
	another    = "another choice"
	unknown    = "unknown"
)

// classify names the class of a difference, and what is wrong if it has none.
func (j *judge) classify(t *testing.T, c *Catalogue, ours, theirs []string, solved, found bool) (class, fault string) {
	t.Helper()
	switch {
	case !solved && !found:
		return neither, ""
	case !solved:
		return unknown, "only smith refuses"
	case found && slices.Equal(ours, theirs):
		return same, ""
	}
	// apt must find smith's set whole, and free of conflicts.
	if confirmed, ok := j.install(t, false, ours...); !ok || !slices.Equal(confirmed, ours) {
		return unknown, "apt does not take smith's set"
	}
	mine, others := c.ids(t, ours), c.ids(t, theirs)
	switch {
	case !found && c.allPreferred(mine):
		return gaveUp, ""
	case !found:
		return candidates, ""
	case !c.allPreferred(mine):
		return unknown, "smith takes another version than apt's candidate"
	case len(ours) < len(theirs) && subset(ours, theirs):
		return leaner, ""
	}
	d := difference{c: c, ours: mine, theirs: others}
	if d.settledApart(t) {
		return another, ""
	}
	return unknown, "no relation of a common package is fulfilled differently for a reason"
}

func (c *Catalogue) allPreferred(set map[resolve.ID]bool) bool {
	for id := range set {
		if !c.Preferred(c.versions[id]) {
			return false
		}
	}
	return true
}

func subset(part, whole []string) bool {
	return !slices.ContainsFunc(part, func(s string) bool { return !slices.Contains(whole, s) })
}

// settledApart reports whether the sets part at a relation of a package that
// both have, and each such relation has a reason.
func (d difference) settledApart(t *testing.T) bool {
	t.Helper()
	parted := false
	for id := range d.ours {
		if !d.theirs[id] {
			continue
		}
		clauses, err := d.c.Requires(id)
		if err != nil {
			t.Fatal(err)
		}
		for _, clause := range clauses {
			reason, differs := d.reason(t, clause)
			if differs && reason == "" {
				return false
			}
			parted = parted || differs
		}
	}
	return parted
}

func sha256Of(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// A generator makes universes.
type generator struct{ *rand.Rand }

const names = 14

func (g generator) one(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g generator) name() string {
	if g.IntN(4) == 0 {
		return fmt.Sprintf("v%d", g.IntN(4))
	}
	return fmt.Sprintf("p%d", g.IntN(names))
}

func (g generator) relation() string {
	if g.IntN(60) == 0 {
		return "none"
	}
	return g.name() + g.one("", "", "", "", "", "", "", "", "", "", "", "", " (>= 2)", " (<< 2)", " (= 1-1)", " (<= 3)")
}

func (g generator) alternatives() string {
	text := g.relation()
	for g.IntN(2) == 0 {
		text += " | " + g.relation()
	}
	return text
}

// repository returns a list of packages. Versions differ between repositories.
func (g generator) repository(release int) string {
	var b strings.Builder
	for i := range names {
		for version := 1; version <= 1+g.IntN(2); version++ {
			fmt.Fprintf(&b, "Package: p%d\nVersion: %d-%d\nArchitecture: all\nPriority: %s\nMaintainer: x <x@example.org>\n", i, version, release, g.one("optional", "optional", "important"))
			fields := map[string][]string{}
			for range g.IntN(4) {
				switch g.IntN(14) {
				case 0, 1:
					fields["Provides"] = append(fields["Provides"], fmt.Sprintf("v%d", g.IntN(4))+g.one("", "", " (= 1)", " (= 2)"))
				case 2:
					fields[g.one("Conflicts", "Breaks")] = []string{g.relation()}
				case 3:
					clash := g.relation()
					fields["Conflicts"], fields["Replaces"] = []string{clash}, []string{clash}
				case 4, 5:
					fields["Recommends"] = append(fields["Recommends"], g.alternatives())
				default:
					// Without Pre-Depends: a loop of these stops apt when it orders
					// what it has chosen.
					fields["Depends"] = append(fields["Depends"], g.alternatives())
				}
			}
			for _, field := range slices.Sorted(maps.Keys(fields)) {
				fmt.Fprintf(&b, "%s: %s\n", field, strings.Join(fields[field], ", "))
			}
			fmt.Fprintf(&b, "Filename: p%d_%d-%d_all.deb\nSize: 1000\nSHA256: %x\n\n", i, version, release, sha256Of(fmt.Sprint(i, version, release)))
		}
	}
	return b.String()
}

// request is one or two names, sometimes with a version.
func (g generator) request() []string {
	var words []string
	for range 1 + g.IntN(2) {
		word := fmt.Sprintf("p%d", g.IntN(names))
		if g.IntN(8) == 0 {
			word += "=1-1"
		}
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w+"=", strings.SplitN(word, "=", 2)[0]+"=") }) {
			words = append(words, word)
		}
	}
	return words
}
