package enumerate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/enumerate"
)

func TestEnumerate(t *testing.T) {
	for _, c := range []struct {
		names           []string
		brief, sentence string
	}{
		{nil, "", ""},
		{[]string{"a"}, "a", "a"},
		{[]string{"a", "b"}, "a, b", "a and b"},
		{[]string{"a", "b", "c"}, "a, b, 1 more", "a, b and 1 more"},
	} {
		if diff := cmp.Diff([]string{c.brief, c.sentence}, []string{enumerate.Brief(c.names, 2), enumerate.Sentence(c.names, 2)}); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.names, diff)
		}
	}
}
