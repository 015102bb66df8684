package relation

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"1.0", "1.0", 0},
		{"1.0", "2.0", -1},
		{"1.10", "1.9", 1},
		{"1.010", "1.10", 0},
		{"1.0a", "1.0", 1},
		{"1.0.a", "1.0.1", -1},
		{"1_0", "1.0", 0},
		{"1.0.", "1.0", 0},
		{"1.0~rc1", "1.0", -1},
		{"1.0~rc1", "1.0~rc2", -1},
		{"1.0^git1", "1.0", 1},
		{"1.0^git1", "1.0.1", -1},
		{"1.0^git1~pre", "1.0^git1", -1},
		{"", "1", -1},
		{"~", "", -1},
		{"^", "", 1},
		{"999999999999999999999999", "1000000000000000000000000", -1},
	}
	for _, tt := range tests {
		if got := Compare(tt.a, tt.b); got != tt.want {
			t.Errorf("Compare(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := Compare(tt.b, tt.a); got != -tt.want {
			t.Errorf("Compare(%q, %q) = %d, want %d", tt.b, tt.a, got, -tt.want)
		}
	}
}

// versions makes up versions that have much in common.
func versions(n int) []string {
	parts := []string{"1", "01", "10", "2", "a", "b", "rc", "A", ".", "..", "_", "+", "~", "^", "9", "el9"}
	random := rand.New(rand.NewPCG(1, 2)) // the same in each run
	list := make([]string, n)
	for i := range list {
		text := func() string {
			var b strings.Builder
			for range 1 + random.IntN(5) {
				b.WriteString(parts[random.IntN(len(parts))])
			}
			return b.String()
		}
		list[i] = text()
		if random.IntN(2) == 0 {
			list[i] += "-" + text()
		}
		if random.IntN(4) == 0 {
			list[i] = fmt.Sprintf("%d:%s", random.IntN(3), list[i])
		}
	}
	return list
}

// TestComparesAsRPMDoes asks rpm about twenty thousand pairs in one process.
func TestComparesAsRPMDoes(t *testing.T) {
	rpm, err := exec.LookPath("rpm")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("rpm is not installed (test/install.sh)")
	}
	list := versions(20_001)
	file := filepath.Join(t.TempDir(), "versions")
	if err := os.WriteFile(file, []byte(strings.Join(list, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := `%{lua: local last; for v in io.lines("` + file + `") do if last then print(rpm.vercmp(last, v).."\n") end; last = v end}`
	out, err := exec.CommandContext(t.Context(), rpm, "--eval", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := strings.Fields(string(out))
	if len(answers) != len(list)-1 {
		t.Fatalf("%d answers to %d questions", len(answers), len(list)-1)
	}
	for i, want := range answers {
		if got := fmt.Sprint(ParseEVR(list[i]).Compare(ParseEVR(list[i+1]))); got != want {
			t.Errorf("%s and %s: %s, rpm says %s", list[i], list[i+1], got, want)
		}
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		relation, provided string
		want               bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a", "a = 1-1", true},
		{"a = 1", "a", true},
		{"a = 1", "a = 1-7", true},
		{"a = 1-6", "a = 1-7", false},
		{"a >= 1", "a = 1-7", true},
		{"a > 1", "a = 1-7", false},
		{"a < 1-8", "a = 1-7", true},
		{"a <= 1", "a = 1-7", true},
		{"a >= 1:0", "a = 9", false},
		{"a >= 2", "a < 3", true},
		{"a > 3", "a < 3", false},
		{"a >= 3", "a <= 3", true},
		{"a = 1~rc1", "a < 1", true},
		{"a = 1", "a < 1-7", true},
		{"a < 1", "a = 1-7", false},
		{"a > 1-5", "a <= 1", true},
	}
	for _, tt := range tests {
		relation, ok := Parse(tt.relation)
		provided, ok2 := Parse(tt.provided)
		if !ok || !ok2 {
			t.Fatal(tt)
		}
		if got := relation.Matches(provided); got != tt.want {
			t.Errorf("%q matches %q: %t", tt.relation, tt.provided, got)
		}
	}
}

func TestParseRich(t *testing.T) {
	for text, want := range map[string]string{
		"(a)":                            "a",
		"(a or b)":                       "(a or b)",
		"(a >= 1-2 and b or c)":          "!",
		"( a >= 1:1-2  and b )":          "(a >= 1:1-2 and b)",
		"(libc.so.6()(64bit) if b)":      "(libc.so.6()(64bit) if b)",
		"(a if b = 1 else (c or (d)))":   "(a if b = 1 else (c or d))",
		"(a unless (b with c) else d)":   "(a unless (b with c) else d)",
		"(a without b)":                  "(a without b)",
		"(a or b or c)":                  "(a or b or c)",
		"(a if b if c)":                  "!",
		"(a else b)":                     "!",
		"(a if b else c else d)":         "!",
		"(a or b":                        "!",
		"(a or b) c":                     "!",
		"()":                             "!",
		"(a or)":                         "!",
		"(a >= )":                        "!",
		"(a xor b)":                      "!",
		strings.Repeat("(", 40):          "!",
		"(a without b without c)":        "!",
		"(config(a) = 1 or perl(B::C))":  "(config(a) = 1 or perl(B::C))",
		"(a\tand\tb)":                    "(a and b)",
		"(a and b and (c if d) and e<1)": "(a and b and (c if d) and e<1)",
	} {
		r, err := ParseRich(text)
		got := "!"
		if err == nil {
			got = r.String()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
}

func FuzzParseRich(f *testing.F) {
	f.Add("(a if b = 1 else (c or (d)))")
	f.Add("(libc.so.6()(64bit) unless b with c)")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRich(text)
		if err != nil {
			return
		}
		if r.Verb == "" {
			return
		}
		again, err := ParseRich(r.String())
		if err != nil || again.String() != r.String() {
			t.Errorf("%q is %q is %q: %v", text, r, again, err)
		}
	})
}

func FuzzCompare(f *testing.F) {
	f.Add("1.0~rc1", "1.0^git")
	f.Fuzz(func(t *testing.T, a, b string) {
		if Compare(a, b) != -Compare(b, a) || Compare(a, a) != 0 {
			t.Errorf("%q and %q have no order", a, b)
		}
	})
}
