package nearest

import (
	"slices"
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abcd", "badc", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
		if distance(c.a, c.b) != distance(c.b, c.a) {
			t.Errorf("%q and %q: not the same both ways", c.a, c.b)
		}
	}
}

func TestWords(t *testing.T) {
	known := []string{"nginx", "nginx-light", "nginx-full", "ngircd", "redis", "python3", "python3-dev"}
	for word, want := range map[string]string{
		"ngnix": "nginx", "nginxx": "nginx", "nginx": "nginx nginx-light nginx-full", "python": "python3 python3-dev",
		"zzzzzz": "", "": "", "rediss": "redis",
	} {
		if got := strings.Join(Words(word, slices.Values(known), 3), " "); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
	if got := Hint("ngnix", slices.Values(known)); got != "; did you mean nginx?" {
		t.Error(got)
	}
}
