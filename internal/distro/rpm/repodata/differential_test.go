package repodata

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"smith/internal/distro/resolve"
	"smith/internal/distro/rpm/relation"
)

// TestDifferential compares, on small universes made at random, what smith
// chooses with what dnf and libsolv choose. SMITH_UNIVERSES is how many
// requests are asked (300 where it is not set), SMITH_SEED where they begin:
// the seed of a run is printed, and gives the same universes again.
func TestDifferential(t *testing.T) {
	count, seed := 300, uint64(1)
	for name, to := range map[string]func(uint64){
		"SMITH_UNIVERSES": func(n uint64) { count = int(n) }, "SMITH_SEED": func(n uint64) { seed = n },
	} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 32)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			to(n)
		}
	}
	t.Logf("seed %d", seed)
	j := startJudges(t)
	found := map[string]int{}
	for asked := 0; asked < count && found[unknown] < 10; seed++ {
		u := randomSetting(rand.New(rand.NewPCG(seed, 0)))
		u.compare(t, j, seed, found)
		asked += len(u.requests)
	}
	for _, class := range slices.Sorted(maps.Keys(found)) {
		t.Logf("%5d %s", found[class], class)
	}
}

// judges is the process that asks dnf and libsolv.
type judges struct {
	in  io.Writer
	out *bufio.Scanner
}

func startJudges(t *testing.T) *judges {
	t.Helper()
	if testing.Short() {
		t.Skip("asks dnf and libsolv, which takes a while")
	}
	if err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", "import dnf, solv").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("dnf or python3-solv is not installed (test/install.sh)")
	}
	work := t.TempDir()
	// The judges end when their input does, after the test's context.
	command := exec.CommandContext(context.WithoutCancel(t.Context()), "/usr/bin/python3", "testdata/judges.py", work)
	command.Env = append(os.Environ(), "HOME="+work)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), command.Wait()); err != nil {
			t.Error(err)
		}
	})
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, 16<<20)
	return &judges{in, scanner}
}

// A verdict is the packages that a judge would install, nil for none, or why
// it was not asked.
type verdict struct {
	packages []string
	notAsked string
}

// UnmarshalJSON is json.Unmarshaler's.
func (v *verdict) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, &v.notAsked)
	}
	return json.Unmarshal(data, &v.packages)
}

