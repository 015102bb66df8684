package nearest

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// A PathFinder looks at paths, as many as a distribution has, and keeps those
// that a user may mean by one that does not exist: the same path, one that ends
// in the same name, or a similar name in the same directory. A directory matches
// with /usr before it and without.
type PathFinder struct {
	wanted, dir, base string
	exact             map[string]bool // what Holders asks for, nil for all others
	found             map[string]*Held
}

// A Held is a path and the packages that hold it.
type Held struct {
	Path    string
	Holders []string
	rank    int
}

// Ranks, the best first.
const (
	samePath = iota
	sameName
	nearName
)

// maxFound bounds the paths that are kept.
const maxFound = 100

// NewPathFinder returns a finder for an absolute path, or for a name in any
// directory.
func NewPathFinder(wanted string) *PathFinder {
	f := &PathFinder{wanted: wanted, base: path.Base(wanted), found: map[string]*Held{}}
	if strings.HasPrefix(wanted, "/") {
		f.dir = directory(wanted)
	}
	return f
}

// directory returns that of a path, without /usr.
func directory(name string) string {
	dir := path.Dir(name)
	if rest, ok := strings.CutPrefix(dir, "/usr"); ok && (rest == "" || rest[0] == '/') {
		return rest
	}
	return dir
}

// See looks at a path; holder is called only if the path is kept.
func (f *PathFinder) See(name string, holder func() string) {
	if rank, like := f.rank(name); like {
		f.keep(name, rank, holder)
	}
}

// SeeName looks at a name whose directory is not known.
func (f *PathFinder) SeeName(name string, holder func() string) {
	if f.exact == nil && f.dir == "" && name == f.wanted {
		f.keep(name, nearName, holder) // a path says more
	}
}

func (f *PathFinder) keep(name string, rank int, holder func() string) {
	h := f.found[name]
	if h == nil {
		if len(f.found) == maxFound && rank != samePath {
			return
		}
		h = &Held{Path: name, rank: rank}
		f.found[name] = h
	}
	if who := holder(); !slices.Contains(h.Holders, who) {
		h.Holders = append(h.Holders, who)
	}
}

func (f *PathFinder) rank(name string) (rank int, like bool) {
	if f.exact != nil {
		return samePath, f.exact[withoutUsr(name)]
	}
	if strings.HasSuffix(name, "/"+f.base) {
		if f.dir != "" && directory(name) == f.dir {
			return samePath, true
		}
		return sameName, true
	}
	if f.dir == "" || len(f.base) < 3 || directory(name) != f.dir {
		return 0, false
	}
	base := path.Base(name)
	if difference := len(base) - len(f.base); difference > 2 || difference < -2 {
		return 0, false
	}
	return nearName, distance(f.base, base) <= max(1, len(f.base)/4)
}

// Found returns the best of the paths, at most three, sorted, with their holders
// sorted too.
func (f *PathFinder) Found() []Held {
	var all []Held
	for _, h := range f.found {
		slices.Sort(h.Holders)
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b Held) int { return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.Path, b.Path)) })
	all = slices.DeleteFunc(all, func(h Held) bool { return h.rank != all[0].rank })
	return all[:min(3, len(all))]
}

// String names the packages that hold what the user may mean, "" if there are
// none: "nginx-light holds /usr/sbin/nginx".
func (f *PathFinder) String() string {
	var parts []string
	for _, h := range f.Found() {
		who := h.Holders[:min(3, len(h.Holders))]
		verb := " holds "
		if len(who) > 1 {
			verb = " hold "
		}
		names := strings.Join(who, ", ")
		if i := len(who) - 1; i > 0 {
			names = strings.Join(who[:i], ", ") + " and " + who[i]
		}
		parts = append(parts, names+verb+h.Path)
	}
	return strings.Join(parts, ", ")
}
