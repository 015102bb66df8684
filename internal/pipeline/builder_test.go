package pipeline

import (
	"context"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/event"
	"smith/internal/smithfile"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// doubtful is a source whose first offer was made from a list that is wrong.
type doubtful struct{ offers, doubts int }

func (d *doubtful) Open(_ context.Context, platform ocispec.Platform) (*source.Offer, error) {
	d.offers++
	name := "/opt/listed"
	if d.doubts > 0 {
		name = "/opt/held"
	}
	t := tree.New()
	return &source.Offer{Tree: t, Platform: platform}, t.Insert(name, tree.NewFile([]byte("text"), 0o644))
}

func (d *doubtful) Doubt() string {
	d.doubts++
	if d.doubts > 1 {
		return ""
	}
	return "the list does not fit"
}

// notes keeps notes.
type notes struct {
	event.Silent
	all []string
}

func (n *notes) Note(text string) { n.all = append(n.all, text) }

// An image that a wrong list had a say in is made again without it.
func TestWrongList(t *testing.T) {
	st := storetest.New(t)
	s, err := smithfile.Decode("smith.yaml", []byte("type: host\npaths: [/opt/*]\n"))
	if err != nil {
		t.Fatal(err)
	}
	told, from := &notes{}, &doubtful{}
	b := &Builder{Store: st, Events: told}
	var open closers
	built, err := b.image(t.Context(), &open, Request{Spec: s, SpecName: "smith.yaml"}, &sources{pkg: from}, thisMachine())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(built.Record.Files, func(f record.File) bool { return f.Path == "/opt/held" }) {
		t.Errorf("the image holds %v", built.Record.Files)
	}
	if want := "the list does not fit: all packages are opened instead"; from.offers != 2 || !slices.Contains(told.all, want) {
		t.Errorf("%d offers, %q", from.offers, told.all)
	}
}