// ask returns the answers of dnf and, where it was asked, of libsolv.
func (j *judges) ask(t *testing.T, question any) map[string][]verdict {
	t.Helper()
	if err := json.NewEncoder(j.in).Encode(question); err != nil {
		t.Fatal(err)
	}
	if !j.out.Scan() {
		t.Fatalf("the judges have ended: %v", j.out.Err())
	}
	var answers map[string][]verdict
	if err := json.Unmarshal(j.out.Bytes(), &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

// compare asks everybody, and counts the differences by their classes. One
// that has none fails the test.
func (s setting) compare(t *testing.T, j *judges, seed uint64, found map[string]int) {
	t.Helper()
	type place struct {
		Directory string `json:"directory"`
		Priority  int    `json:"priority"`
	}
	dirs, repositories := s.repositories(t)
	var question struct {
		Repositories []place    `json:"repositories"`
		Requests     [][]string `json:"requests"`
		Modules      []string   `json:"modules"`
		Modular      bool       `json:"modular"`
		Weak         bool       `json:"weak"`
	}
	question.Weak, question.Modules = s.recommends, []string{}
	for i, dir := range dirs {
		question.Repositories = append(question.Repositories, place{dir, repositories[i].Priority})
		question.Modular = question.Modular || repositories[i].Modules != nil
	}
	for _, r := range s.requests {
		question.Requests = append(question.Requests, strings.Split(r, " & "))
	}
	for judge, answers := range j.ask(t, question) {
		for i, answer := range answers {
			if answer.notAsked != "" {
				found[judge+": "+answer.notAsked]++
				continue
			}
			theirs := answer.packages
			ours, c := s.answer(t, repositories, s.requests[i])
			class, err := classify(c, ours, theirs)
			if err != nil && s.apart(t, repositories, s.requests[i], ours, theirs) {
				class, err = apart, nil
			}
			if err != nil {
				t.Errorf("seed %d, %s: %v\nsmith %v\n%s %v\n%s", seed, s.requests[i], err, ours, judge, theirs, s)
				found[unknown]++
				continue
			}
			found[judge+": "+class]++
		}
	}
}

// String is the setting, to be tried by hand.
func (s setting) String() string {
	var b strings.Builder
	for i, u := range s.universes {
		fmt.Fprintf(&b, "repository%s\n%s%s", at(s.options, i), u, at(s.modules, i))
	}
	return b.String()
}

// answer returns what smith chooses, nil for nothing, after a check that it
// holds.
func (s setting) answer(t *testing.T, repositories []*Repository, request string) ([]string, *Catalogue) {
	t.Helper()
	c, err := New(t.Context(), repositories, Options{Machine: "x86_64", Recommends: s.recommends})
	if err != nil {
		t.Fatal(err)
	}
	var wanted []resolve.Clause
	for one := range strings.SplitSeq(request, " & ") {
		clauses, err := c.Want(one)
		if err != nil {
			if _, ok := errors.AsType[*UnknownError](err); !ok {
				t.Errorf("%s: %v", request, err)
			}
			return nil, c
		}
		wanted = append(wanted, clauses...)
	}
	solution, err := resolve.Solve(t.Context(), c, wanted, resolve.Options{Minimize: true})
	if err != nil {
		if _, ok := errors.AsType[*resolve.Unsolvable](err); !ok {
			t.Errorf("%s: %v", request, err)
		}
		return nil, c
	}
	return checkClosed(t, c, request, solution), c
}

// The classes of docs/resolution.md.
const (
	same        = "the same"
	compromise  = "another compromise"
	milder      = "a milder compromise"
	harder      = "a larger compromise"
	better      = "a better package"
	fewer       = "fewer packages"
	equal       = "an equal package"
	conditional = "more packages for a condition"
	apart       = "more packages for several requests"
	unknown     = "unknown"
)

// classify names the class of a difference; one that has none is an error.
func classify(c *Catalogue, ours, theirs []string) (string, error) {
	switch {
	case slices.Equal(ours, theirs):
		return same, nil
	case ours == nil:
		return "", errors.New("only smith refuses")
	case theirs == nil:
		return "", errors.New("only smith finds an answer")
	}
	for _, nevra := range theirs {
		if c.exactly(nevra) == nil {
			return "", fmt.Errorf("%s is not available to smith", nevra)
		}
	}
	mine, other := c.lessers(ours), c.lessers(theirs)
	switch {
	case mine > 0 && other > 0:
		return compareCompromises(cmp.Or(cmp.Compare(mine, other), cmp.Compare(len(ours), len(theirs)))), nil
	case other > 0:
		return better, nil
	case len(ours) < len(theirs):
		return fewer, nil
	case slices.ContainsFunc(ours, c.disliked):
		return "", errors.New("only smith takes an old version or an inferior architecture")
	case len(ours) == len(theirs):
		return equal, nil
	}
	if slices.ContainsFunc(ours, c.conditional) {
		return conditional, nil
	}
	return "", errors.New("smith takes more packages")
}

// compareCompromises names the class of two compromises, of which smith's has
// fewer lesser packages or as many of a smaller set, as many of both, or more.
func compareCompromises(order int) string {
	return []string{milder, compromise, harder}[order+1]
}

// apart reports whether smith's larger answer to several requests consists of
// what it answers to each of them without weak dependencies, none of which is
// larger than the judge's answer to all.
func (s setting) apart(t *testing.T, repositories []*Repository, request string, ours, theirs []string) bool {
	t.Helper()
	if ours == nil || theirs == nil || len(ours) <= len(theirs) {
		return false
	}
	s.recommends = false
	rest := slices.Clone(ours)
	for one := range strings.SplitSeq(request, " & ") {
		alone, _ := s.answer(t, repositories, one)
		if len(alone) > len(theirs) || len(alone) == len(ours) {
			return false
		}
		rest = slices.DeleteFunc(rest, func(nevra string) bool { return slices.Contains(alone, nevra) })
	}
	return len(rest) == 0
}

// conditional reports whether the package of a NEVRA has a requirement with a
// condition.
func (c *Catalogue) conditional(nevra string) bool {
	return slices.ContainsFunc(c.exactly(nevra).Requires, func(r relation.Relation) bool {
		return strings.Contains(r.Name, " if ") || strings.Contains(r.Name, " unless ")
	})
}

// lessers returns how many packages of an answer are a lesser choice.
func (c *Catalogue) lessers(answer []string) int {
	return len(answer) - len(slices.DeleteFunc(slices.Clone(answer), c.lesser))
}

// lesser reports whether a better package is on offer than the one of a NEVRA:
// of its name, or one that obsoletes it.
func (c *Catalogue) lesser(nevra string) bool {
	p := c.exactly(nevra)
	ids, _ := c.called(p.Name)
	obsoleting, _ := c.obsoleting(p.Name)
	return slices.ContainsFunc(ids, func(id resolve.ID) bool {
		return c.packages[id].NEVRA() != nevra && (option{offered: c.packages[id], fit: c.packages[id].rank}).compareVersions(option{offered: p, fit: p.rank}) < 0
	}) || slices.ContainsFunc(obsoleting, func(id resolve.ID) bool { return c.packages[id].obsoletes(p.Package) })
}

// disliked reports whether dnf takes the package of a NEVRA last: a better one
// of its name and architecture is on offer, or one of a better architecture.
func (c *Catalogue) disliked(nevra string) bool {
	p := c.exactly(nevra)
	old, _ := c.superseded(p)
	return old || p.rank > 0
}

func (c *Catalogue) exactly(nevra string) *offered {
	ids, _ := c.called(nameOf(nevra))
	for _, id := range ids {
		if c.packages[id].NEVRA() == nevra {
			return c.packages[id]
		}
	}
	return nil
}

// randomSetting makes one or two repositories.
func randomSetting(random *rand.Rand) setting {
	s := setting{options: []string{""}}
	g := generator{Rand: random, multilib: random.IntN(3) == 0, paths: random.IntN(3) == 0, obsoletes: random.IntN(2) == 0, release: 1}
	s.universes = []universe{g.universe()}
	if random.IntN(3) == 0 {
		g.release = 2 // a package of both repositories would be the same one
		s.universes = append(s.universes, g.universe())
		s.options = append(s.options, []string{"", ";priority=50", ";priority=150"}[random.IntN(3)])
	}
	s.recommends = random.IntN(5) == 0
	if random.IntN(5) == 0 {
		s.modules = []string{g.modular(s.universes[0])}
	}
	for range 15 {
		request := g.request()
		if random.IntN(2) == 0 {
			request += " & " + g.request()
		}
		s.requests = append(s.requests, request)
	}
	return s
}

// A generator makes universes.
type generator struct {
	*rand.Rand
	multilib, paths, obsoletes bool
	release                    int
}

// names is how many packages a universe has.
const names = 20

func (g generator) one(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g generator) name() string { return fmt.Sprintf("p%d", g.IntN(names)) }

// capability is what a relation is to: a package, a virtual one, or a path.
func (g generator) capability() string {
	switch n := g.IntN(12); {
	case n < 3:
		return fmt.Sprintf("v%d", g.IntN(6))
	case n == 3 && g.paths:
		return g.path()
	case n == 4 && g.IntN(4) == 0:
		return "none"
	}
	return g.name()
}

func (g generator) path() string {
	return fmt.Sprintf("/%s/f%d", g.one("usr/bin", "usr/share", "etc"), g.IntN(4))
}

func (g generator) relation() string {
	name := g.capability()
	if name[0] != '/' && g.IntN(3) == 0 {
		name += g.one(" < 2", " >= 2", " = 1", " <= 3", " > 1")
	}
	return name
}

func (g generator) rich(depth int) string {
	part := func() string {
		if depth < 2 && g.IntN(4) == 0 {
			return g.rich(depth + 1)
		}
		return g.relation()
	}
	switch g.IntN(7) {
	case 0:
		return "(" + part() + " if " + part() + ")"
	case 1:
		return "(" + part() + " if " + part() + " else " + part() + ")"
	case 2:
		return "(" + g.relation() + " with " + g.relation() + ")"
	case 3:
		return "(" + g.relation() + " without " + g.relation() + ")"
	case 4:
		return "(" + part() + " and " + part() + ")"
	}
	return "(" + part() + " or " + part() + ")"
}

func (g generator) universe() universe {
	var b strings.Builder
	for i := range names {
		for version := 1; version <= 1+g.IntN(3); version++ {
			arches := []string{g.one("x86_64", "x86_64", "noarch")}
			if g.multilib {
				arches = [][]string{{"x86_64"}, {"x86_64", "i686"}, {"i686"}, {"noarch"}}[g.IntN(4)]
			}
			for _, arch := range arches {
				fmt.Fprintf(&b, "p%d-%d-%d.%s", i, version, g.release, arch)
				for range g.IntN(4) {
					b.WriteString(" " + g.property() + ";")
				}
				b.WriteByte('\n')
			}
		}
	}
	return universe(b.String())
}

// modular puts some packages of a universe into modules, of which some are on
// by default. TestPolicy has modules that need modules.
func (g generator) modular(u universe) string {
	var b strings.Builder
	streams := map[string]string{} // the last one of each module
	for i, p := range u.packages() {
		if g.IntN(6) > 0 {
			continue
		}
		name := g.one("m0", "m1", "m2")
		streams[name] = g.one("1", "2")
		b.WriteString(moduleText(name, streams[name], 1+i, "a", "", p.NEVRA()))
	}
	for _, name := range slices.Sorted(maps.Keys(streams)) {
		if g.IntN(2) == 0 {
			fmt.Fprintf(&b, "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: %s\n  stream: \"%s\"\n", name, streams[name])
		}
	}
	return b.String()
}

// property is one thing that a package says of itself.
func (g generator) property() string {
	switch n := g.IntN(16); {
	case n == 0:
		return "conflicts " + g.relation()
	case n == 1 && g.obsoletes:
		return "obsoletes " + fmt.Sprintf("p%d", g.IntN(names)) + g.one("", " < 2", " < 3")
	case n == 2 || n == 3:
		return fmt.Sprintf("provides v%d", g.IntN(6)) + g.one("", " = 1", " = 2", " = 3")
	case n == 4 || n == 5:
		return "requires " + g.rich(0)
	case n == 6 && g.paths:
		return g.one("file /usr/bin/f", "file /etc/f", "listed /usr/share/f", "directory /usr/share/f", "provides /usr/share/f", "provides /usr/bin/f") + strconv.Itoa(g.IntN(4))
	case n == 7:
		return g.one("recommends ", "suggests ", "supplements ") + g.relation()
	case n == 8 && g.IntN(3) == 0:
		// rpmbuild refuses "if" in conflicts.
		return "conflicts " + strings.ReplaceAll(g.rich(1), " if ", " unless ")
	}
	return "requires " + g.relation()
}

// request is usually a name.
func (g generator) request() string {
	switch g.IntN(12) {
	case 0:
		return fmt.Sprintf("v%d", g.IntN(6))
	case 1:
		return g.name() + g.one(".x86_64", ".i686", ".noarch")
	}
	return g.name()
}
