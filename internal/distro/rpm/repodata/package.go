package repodata

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/distro/rpm/relation"
)

// A Package is what a repository says of one.
type Package struct {
	Name, Arch string
	relation.EVR

	Digest    digest.Digest // of the package file
	Location  string        // relative to the repository, or to Base
	Base      string        // an address of its own, usually ""
	Size      int64         // of the package file
	Installed int64         // of all its files
	SourceRPM string

	// Relations. A rich one has its text as the name.
	Provides, Requires, Conflicts, Obsoletes    []relation.Relation
	Recommends, Suggests, Supplements, Enhances []relation.Relation
	// Files are those that primary metadata lists: of /etc, of */bin, and
	// some others; all of them are in filelists.
	Files []string
}

// NEVRA names the package as dnf does: "bash-0:5.1.8-6.el9.x86_64".
func (p *Package) NEVRA() string {
	v := p.EVR
	text := v.String()
	if v.Epoch == 0 {
		text = "0:" + text
	}
	return p.Name + "-" + text + "." + p.Arch
}

// relations returns the kinds of relations in the order of records.
func (p *Package) relations() []*[]relation.Relation {
	return []*[]relation.Relation{
		&p.Provides, &p.Requires, &p.Conflicts, &p.Obsoletes, &p.Recommends, &p.Suggests, &p.Supplements, &p.Enhances,
	}
}

// Keys of the index: a letter for the kind, then a name.
const (
	keyName       = "n"
	keyProvide    = "p" // not those that are the package's own name
	keyFile       = "f"
	keyObsolete   = "o"
	keySupplement = "s"
	keyEnhance    = "e"
)

// keys returns what the package is found by.
func (p *Package) keys() []string {
	keys := []string{keyName + p.Name}
	add := func(kind string, list []relation.Relation) {
		for _, r := range list {
			if kind != keyProvide || r.Name != p.Name {
				keys = append(keys, kind+r.Name)
			}
		}
	}
	add(keyProvide, p.Provides)
	add(keyObsolete, p.Obsoletes)
	for _, r := range p.Supplements {
		add(keySupplement, leaves(r))
	}
	for _, r := range p.Enhances {
		add(keyEnhance, leaves(r))
	}
	for _, f := range p.Files {
		keys = append(keys, keyFile+f)
	}
	return keys
}

// leaves are the relations in a rich dependency, or the one that is none. One
// that cannot be read has none: a package that is never looked for does no harm.
func leaves(r relation.Relation) []relation.Relation {
	if !relation.IsRich(r.Name) {
		return []relation.Relation{r}
	}
	rich, err := relation.ParseRich(r.Name)
	if err != nil {
		return nil
	}
	var all []relation.Relation
	for todo := []relation.Rich{rich}; len(todo) > 0; todo = todo[1:] {
		if todo[0].Verb == "" {
			all = append(all, todo[0].Relation)
		}
		todo = append(todo, todo[0].Parts...)
	}
	return all
}

// A record is the package's texts and numbers in the order below; numbers are
// varints, texts have their length before them, lists their count. A file's
// name is the number of bytes that it shares with the one before, then the rest.

type encoder struct{ data []byte }

func (e *encoder) number(n uint64) { e.data = binary.AppendUvarint(e.data, n) }
func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	e.data = append(e.data, s...)
}

func (e *encoder) evr(v relation.EVR) {
	e.number(uint64(v.Epoch))
	e.text(v.Version)
	e.text(v.Release)
}

// encode returns the record of the package.
func (p *Package) encode() []byte {
	e := &encoder{}
	e.text(p.Name)
	e.text(p.Arch)
	e.evr(p.EVR)
	for _, s := range []string{p.Digest.String(), p.Location, p.Base, p.SourceRPM} {
		e.text(s)
	}
	e.number(uint64(p.Size))
	e.number(uint64(p.Installed))
	for _, list := range p.relations() {
		e.number(uint64(len(*list)))
		for _, r := range *list {
			e.text(r.Name)
			e.number(uint64(r.Op))
			if r.Op != 0 {
				e.evr(r.EVR)
			}
		}
	}
	e.number(uint64(len(p.Files)))
	e.paths(p.Files)
	return e.data
}

func (e *encoder) paths(paths []string) {
	last := ""
	for _, path := range paths {
		shared := 0
		for shared < len(path) && shared < len(last) && path[shared] == last[shared] {
			shared++
		}
		e.number(uint64(shared))
		e.text(path[shared:])
		last = path
	}
}

var errRecord = errors.New("the index in the cache is damaged")

type decoder struct {
	data string
	bad  bool
}

func (d *decoder) number() uint64 {
	var n uint64
	for i := 0; i < len(d.data) && i < binary.MaxVarintLen64; i++ {
		n |= uint64(d.data[i]&0x7f) << (7 * i)
		if d.data[i] < 0x80 {
			d.data = d.data[i+1:]
			return n
		}
	}
	d.bad, d.data = true, ""
	return 0
}

func (d *decoder) text() string {
	n := d.number()
	if n > uint64(len(d.data)) {
		d.bad, d.data = true, ""
		return ""
	}
	text := d.data[:n]
	d.data = d.data[n:]
	return text
}

func (d *decoder) evr() relation.EVR {
	return relation.EVR{Epoch: uint32(d.number()), Version: d.text(), Release: d.text()}
}

// count reads the length of a list whose entries have a byte each at least.
func (d *decoder) count() int {
	n := d.number()
	if n > uint64(len(d.data)) {
		d.bad, d.data = true, ""
		return 0
	}
	return int(n)
}

// decode reads a record.
func decode(record []byte) (*Package, error) {
	d := &decoder{data: string(record)}
	p := &Package{Name: d.text(), Arch: d.text(), EVR: d.evr()}
	p.Digest = digest.Digest(d.text())
	p.Location, p.Base, p.SourceRPM = d.text(), d.text(), d.text()
	p.Size, p.Installed = int64(d.number()), int64(d.number())
	for _, list := range p.relations() {
		n := d.count()
		if n == 0 {
			continue
		}
		*list = make([]relation.Relation, n)
		for i := range *list {
			r := relation.Relation{Name: d.text(), Op: relation.Op(d.number())}
			if r.Op != 0 {
				r.EVR = d.evr()
			}
			(*list)[i] = r
		}
	}
	p.Files = d.paths(d.count())
	if d.bad {
		return nil, errRecord
	}
	return p, nil
}

func (d *decoder) paths(count int) []string {
	var paths []string
	last := ""
	for range count {
		shared, rest := d.number(), d.text()
		if shared > uint64(len(last)) {
			d.bad = true
		}
		if d.bad {
			return nil
		}
		last = strings.Clone(last[:shared] + rest)
		paths = append(paths, last)
	}
	return paths
}
