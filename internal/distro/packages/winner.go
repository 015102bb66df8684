package packages

import (
	"fmt"
	"slices"

	"smith/internal/tree"
)

// needed returns those of the packages that hold a path which must be opened to
// know what is there: the one that replaces all others, or all. Colors are
// told by the packages themselves.
func (s *Set) needed(holders []int) []int {
	if s.rules.Prefers != 0 {
		return holders
	}
	for _, i := range holders {
		if s.replacesAll(i, holders) {
			return []int{i}
		}
	}
	return holders
}

func (s *Set) replacesAll(i int, others []int) bool {
	return !slices.ContainsFunc(others, func(j int) bool {
		return i != j && !s.rules.Replaces(s.members[i].Package, s.members[j].Package)
	})
}

// A held path is what one package has there.
type held struct {
	by    *member
	node  *tree.Node
	color uint8
}

// winner returns what is at a path that packages hold: the file of the one
// that replaces the others, or the one file that they share. dpkg and rpm
// would not install what is an error here.
func (s *Set) winner(name string, holders []int) (*tree.Node, error) {
	all, err := s.held(name, s.needed(holders))
	if err == nil && len(all) == 0 {
		all, err = s.held(name, holders) // the list of the one told wrong
	}
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var rival *member
	for _, a := range all {
		if rival, err = s.rival(a, all); err != nil {
			return nil, err
		}
		if rival == nil {
			return a.node.Copy(), nil
		}
	}
	for _, a := range all {
		if a.by.diverts(s.links, name) {
			return a.node.Copy(), nil
		}
	}
	return nil, fmt.Errorf("packages %s and %s both hold %s, and neither replaces the other", rival.ID(), all[len(all)-1].by.ID(), name)
}

// held opens packages and returns what they have at a path.
func (s *Set) held(name string, holders []int) ([]held, error) {
	members := s.some(holders)
	if err := openAll(members); err != nil {
		return nil, err
	}
	var all []held
	for _, m := range members {
		n, err := m.node(s.links, name)
		if err != nil {
			return nil, err
		}
		if n != nil {
			all = append(all, held{m, n, m.colors[name]})
		}
	}
	return all, nil
}

// rival returns a package whose file neither gives way to a's nor is the same,
// or nil.
func (s *Set) rival(a held, all []held) (*member, error) {
	for _, b := range all {
		if a.by == b.by || s.replaces(a, b) {
			continue
		}
		same, err := s.shared(a, b)
		if err != nil {
			return nil, err
		}
		if !same {
			return b.by, nil
		}
	}
	return nil, nil
}

// replaces reports whether a's file takes the place of b's: by the colors of the
// two where both have one, and one is preferred (rpm's handleColorConflict), or
// else by their packages.
func (s *Set) replaces(a, b held) bool {
	if a.color != 0 && b.color != 0 && a.color != b.color && (a.color|b.color)&s.rules.Prefers != 0 {
		return a.color&s.rules.Prefers != 0
	}
	return s.rules.Replaces(a.by.Package, b.by.Package)
}

// shared reports whether two packages hold one file, and may.
func (s *Set) shared(a, b held) (bool, error) {
	if !s.rules.Shares(a.by.Package, b.by.Package) ||
		a.node.Kind != b.node.Kind || a.node.Link != b.node.Link || a.node.Size != b.node.Size {
		return false, nil
	}
	if a.node.Kind != tree.File {
		return true, nil
	}
	one, err := a.node.Digest()
	if err != nil {
		return false, err
	}
	other, err := b.node.Digest()
	return one == other, err
}
