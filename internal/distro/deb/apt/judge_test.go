package apt

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/resolve"
)

// A judge is this machine's apt, asked what it would install on a machine
// where nothing is installed.
type judge struct {
	options []string
	native  string
}

func newJudge(t testing.TB) *judge {
	t.Helper()
	if testing.Short() {
		t.Skip("asks apt, which takes minutes on a busy machine")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("there is no apt on this machine")
	}
	dir := t.TempDir()
	status := filepath.Join(dir, "status")
	if err := os.WriteFile(status, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "cache", "archives", "partial"), 0o700); err != nil {
		t.Fatal(err)
	}
	j := &judge{options: []string{
		"-o", "Dir::State::status=" + status,
		"-o", "Dir::State::extended_states=" + filepath.Join(dir, "extended_states"),
		"-o", "Dir::Cache=" + filepath.Join(dir, "cache"),
		// Containers turn these off, and then each run reads all lists again.
		"-o", "Dir::Cache::pkgcache=pkgcache.bin",
		"-o", "Dir::Cache::srcpkgcache=srcpkgcache.bin",
		"-o", "Dir::Etc::preferences=/dev/null",
		"-o", "Dir::Etc::preferencesparts=/dev/null",
		"-o", "Debug::NoLocking=true",
	}}
	if out, err := exec.CommandContext(t.Context(), "apt-cache", append(j.options, "gencaches")...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	j.native = nativeArchitecture(t)
	return j
}

func nativeArchitecture(t testing.TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "dpkg", "--print-architecture").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// install returns what apt would install, as "name=version", sorted, and
// false where it cannot.
func (j *judge) install(t testing.TB, recommends bool, names ...string) ([]string, bool) {
	t.Helper()
	args := append(slices.Clone(j.options), "--simulate", "-qq", "-o", fmt.Sprint("APT::Install-Recommends=", recommends), "install")
	cmd := exec.CommandContext(t.Context(), "apt-get", append(args, names...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		return nil, false
	}
	var installed []string
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if len(words) > 2 && words[0] == "Inst" {
			installed = append(installed, words[1]+"="+strings.TrimPrefix(words[2], "("))
		}
	}
	slices.Sort(installed)
	return installed, true
}

// hostOffers reads the lists of packages that this machine's apt has.
func hostOffers(t testing.TB) []*Offer {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "apt-get", "indextargets", "--format",
		"$(FILENAME)|$(SITE)|$(SUITE)|$(CODENAME)|$(ORIGIN)|$(LABEL)|$(COMPONENT)", "Identifier: Packages").Output()
	if err != nil {
		t.Fatal(err)
	}
	var offers []*Offer
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		text, err := exec.CommandContext(t.Context(), "/usr/lib/apt/apt-helper", "cat-file", f[0]).Output()
		if err != nil {
			t.Fatal(err)
		}
		x, err := writeTestIndex(t, string(text))
		if err != nil {
			t.Fatal(err)
		}
		x.Release = &Release{Suite: f[2], Codename: f[3], Origin: f[4], Label: f[5]}
		x.Source, x.Component = &Source{Mirrors: []string{f[1]}, Suite: f[2]}, f[6]
		offers = append(offers, x.Offer())
	}
	if len(offers) == 0 {
		t.Skip("this machine's apt has no lists of packages")
	}
	return offers
}

// policy returns apt's candidates under some preferences, by name.
func (j *judge) policy(t *testing.T, preferences string, names []string) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "preferences")
	if err := os.WriteFile(file, []byte(preferences), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append(slices.Clone(j.options), "-o", "Dir::Etc::preferences="+file, "policy")
	cmd := exec.CommandContext(t.Context(), "apt-cache", append(args, names...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	candidates, name := map[string]string{}, ""
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, " ") {
			name = strings.TrimSuffix(strings.TrimSpace(line), ":")
		}
		if candidate, found := strings.CutPrefix(line, "  Candidate: "); found {
			candidates[name] = strings.TrimSpace(candidate)
		}
	}
	return candidates
}

