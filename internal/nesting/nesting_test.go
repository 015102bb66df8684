package nesting

import (
	"strings"
	"testing"
)

func TestExceeds(t *testing.T) {
	g := Grammar{Characters: "({", Words: []string{"if", "while"}, Limit: 3}
	for text, want := range map[string]bool{
		"": false, "(((": false, "((((": true, "()()()": false, "()()()()": true, "if if if": false, "if while if while": true,
		"ifs whiles _if if_ elif": false, "if(if{": true, "'(' # (\n((": true,
	} {
		if got := g.Exceeds(text); got != want {
			t.Errorf("Exceeds(%q) = %v, want %v", text, got, want)
		}
	}
	if !g.Exceeds(strings.Repeat("x(", 1<<20)) {
		t.Error("a long text with many brackets is allowed")
	}
}
