package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/enumerate"
	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/reference"
	"smith/internal/size"
	"smith/record"
)

// checkBudget refuses images that hold more than the spec allows, and tells
// what grew since the image that stands at the target.
func (b *Builder) checkBudget(ctx context.Context, r Request, images []Built) error {
	if r.Spec.Budget == nil {
		return nil
	}
	var failed []error
	for _, built := range images {
		over, err := overBudget(r, built)
		if err != nil {
			return err
		}
		if len(over) == 0 {
			continue
		}
		text := fmt.Sprintf("%s: the image of %s exceeds its budget: %s", r.place("budget", -1), image.PlatformName(built.Platform), strings.Join(over, "; "))
		for _, line := range grown(b.previous(ctx, r, built.Platform), built.Record) {
			text += "\n  " + line
		}
		failed = append(failed, errors.New(text))
	}
	return errors.Join(failed...)
}

// overBudget names what an image has too much of.
func overBudget(r Request, b Built) ([]string, error) {
	var over []string
	budget := r.Spec.Budget
	if budget.Size != "" {
		most, err := size.Parse(budget.Size)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.place("budget.size", -1), err)
		}
		if layers := b.Image.LayersSize(); layers > most {
			over = append(over, fmt.Sprintf("its layers take %s, %s are allowed", size.Format(layers), budget.Size))
		}
	}
	count := func(n, most int, things string) {
		if most > 0 && n > most {
			over = append(over, fmt.Sprintf("it holds %d %s, %d are allowed", n, things, most))
		}
	}
	count(b.Files, budget.Files, "files, links and folders")
	count(len(b.Record.Packages()), budget.Packages, "packages")
	return over, nil
}

// previous returns the record of the image that stands at the target, nil
// where there is none that can be read: it only serves to explain.
func (b *Builder) previous(ctx context.Context, r Request, platform ocispec.Platform) *record.Record {
	if r.Target.Kind != reference.Archive && r.Target.Kind != reference.Layout {
		return nil
	}
	quiet := *b
	quiet.Events = event.Silent{}
	offer, err := quiet.files(r, r.Target, record.KindImage).Open(ctx, platform)
	if err != nil {
		return nil
	}
	defer func() { _ = offer.Close() }() // it was only read
	data, err := offer.Image.Attachment(ctx, image.MediaTypeRecord)
	if data == nil || err != nil {
		return nil
	}
	before, err := record.Decode(data)
	if err != nil {
		return nil
	}
	return before
}

// mostGrown is how many files are named that grew.
const mostGrown = 5

// grown names the packages that came with a build and the files that it added
// or enlarged, the largest first; where nothing grew since the build before, or
// there was none, the largest files.
func grown(before, after *record.Record) []string {
	old := map[string]int64{}
	if before != nil {
		for _, f := range before.Files {
			old[f.Path] = f.Size
		}
	}
	lines := newPackages(before, after)
	if before != nil {
		lines = append(lines, largest(after, old, "since the last build: +")...)
	}
	if len(lines) == 0 {
		lines = largest(after, nil, "the largest: ")
	}
	return lines
}

// newPackages names the packages that the last build had not.
func newPackages(before, after *record.Record) []string {
	if before == nil {
		return nil
	}
	old := map[string]bool{}
	for _, p := range before.Packages() {
		old[p.Name] = true
	}
	var names []string
	for _, p := range after.Packages() {
		if !old[p.Name] {
			names = append(names, p.Name+" "+size.Format(p.Size))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{"packages since the last build: " + enumerate.Brief(names, mostGrown)}
}

// largest names the files that are the most larger than the old ones.
func largest(after *record.Record, old map[string]int64, title string) []string {
	files := slices.SortedFunc(slices.Values(after.Files), func(a, b record.File) int {
		return cmp.Or(cmp.Compare(b.Size-old[b.Path], a.Size-old[a.Path]), strings.Compare(a.Path, b.Path))
	})
	var lines []string
	for _, f := range files[:min(mostGrown, len(files))] {
		if more := f.Size - old[f.Path]; more > 0 {
			lines = append(lines, title+size.Format(more)+"  "+f.Path+why(f))
		}
	}
	return lines
}

func why(f record.File) string {
	if len(f.Reasons) == 0 {
		return ""
	}
	r := f.Reasons[0]
	text := r.Detail
	if text == "" {
		text = string(r.Rule)
	}
	if r.From != "" {
		text += ", for " + r.From
	}
	return " (" + text + ")"
}
