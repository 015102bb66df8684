package tree

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"

	"smith/internal/golden"
)

// Whatever a pattern asks for, the work that it makes is bounded.
func TestGlobWork(t *testing.T) {
	deep := New()
	if err := deep.Insert(strings.Repeat("/a", 1000), NewFile(nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	paths, err := deep.glob("/**/a/**/a/**/a/**/a/**/none", 100_000)
	if err != nil || len(paths) > 0 {
		t.Errorf("%v, %v", paths, err)
	}
	name := strings.Repeat("/a", 2000)
	for pattern, want := range map[string]bool{
		strings.Repeat("{,}", 30) + "/a":                    false,
		"/**/**/**/**/b":                                    false,
		"/**/a/**/a/**/a/**/a":                              true,
		"/" + strings.Repeat("**/a/", 40) + "b":             false,
		"/" + strings.Repeat("{**,a}/", 10) + "c":           false,
		"/**/" + strings.Repeat("[ab]*", 10) + "{a,b,c}/**": false,
	} {
		if got := Match(pattern, name); got != want {
			t.Errorf("%.40s: %t", pattern, got)
		}
	}
	loops := New()
	for i := range 60 {
		if err := loops.Insert(fmt.Sprintf("/l%d", i), &Node{Kind: Symlink, Link: "/"}); err != nil {
			t.Fatal(err)
		}
	}
	texts := golden.New(t)
	_, err = loops.glob("/*/*/*/*/*/*/x", 100_000)
	texts.Error("links multiply", err)
	_, err = loops.Glob("/" + strings.Repeat("{,}", 30))
	texts.Error("braces multiply", err)
}

// Match is as doublestar's, which is the judge for patterns small enough for it.
func TestMatchAsDoublestar(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func(list []string, most int) string {
		var parts []string
		for range 1 + random.IntN(most) {
			parts = append(parts, list[random.IntN(len(list))])
		}
		return strings.Join(parts, "/")
	}
	for range 20000 {
		pattern := word([]string{"a", "b", "*", "**", "a*", "?", "[ab]", "{a,b}", "{a/b,c}", "*b"}, 5)
		name := word([]string{"a", "b", "ab", "c"}, 5)
		want, err := doublestar.Match(pattern, name)
		if err != nil {
			t.Fatal(err)
		}
		// Before a "**" at the end, doublestar wants the directory spelled out.
		if got := Match("/"+pattern, "/"+name); got != want && (want || !strings.HasSuffix(pattern, "**")) {
			t.Errorf("%s, %s: %t", pattern, name, got)
		}
	}
}
