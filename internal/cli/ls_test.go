package cli

import (
	"testing"
	"time"

	"smith/internal/golden"
	"smith/internal/tree"
)

// A directory that no entry of a layer lists has no date.
func TestTarLine(t *testing.T) {
	texts := golden.New(t)
	root := tree.New()
	for name, n := range map[string]*tree.Node{
		"/implied": {Kind: tree.Dir, Mode: 0o755},
		"/listed":  {Kind: tree.Dir, Mode: 0o755, ModTime: time.Unix(0, 0)},
	} {
		if err := root.Insert(name, n); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"/implied", "/listed"} {
		at, err := root.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		texts.Add(name, tarLine(at.Node, ""))
	}
}
