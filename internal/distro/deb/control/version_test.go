package control_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"smith/internal/distro/deb/control"
)

// ordered lists versions from the oldest to the newest; those on one line are
// equal.
var ordered = []string{
	"0~~", "0~~a", "0~", "0 00 0:0 0-0 0-", "0-1", "0a", "0+",
	"1.0~beta1~svn1245", "1.0~beta1", "1.0 1.0-0 0:1.0 1.00", "1.0-1~bpo12+1", "1.0-1", "1.0-1+b1",
	"1.0-1.1", "1.0-2", "1.0-10", "1.0a", "1.0b", "1.0+dfsg", "1.0.1", "1.2.3-1ubuntu1", "1.2.3-1ubuntu1.1",
	"2:0.1", "2:1.2.3-4-5", "10:0",
	"10:99999999999999999999999999", "10:100000000000000000000000000",
}

func TestVersionsAreOrdered(t *testing.T) {
	for i, a := range ordered {
		for j, b := range ordered {
			for a := range strings.FieldsSeq(a) {
				for b := range strings.FieldsSeq(b) {
					if got, want := sign(control.CompareVersions(a, b)), cmp.Compare(i, j); got != want {
						t.Errorf("compare %s with %s: got %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
}

// dpkg is asked whether it orders ten thousand pairs as we do.
func TestDpkgOrdersVersionsTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("asks dpkg 10,000 times")
	}
	t.Parallel()
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("there is no dpkg on this machine")
	}
	random := rand.New(rand.NewPCG(1, 2))
	var input strings.Builder
	for range 10000 {
		a, b := randomPair(random)
		relation := []string{"lt", "eq", "gt"}[sign(control.CompareVersions(a, b))+1]
		fmt.Fprintln(&input, a, relation, b)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c",
		`while read -r a relation b; do dpkg --compare-versions "$a" $relation "$b" || echo "$a $relation $b"; done`)
	shell.Stdin = strings.NewReader(input.String())
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		t.Errorf("dpkg says otherwise: %s", line)
	}
}

// randomPair returns two versions that are alike more often than chance
// would have it.
func randomPair(random *rand.Rand) (a, b string) {
	pieces := []string{"0", "1", "2", "9", "10", "00", "01", ".", ".", "~", "+", "-", "a", "b", "Z", "~rc1", "+dfsg", "+deb12u", "ubuntu", "~bpo"}
	var common []string
	for range 1 + random.IntN(6) {
		common = append(common, pieces[random.IntN(len(pieces))])
	}
	form := func() string {
		own := slices.Clone(common)
		for range random.IntN(3) {
			own[random.IntN(len(own))] = pieces[random.IntN(len(pieces))]
		}
		// A version begins with a digit, and does not end in the dash of an
		// empty revision.
		version := fmt.Sprint(random.IntN(3)) + strings.TrimRight(strings.Join(own, ""), "-")
		if random.IntN(4) == 0 {
			version = fmt.Sprint(random.IntN(3), ":") + version
		}
		return version
	}
	return form(), form()
}

func sign(n int) int { return cmp.Compare(n, 0) }

func FuzzCompareVersions(f *testing.F) {
	for i, v := range ordered {
		f.Add(v, ordered[(i+1)%len(ordered)], ordered[(i+5)%len(ordered)])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab, bc, ac := sign(control.CompareVersions(a, b)), sign(control.CompareVersions(b, c)), sign(control.CompareVersions(a, c))
		if control.CompareVersions(a, a) != 0 {
			t.Errorf("%q is not equal to itself", a)
		}
		if ba := sign(control.CompareVersions(b, a)); ba != -ab {
			t.Errorf("%q and %q: %d one way and %d the other", a, b, ab, ba)
		}
		if ab == bc && ac != ab || ab == 0 && ac != bc {
			t.Errorf("%q, %q, %q: no order", a, b, c)
		}
	})
}
