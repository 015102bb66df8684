//go:build unix

package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParsePeers(t *testing.T) {
	for list, want := range map[string][]peer{
		"":                      {},
		"copy=cp {image} {out}": {{"copy", "cp {image} {out}"}},
		"a=x --y=z; b=true;":    {{"a", "x --y=z"}, {"b", "true"}},
		" a = true ; b=x":       {{"a", "true"}, {"b", "x"}},
	} {
		got, err := parsePeers(list)
		if err != nil {
			t.Errorf("parsePeers(%q): %v", list, err)
		}
		if diff := cmp.Diff(want, append([]peer{}, got...), cmp.AllowUnexported(peer{})); diff != "" {
			t.Errorf("parsePeers(%q) (-want +got):\n%s", list, diff)
		}
	}
	for _, list := range []string{"copy", "=cp", "copy= "} {
		if got, err := parsePeers(list); err == nil {
			t.Errorf("parsePeers(%q) = %v, want an error", list, got)
		}
	}
}

func TestMedian(t *testing.T) {
	got := median([]sample{{3 * time.Second, 2, 10}, {1 * time.Second, 4, 30}, {2 * time.Second, 3, 20}})
	if want := (sample{2 * time.Second, 3, 30}); got != want {
		t.Errorf("median = %v, want %v", got, want)
	}
}

func TestMeasureTellsMemory(t *testing.T) {
	// A program that holds 64 MiB at once has at least that peak.
	s, err := shell(t.Context(), `x=$(head -c 67108864 /dev/zero | tr '\0' x); echo "${#x}" >/dev/null`)
	if err != nil {
		t.Fatal(err)
	}
	if s.peak < 64<<20 || s.peak > 4<<30 {
		t.Errorf("peak = %d bytes, want some 64 MiB", s.peak)
	}
	if _, err := shell(t.Context(), "echo reason >&2; exit 3"); err == nil {
		t.Error("a program that failed was measured")
	}
}