// Of packages that several suites offer, apt must prefer the same versions
// under all kinds of pins.
func TestAptPrefersTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("asks apt many times")
	}
	j := newJudge(t)
	offers := hostOffers(t)
	release := offers[0].Release
	suite := func(format string) string { return strings.ReplaceAll(format, "SUITE", release.Suite) }
	names := severalVersions(t, offers, 300)
	if len(names) == 0 {
		t.Skip("this machine's apt has no package in several versions")
	}
	unpinned, changed := map[string]string{}, 0
	for _, preferences := range []string{
		"", // first, to compare with
		suite("Package: *\nPin: release a=SUITE\nPin-Priority: 990\n"),
		suite("Package: *\nPin: release SUITE\nPin-Priority: -1\n"),
		"Package: *\nPin: release l=*ecurity*\nPin-Priority: 100\n",
		"Package: *\nPin: origin *\nPin-Priority: 1\n\nPackage: *\nPin: release *\nPin-Priority: 600\n",
		suite("Package: lib* /^python/\nPin: release a=SUITE, c=main\nPin-Priority: 700\n\nPackage: l*\nPin: version *\nPin-Priority: 10\n"),
		"Package: lib*\nPin: version *u1\nPin-Priority: 1001\n\nPackage: *:any\nPin: version *[!a-z1]\nPin-Priority: 600\n",
		suite("Package: src:linux src:glibc\nPin: release n=*-updates\nPin-Priority: 900\n\nPackage: *\nPin: release a=SUITE\nPin-Priority: never\n"),
	} {
		p := &Preferences{}
		if err := p.Read(strings.NewReader(preferences)); err != nil {
			t.Fatal(err)
		}
		c := NewCatalogue(offers, p, j.native, false)
		got := map[string]string{}
		for _, name := range names {
			g, err := c.group(name)
			if err != nil {
				t.Fatal(err)
			}
			got[name] = "(none)"
			if v := g.candidates[j.native]; v != nil {
				got[name] = v.Version
			}
		}
		if diff := cmp.Diff(j.policy(t, preferences, names), got); diff != "" {
			t.Errorf("%s\n%s", preferences, diff)
		}
		if preferences == "" {
			unpinned = got
		} else if !maps.Equal(got, unpinned) {
			changed++
		}
	}
	t.Logf("%d names, %d kinds of pins that change what is preferred", len(names), changed)
	if changed == 0 {
		t.Error("no pin makes a difference: this test shows nothing")
	}
}

// severalVersions returns n names of packages, spread over the alphabet, that
// are on offer in more than one version.
func severalVersions(t *testing.T, offers []*Offer, n int) []string {
	t.Helper()
	c := NewCatalogue(offers, &Preferences{}, "", false)
	several := map[string]bool{}
	last := offers[len(offers)-1]
	for i := range last.Len() {
		p, err := last.Paragraph(i)
		if err != nil {
			t.Fatal(err)
		}
		g, err := c.group(p.Get("Package"))
		if err != nil {
			t.Fatal(err)
		}
		if len(g.versions) > 1 {
			several[p.Get("Package")] = true
		}
	}
	return spread(several, n)
}

// spread returns n of the names, evenly over the alphabet.
func spread(all map[string]bool, n int) []string {
	names := slices.Sorted(maps.Keys(all))
	n = min(n, len(names))
	var picked []string
	for i := range n {
		picked = append(picked, names[i*len(names)/n])
	}
	return picked
}

// Popular packages and some of the whole archive, spread evenly over the
// alphabet: SMITH_APT_JUDGE says how many (200 take some minutes).
func TestAptChoosesTheSame(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	offers := hostOffers(t)
	count := 12
	if n, err := strconv.Atoi(os.Getenv("SMITH_APT_JUDGE")); err == nil {
		count = n
	}
	for _, recommends := range []bool{false, true} {
		if recommends && count < 200 {
			count /= 3 // apt takes three times as long for them
		}
		names, same := sample(t, offers, count), 0
		if !recommends {
			names = append(names, "nginx", "redis", "postgresql-client", "python3", "curl", "bash")
		}
		for _, name := range names {
			c := NewCatalogue(offers, &Preferences{}, j.native, recommends)
			ours, err := resolveWords(t, c, name)
			theirs, found := j.install(t, recommends, name)
			switch {
			case found != (err == nil):
				t.Errorf("%s, recommends %v: apt finds a set: %v; we: %v", name, recommends, found, err)
			case slices.Equal(strings.Fields(ours), theirs):
				same++
			default:
				j.confirm(t, name, strings.Fields(ours))
				justify(t, c, name, strings.Fields(ours), theirs)
			}
		}
		t.Logf("recommends %v: the same set for %d of %d packages", recommends, same, len(names))
		if same < len(names)*3/4 {
			t.Errorf("recommends %v: apt chooses the same for only %d of %d", recommends, same, len(names))
		}
	}
}

