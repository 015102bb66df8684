package apt

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/compress"
	"smith/internal/event"
)

// contentsBucket has what packages hold, by the digest of the lists and names.
const contentsBucket = "deb-contents"

// Bounds of a Contents file: Debian's largest has 600 MB.
const (
	maxContents = 8 << 30 // bytes, plain
	maxLine     = 1 << 20
)

// A Held is a package of which is asked what it holds, and the index that
// offers it.
type Held struct {
	Name, Architecture string
	Index              *Index
}

// A Listing is the Contents files that tell what packages hold, not yet
// fetched (wiki.debian.org/DebianRepository/Format, "Contents indices").
type Listing struct {
	// Size is that of the files, in bytes as they are fetched.
	Size   int64
	opener *Opener
	lists  map[string]*contents // by the digest
}

// contents is one file, and the packages that it is asked for.
type contents struct {
	source  *Source
	release *Release
	name    string
	wanted  map[string]string // architectures by names
}

// Listing returns the lists of what packages hold. Known are those whose lists
// there are; a list knows no versions, so a package of which its index has
// several is not known.
func (o *Opener) Listing(packages []Held) (l *Listing, known []Held, err error) {
	l = &Listing{opener: o, lists: map[string]*contents{}}
	for _, p := range packages {
		name := p.Index.contents(p.Architecture)
		if name == "" {
			continue
		}
		only, err := p.Index.only(p.Name, p.Architecture)
		if err != nil {
			return nil, nil, err
		}
		if !only {
			continue
		}
		known = append(known, p)
		l.want(p, name)
	}
	return l, known, nil
}

func (l *Listing) want(p Held, name string) {
	f := p.Index.Release.files[name]
	key := f.digest.String()
	if l.lists[key] == nil {
		l.lists[key] = &contents{p.Index.Source, p.Index.Release, name, map[string]string{}}
		l.Size += f.size
	}
	l.lists[key].wanted[p.Name] = p.Architecture
}

// contents returns the name of the file that lists what a package of an
// architecture holds: that of the component or, as Ubuntu has it, of the suite.
// What is for all may stand in a file of its own or in the others.
func (x *Index) contents(architecture string) string {
	names := []string{architecture}
	if architecture == "all" {
		names = append(names, x.architecture)
	}
	for _, folder := range []string{x.Component, ""} {
		for _, name := range names {
			if found := x.Release.find(path.Join(folder, "Contents-"+name)); found != "" {
				return found
			}
		}
	}
	return ""
}

// only reports whether the index has one version of a package.
func (x *Index) only(name, architecture string) (bool, error) {
	found, err := x.Named(name)
	if err != nil {
		return false, err
	}
	count := 0
	for _, i := range found {
		p, err := x.Paragraph(i)
		if err != nil {
			return false, err
		}
		if p.Get("Architecture") == architecture {
			count++
		}
	}
	return count == 1, nil
}

// Paths returns what the packages hold, absolute, by "NAME ARCHITECTURE".
// Folders are not listed. What the cache does not have is fetched and read through; only
// the wanted packages' lines are kept.
func (l *Listing) Paths(ctx context.Context) (map[string][]string, error) {
	all := map[string][]string{}
	for key, c := range l.lists {
		paths, err := l.opener.contents(ctx, key, c)
		if err != nil {
			return nil, fmt.Errorf("%s: repository %s: %s: %w", c.source.Where, c.source, c.name, err)
		}
		for name, held := range paths {
			all[name+" "+c.wanted[name]] = held
		}
	}
	return all, nil
}

func (o *Opener) contents(ctx context.Context, key string, c *contents) (map[string][]string, error) {
	names := slices.Sorted(maps.Keys(c.wanted))
	key = digest.FromString(key + "\n" + strings.Join(names, "\n")).Encoded()
	paths := map[string][]string{}
	data, err := o.Store.Load(contentsBucket, key)
	if err == nil {
		return paths, json.Unmarshal(data, &paths)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	e, err := o.fetch(ctx, c.source, c.release, c.name)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	if paths, err = o.readContents(ctx, e, c); err != nil {
		return nil, err
	}
	if data, err = json.Marshal(paths); err != nil {
		return nil, err
	}
	return paths, o.Store.Save(contentsBucket, key, data)
}

func (o *Opener) readContents(ctx context.Context, e *store.Entry, c *contents) (map[string][]string, error) {
	step := o.Events.Step(event.Resolve, "the file list "+c.name, e.Size())
	defer step.Done()
	plain, err := compress.NewReader(ctx, event.Reader(io.NewSectionReader(e, 0, e.Size()), step), maxContents)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	return parseContents(plain, c.wanted)
}

// parseContents reads the lines "PATH  [AREA/]SECTION/NAME,…" of the wanted
// packages. Old files begin with a text for readers and the line "FILE
// LOCATION".
func parseContents(r io.Reader, wanted map[string]string) (map[string][]string, error) {
	paths := map[string][]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		line := lines.Bytes()
		at := lastSpace(line)
		if at < 0 {
			continue
		}
		for location := range strings.SplitSeq(string(line[at+1:]), ",") {
			name := location[strings.LastIndexByte(location, '/')+1:]
			if wanted[name] != "" {
				paths[name] = append(paths[name], "/"+strings.TrimPrefix(strings.TrimRight(string(line[:at]), " \t"), "./"))
			}
		}
		if strings.HasPrefix(string(line), "FILE ") && string(line[at+1:]) == "LOCATION" {
			clear(paths)
		}
	}
	return paths, lines.Err()
}

func lastSpace(line []byte) int {
	for i := len(line) - 1; i >= 0; i-- {
		if line[i] == ' ' || line[i] == '\t' {
			return i
		}
	}
	return -1
}
