package event

import (
	"strings"
	"testing"
)

// Every stage has a word of its own, and no number beside them is a stage.
func TestStages(t *testing.T) {
	seen := map[string]bool{}
	for i, s := range Stages() {
		if int(s) != i+1 || seen[s.String()] || !strings.HasSuffix(s.String(), "ing") {
			t.Errorf("stage %d is %q", s, s)
		}
		seen[s.String()] = true
	}
	if s := Stage(len(Stages()) + 1); s.String() != "unknown stage" {
		t.Errorf("Stages lacks %q", s)
	}
}