// confirm asks apt whether a set that it did not choose lacks nothing and goes
// together.
func (j *judge) confirm(t *testing.T, name string, set []string) {
	t.Helper()
	if confirmed, ok := j.install(t, false, set...); !ok || !slices.Equal(confirmed, set) {
		t.Errorf("%s: apt does not take our set: %s", name, cmp.Diff(set, confirmed))
	}
}

// justify tests that each relation that two sets fulfil differently, of a
// package that is in both, is so for a reason that the policy gives.
func justify(t *testing.T, c *Catalogue, name string, ours, theirs []string) {
	t.Helper()
	d := difference{c: c, ours: c.ids(t, ours), theirs: c.ids(t, theirs)}
	reasons := 0
	for id := range d.ours {
		if !d.theirs[id] {
			continue
		}
		clauses, err := c.Requires(id)
		if err != nil {
			t.Fatal(err)
		}
		for _, clause := range clauses {
			reason, differs := d.reason(t, clause)
			if !differs {
				continue
			}
			reasons++
			text := fmt.Sprintf("%s: %s %s: we %s, apt %s", name, c.versions[id].Name, clause.Text,
				d.names(clause, d.ours), d.names(clause, d.theirs))
			if reason == "" {
				t.Errorf("%s: for no reason", text)
			}
			t.Logf("%s: %s", text, reason)
		}
	}
	if reasons == 0 {
		t.Errorf("%s: the sets differ where all relations are fulfilled the same way: %s", name, cmp.Diff(ours, theirs))
	}
}

// A difference is two sets of packages for one request.
type difference struct {
	c            *Catalogue
	ours, theirs map[resolve.ID]bool
}

// reason tells why a relation is fulfilled differently, if it is.
func (d difference) reason(t *testing.T, clause resolve.Clause) (reason string, differs bool) {
	t.Helper()
	var ours, theirs []resolve.ID
	more := false
	for _, id := range clause.Options {
		if d.ours[id] {
			ours = append(ours, id)
			more = more || !d.theirs[id]
		}
		if d.theirs[id] {
			theirs = append(theirs, id)
			differs = differs || !d.ours[id]
		}
	}
	switch {
	case !differs && !more:
		return "", false
	case len(theirs) == 0:
		return "apt drops a recommendation that can be kept", true
	case len(ours) == 0:
		return "", true
	case !more:
		return "what is there anyway fulfils it", true
	case !differs:
		return "something else calls for the other one too", true
	case slices.Index(clause.Options, ours[0]) < slices.Index(clause.Options, theirs[0]):
		return "ours comes first", true
	case d.calledFor(t, ours[0], clause.Text):
		return "something else calls for ours", true
	default:
		return "", true
	}
}

// calledFor reports whether another relation of our set is fulfilled by that
// package alone.
func (d difference) calledFor(t *testing.T, wanted resolve.ID, except string) bool {
	t.Helper()
	for id := range d.ours {
		clauses, err := d.c.Requires(id)
		if err != nil {
			t.Fatal(err)
		}
		for _, clause := range clauses {
			fulfilling := slices.DeleteFunc(slices.Clone(clause.Options), func(id resolve.ID) bool { return !d.ours[id] })
			if clause.Text != except && len(fulfilling) == 1 && fulfilling[0] == wanted {
				return true
			}
		}
	}
	return false
}

func (d difference) names(clause resolve.Clause, set map[resolve.ID]bool) []string {
	var names []string
	for _, id := range clause.Options {
		if set[id] {
			names = append(names, d.c.versions[id].Name)
		}
	}
	return names
}

// ids returns the packages of "name=version" words.
func (c *Catalogue) ids(t *testing.T, words []string) map[resolve.ID]bool {
	t.Helper()
	ids := map[resolve.ID]bool{}
	for _, w := range words {
		name, version, _ := strings.Cut(w, "=")
		g, err := c.group(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range g.versions {
			if v.Version == version {
				ids[v.ID] = true
			}
		}
	}
	return ids
}

// sample returns n names of packages.
func sample(t *testing.T, offers []*Offer, n int) []string {
	t.Helper()
	all := map[string]bool{}
	for _, o := range offers {
		for i := range o.Len() {
			p, err := o.Paragraph(i)
			if err != nil {
				t.Fatal(err)
			}
			all[p.Get("Package")] = true
		}
	}
	return spread(all, n)
}
