package distro

import (
	"context"
	"path"
	"slices"
	"strings"

	"smith/internal/distro/packages"
	"smith/internal/source"
)

// A Holding is what an image is made of whose spec names packages and no
// files, or a part of that: what one package gives to it.
type Holding struct {
	source.Package
	// For is the package asked for that this one belongs to; it is the package
	// itself where that was asked for.
	For source.Package
	// Files are the paths to keep, sorted.
	Files []string
	// Held are all paths that the package holds, sorted, and Programs those of
	// them in directories of executables; they need not be kept.
	Held, Programs []string
}

// Own reports whether the package was asked for, as opposed to one that was
// built from the same source.
func (h Holding) Own() bool { return h.Digest == h.For.Digest }

// maxStandIn bounds how deeply metapackages stand for each other.
const maxStandIn = 8

// Own returns what belongs to the packages that were asked for: what they hold
// themselves and, of the packages that were built from the same source and that
// they call for, what is neither a program nor a shared library. The
// configuration and data of nginx are in nginx-common; but scp, which
// openssh-server calls for, is no part of the server. The closure brings of the
// others what is needed. A metapackage, which holds nothing to run, stands for
// what it depends on.
func Own(ctx context.Context, of source.Packages) ([]Holding, error) {
	list, err := of.List(ctx)
	if err != nil {
		return nil, err
	}
	o := &owning{of: of, list: list, seen: map[int]bool{}, reserved: map[int]bool{}}
	for i, p := range list {
		if p.Asked {
			if err := o.ask(ctx, i, p, 0); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(o.all, func(a, b Holding) int { return a.For.Request - b.For.Request })
	return o.all, nil
}

// owning is the state of Own.
type owning struct {
	of   source.Packages
	list []source.Package
	seen map[int]bool
	// reserved are packages that a metapackage stands for.
	reserved map[int]bool
	all      []Holding
}

// ask takes a package that was asked for, or that a metapackage stands for.
func (o *owning) ask(ctx context.Context, i int, request source.Package, depth int) error {
	if o.seen[i] || depth > maxStandIn {
		return nil
	}
	o.seen[i] = true
	p := o.list[i]
	p.Request, p.Where = request.Request, request.Where
	held, err := o.of.Files(ctx, p)
	if err != nil {
		return err
	}
	h := Holding{Package: p, For: p, Held: held, Programs: programs(held)}
	for _, name := range held {
		if packages.Readable(name) {
			h.Files = append(h.Files, name)
		}
	}
	o.all = append(o.all, h)
	if len(h.Files) == 0 {
		for _, j := range o.calls(i) {
			o.reserved[j] = true // not only a sibling of another
		}
		for _, j := range o.calls(i) {
			if err := o.ask(ctx, j, request, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return o.siblings(ctx, i, p, len(h.Programs) == 0)
}

// calls returns the packages that one calls for and cannot do without.
func (o *owning) calls(i int) []int {
	var all []int
	for _, r := range o.list[i].Relations {
		if r.Kind != source.Recommends {
			all = append(all, r.By...)
		}
	}
	return all
}

// siblings takes the packages of the same source that a package calls for, with
// their programs where tools says that it has none itself: gnupg stands for gpg,
// gpg-agent and others.
func (o *owning) siblings(ctx context.Context, i int, asked source.Package, tools bool) error {
	for _, r := range o.list[i].Relations {
		for _, j := range r.By {
			sibling := o.list[j]
			if o.seen[j] || o.reserved[j] || sibling.Asked || asked.Source == "" || sibling.Source != asked.Source {
				continue
			}
			o.seen[j] = true
			held, err := o.of.Files(ctx, sibling)
			if err != nil {
				return err
			}
			h := Holding{Package: sibling, For: asked, Held: held, Programs: programs(held)}
			for _, name := range held {
				if packages.NeededToRun(name) && (tools || !isProgramPath(name)) && !isLibraryPath(name) {
					h.Files = append(h.Files, name)
				}
			}
			o.all = append(o.all, h)
			if err := o.siblings(ctx, j, asked, tools); err != nil {
				return err
			}
		}
	}
	return nil
}

func programs(held []string) []string {
	return slices.DeleteFunc(slices.Clone(held), func(name string) bool { return !isProgramPath(name) })
}

// isProgramPath reports whether a path lies in a directory of programs that are
// meant to be called.
func isProgramPath(name string) bool {
	base := path.Base(path.Dir(name))
	return base == "bin" || base == "sbin"
}

// isLibraryPath reports whether a path is that of a shared library where the
// linker looks for it: /usr/lib64, /usr/lib/x86_64-linux-gnu. Modules lie deeper.
func isLibraryPath(name string) bool {
	if !strings.Contains(path.Base(name), ".so.") {
		return false // a library without a version is loaded by its name, as libmono-native.so is
	}
	dir := strings.TrimPrefix(path.Dir(name), "/usr")
	switch dir {
	case "/lib", "/lib32", "/lib64", "/libx32":
		return true
	}
	parent, triplet := path.Split(dir)
	return parent == "/lib/" && strings.Contains(triplet, "-linux-")
}
