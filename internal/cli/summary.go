package cli

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"smith/internal/build"
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
	var suspects []record.Finding
	for _, built := range r.Images {
		fmt.Fprintf(b.stdout, "  %s  %d files, %s, compressed %s in %s\n", image.PlatformName(built.Platform),
			built.Files, size.Format(built.Unpacked), size.Format(built.Image.LayersSize()), count(len(built.Image.Layers), "layer"))
		if line := heaviest(built.Record); line != "" {
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

// suspected names what the image does not hold and something may load.
func suspected(suspects []record.Finding) string {
	var names []string
	for _, f := range suspects {
		if name := path.Base(f.Name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
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
