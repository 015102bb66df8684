package relation

import "testing"

// What is said of rich dependencies that cannot be read.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"(a or b) c":            "rich dependency \"(a or b) c\": \" c\" follows its end",
		"a":                     "rich dependency \"a\": it does not begin with a parenthesis",
		"(a or )":               "rich dependency \"(a or )\": a name is missing",
		"(a b)":                 "rich dependency \"(a b)\": \"b\" where a verb should stand",
		"(a and b or c)":        "rich dependency \"(a and b or c)\": \"or\" follows \"and\" without parentheses",
		"(a with b with c) and": "rich dependency \"(a with b with c) and\": \" and\" follows its end",
		"(a":                    "rich dependency \"(a\": a name is missing",
		"(a >= )":               "rich dependency \"(a >= )\": the version of a is missing",
		"((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a or b)": "rich dependency \"((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a or b)\": more than 32 parentheses in each other",
	} {
		if _, err := ParseRich(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
