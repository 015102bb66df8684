package apt

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"smith/internal/cache/store"
	"smith/internal/compress"
	"smith/internal/event"
	"smith/internal/nearest"
)

// maxLike bounds the bytes of a Contents file that is fetched for the sake of a
// message: Debian's for an architecture are within it, the larger one of what
// is for all is not.
const maxLike = 16 << 20

// Like shows finders what the Contents files of repositories list: those that
// the cache has, and with fetch those that are not large.
func (o *Opener) Like(ctx context.Context, indexes []*Index, finders []*nearest.PathFinder, fetch bool) error {
	seen := map[string]bool{}
	for _, x := range indexes {
		for _, architecture := range []string{x.architecture, "all"} {
			name := x.contents(architecture)
			if f := x.Release.files[name]; name == "" || seen[f.digest.String()] {
				continue
			}
			seen[x.Release.files[name].digest.String()] = true
			if err := o.look(ctx, x, name, finders, fetch); err != nil {
				return err
			}
		}
	}
	return nil
}

// look shows finders one file.
func (o *Opener) look(ctx context.Context, x *Index, name string, finders []*nearest.PathFinder, fetch bool) error {
	f := x.Release.files[name]
	e, err := o.Fetch.Cached(f.digest)
	if errors.Is(err, fs.ErrNotExist) {
		if !fetch || f.size > maxLike {
			return nil
		}
		e, err = o.fetch(ctx, x.Source, x.Release, name)
	}
	if err != nil {
		return err
	}
	defer e.Close()
	return o.scan(ctx, e, name, func(path string, packages string) {
		for _, finder := range finders {
			for location := range strings.SplitSeq(packages, ",") {
				finder.See(path, func() string { return location[strings.LastIndexByte(location, '/')+1:] })
			}
		}
	})
}

// scan calls see with each path of a Contents file and the packages that hold
// it, a list with commas.
func (o *Opener) scan(ctx context.Context, e *store.Entry, name string, see func(path, packages string)) error {
	step := o.Events.Step(event.Resolve, "the file list "+name, e.Size())
	defer step.Done()
	plain, err := compress.NewReader(ctx, event.Reader(io.NewSectionReader(e, 0, e.Size()), step), maxContents)
	if err != nil {
		return err
	}
	defer plain.Close()
	lines := bufio.NewScanner(plain)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		line := lines.Text()
		if at := strings.LastIndexAny(line, " \t"); at > 0 {
			see("/"+strings.TrimPrefix(strings.TrimRight(line[:at], " \t"), "./"), line[at+1:])
		}
	}
	return lines.Err()
}
