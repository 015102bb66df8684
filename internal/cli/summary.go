package cli

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"smith/internal/enumerate"
	"smith/internal/event"
	"smith/internal/explain"
	"smith/internal/oci/image"
	"smith/internal/pipeline"
	"smith/internal/size"
	"smith/record"
)

// summarise describes what was built, in at most ten rows.
func (b *buildCommand) summarise(request pipeline.Request, r *pipeline.Result, d *display, took time.Duration) {
	paint, width := painted(b.stdout), columns(b.stdout)
	fmt.Fprintf(b.stdout, "%s  %s\n", paint.strong(b.image), r.Digest)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b.stdout, "  %s%s\n", paint.quiet(fmt.Sprintf("%-*s", hang-len("  "), name)), wrapText(value, width))
		}
	}
	if r.Written != nil {
		row("registry", transfers(r.Written))
	}
	shownFirst := r.Images
	if len(shownFirst) > mostPlatforms {
		shownFirst = shownFirst[:mostPlatforms-1]
	}
	for _, built := range shownFirst {
		row("image", measured(built))
	}
	if more := len(r.Images) - len(shownFirst); more > 0 {
		row("image", fmt.Sprintf("and %d more platforms", more))
	}
	debugged(r, row)
	first := r.Images[0]
	row("heaviest", heaviest(first.Record))
	row("beside", besideProgram(first))
	row("excluded", excluded(r.Images))
	row("suspects", suspected(r.Images))
	if n := len(d.warnings); n > 0 {
		row("warnings", fmt.Sprintf("%d, see above", n))
	}
	row("time", fmt.Sprintf("%s; %s", inWords(took), d.worked()))
	row("next", next(shown(request.Target), first))
}

// debugged describes the images with debug information, where there are any.
func debugged(r *pipeline.Result, row func(name, value string)) {
	if r.Debug == nil {
		return
	}
	var with []string
	for _, b := range r.Images {
		if d := b.Debug; d != nil {
			with = append(with, fmt.Sprintf("%s, %s compressed, %s unpacked, %s", image.PlatformName(b.Platform),
				size.Format(d.Image.LayersSize()-b.Image.LayersSize()), size.Format(d.Unpacked), count(d.Files, "file")))
		}
	}
	row("debug", fmt.Sprintf("%s  %s: %s", shown(r.Debug.Target), r.Debug.Digest, strings.Join(with, "; ")))
	if r.Debug.Written != nil {
		row("registry", transfers(r.Debug.Written))
	}
}

// next names commands that the user may want to run now.
func next(name string, b pipeline.Built) string {
	commands := fmt.Sprintf("smith report %s, smith why %[1]s PATH", name)
	if len(image.Program(b.Image.Config.Config.ImageConfig)) > 0 {
		commands = "smith run " + name + ", " + commands
	}
	return commands
}

// mostPlatforms bounds the lines for the images of several platforms.
const mostPlatforms = 3

// measured describes the size of an image.
func measured(b pipeline.Built) string {
	files := count(b.Files, "file")
	if n := len(b.Record.Packages()); n > 0 {
		files += " of " + count(n, "package")
	}
	runs := ""
	if words := image.Program(b.Image.Config.Config.ImageConfig); len(words) > 0 {
		runs = ", runs " + words[0]
	}
	return fmt.Sprintf("%s, %s compressed in %s, %s unpacked, %s%s", image.PlatformName(b.Platform),
		size.Format(b.Image.LayersSize()), count(len(b.Image.Layers), "layer"), size.Format(b.Unpacked), files, runs)
}

// inWords formats a duration for a reader.
func inWords(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// excluded names what something in the images needs and excludes leaves out.
func excluded(images []pipeline.Built) string {
	var names []string
	for _, b := range images {
		for _, f := range b.Record.Excluded {
			if name := path.Base(f.Name); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "left out although something needs it: " + enumerate.Brief(names, mostSuspects)
}

// mostSuspects is how many suspects are named.
const mostSuspects = 6

// suspected names what the images lack and something may load, "" if there is
// nothing: bundles first, which are needed more often than modules.
func suspected(images []pipeline.Built) string {
	var names []string
	for _, b := range images {
		for _, f := range b.Record.Suspects {
			if name := path.Base(f.Name); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return strings.Count(b, "bundles: ") - strings.Count(a, "bundles: ")
	})
	return fmt.Sprintf("%d files that something may load are not in the image: %s (see smith inspect)", len(names), enumerate.Brief(names, mostSuspects))
}

// mostHeavy is how many packages are named.
const mostHeavy = 5

// heaviest names the packages that make up most of the image, "" if it is not
// made from packages.
func heaviest(r *record.Record) string {
	packs := r.Packages()
	if len(packs) == 0 {
		return ""
	}
	var list []string
	for _, p := range packs[:min(mostHeavy, len(packs))] {
		list = append(list, p.Name+" "+size.Format(p.Size))
	}
	return strings.Join(list, ", ")
}

// mostAskers is how many files are named that need what the program does not.
const mostAskers = 2

// besideProgram names what makes up a quarter of an image or more and is not
// needed by its program, "" if there is no such thing.
func besideProgram(built pipeline.Built) string {
	part := explain.HeaviestAside(built.Record, built.Program)
	if part == nil || part.Bytes < built.Unpacked/4 {
		return ""
	}
	return fmt.Sprintf("%s come with %s, which %s does not need but %s (list them under excludes to leave them out)",
		size.Format(part.Bytes), part.Path, path.Base(built.Program), enumerate.Brief(part.For, mostAskers))
}

// worked says what a command had to fetch, open and pack; what is not counted
// was in the cache.
func (d *display) worked() string {
	past := map[event.Stage]string{event.Fetch: "fetched", event.Open: "opened", event.Pack: "packed"}
	var done []string
	for _, stage := range event.Stages() {
		if n := d.work[stage]; n > 0 && past[stage] != "" {
			done = append(done, past[stage]+" "+count(n, unit(stage)))
		}
	}
	if len(done) == 0 {
		return "everything was in the cache"
	}
	return strings.Join(done, ", ")
}
