package cli

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"smith/internal/build"
	"smith/internal/explain"
	"smith/internal/image"
	"smith/internal/record"
	"smith/internal/size"
)

// summarise tells what was built, in ten lines at most for one platform.
func (b *buildCommand) summarise(o build.Options, r *build.Result, d *display, took time.Duration) {
	fmt.Fprintf(b.stdout, "%s  %s\n", b.image, r.Digest)
	if r.Written != nil {
		fmt.Fprintf(b.stdout, "  %s\n", transfers(r.Written))
	}
	if r.Debug != nil {
		fmt.Fprintf(b.stdout, "%s  %s\n", shown(r.Debug.Target), r.Debug.Digest)
		if r.Debug.Written != nil {
			fmt.Fprintf(b.stdout, "  %s\n", transfers(r.Debug.Written))
		}
	}
	var suspects []record.Finding
	for _, built := range r.Images {
		fmt.Fprintf(b.stdout, "  %s  %d files, %s, compressed %s in %s\n", image.PlatformName(built.Platform),
			built.Files, size.Format(built.Unpacked), size.Format(built.Image.LayersSize()), count(len(built.Image.Layers), "layer"))
		if d := built.Debug; d != nil {
			fmt.Fprintf(b.stdout, "  debug information: %d files, %s, compressed %s\n", d.Files, size.Format(d.Unpacked),
				size.Format(d.Image.LayersSize()-built.Image.LayersSize()))
		}
		if line := heaviest(built.Record); line != "" {
			fmt.Fprintf(b.stdout, "  %s\n", line)
		}
		if line := besideProgram(built); line != "" {
			fmt.Fprintf(b.stdout, "  %s\n", line)
		}
		if len(built.Record.Suspects) > len(suspects) {
			suspects = built.Record.Suspects
		}
	}
	if len(suspects) > 0 {
		fmt.Fprintf(b.stdout, "  %s\n", suspected(suspects))
	}
	if n := len(d.warnings); n > 0 {
		fmt.Fprintf(b.stdout, "  %s\n", count(n, "warning"))
	}
	fmt.Fprintf(b.stdout, "  in %s, %s\n", took.Round(time.Millisecond), d.worked())
	fmt.Fprintf(b.stdout, "  look into it: smith ls %s; try it: smith run %[1]s\n", shown(o.Target))
}

// mostSuspects is how many suspects are named.
const mostSuspects = 6

// suspected names what the image does not hold and something may load: the
// bundles first, which are wanted more often than modules are.
func suspected(suspects []record.Finding) string {
	var names []string
	for _, f := range suspects {
		if name := path.Base(f.Name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return strings.Count(b, "bundles: ") - strings.Count(a, "bundles: ")
	})
	total := count(len(names), "suspect")
	if more := len(names) - mostSuspects; more > 0 {
		names = append(names[:mostSuspects], fmt.Sprintf("%d more", more))
	}
	return total + " that something may load, not kept: " + strings.Join(names, ", ") + " (smith inspect says who)"
}

// mostHeavy is how many packages are named.
const mostHeavy = 5

// heaviest names the packages that the image's size comes from, "" where it is
// not made from packages.
func heaviest(r *record.Record) string {
	packs := r.Packages()
	if len(packs) == 0 {
		return ""
	}
	var list []string
	for _, p := range packs[:min(mostHeavy, len(packs))] {
		name, _, _ := strings.Cut(p.Name, " ")
		list = append(list, name+" "+size.Format(p.Size))
	}
	return count(len(packs), "package") + ", the heaviest: " + strings.Join(list, ", ")
}

// mostAskers is how many files are named that need what the program does not.
const mostAskers = 2

// besideProgram names what makes up a quarter of an image or more, and that
// its program does not lead to, "" where there is no such thing.
func besideProgram(built build.Built) string {
	program := programOf(built)
	part := explain.HeaviestAside(built.Record, program)
	if part == nil || part.Bytes < built.Unpacked/4 {
		return ""
	}
	askers := part.For
	if more := len(askers) - mostAskers; more > 0 {
		askers = append(askers[:mostAskers:mostAskers], fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("%s come with %s, not for %s but for %s (the key excludes leaves them out)",
		size.Format(part.Bytes), part.Path, path.Base(program), strings.Join(askers, ", "))
}

// programOf returns the path of the program that an image runs, "" where it
// runs none that the build brought.
func programOf(built build.Built) string {
	config := built.Image.Config.Config
	words := image.Program(config.ImageConfig)
	if len(words) == 0 {
		return ""
	}
	dirs := []string{config.WorkingDir}
	if !strings.Contains(words[0], "/") {
		for _, e := range config.Env {
			if list, ok := strings.CutPrefix(e, "PATH="); ok {
				dirs = strings.Split(list, ":")
			}
		}
	}
	for _, dir := range dirs {
		at := path.Join("/", dir, words[0])
		if path.IsAbs(words[0]) {
			at = path.Clean(words[0])
		}
		if slices.ContainsFunc(built.Record.Files, func(f record.File) bool { return f.Path == at }) {
			return at
		}
	}
	return ""
}

// worked tells what a build had to do; the rest was in the cache.
func (d *display) worked() string {
	var done []string
	for _, kind := range []struct{ name, past, thing string }{
		{"fetch", "fetched", "file"}, {"unpack", "unpacked", "layer"}, {"open", "opened", "package"}, {"compress", "compressed", "layer"},
	} {
		if n := d.work[kind.name]; n > 0 {
			done = append(done, kind.past+" "+count(n, kind.thing))
		}
	}
	if len(done) == 0 {
		return "all of it from the cache"
	}
	return strings.Join(done, ", ") + ", the rest from the cache"
}
