package closure

import (
	"cmp"
	"fmt"

	"smith/internal/program"
	"smith/internal/tree"
	"smith/record"
)

// roots keeps what the spec asks for by name: paths, the overlay, and the entry
// point; then what packages hold beside. The first reason of a path is the one
// that is shown.
func (s *selector) roots() error {
	if err := s.rootsOf(func(r Root) bool { return !r.Part }); err != nil {
		return err
	}
	if err := s.overlay(); err != nil {
		return err
	}
	for _, c := range commands(s.in.Entrypoint, s.in.Commands) {
		at, _ := program.Find(s.view.Tree, s.in.Env, s.in.Dir, c.Name)
		if at == "" {
			continue
		}
		if err := s.bring(edge{to: at, reason: record.Reason{Rule: record.RulePath, Detail: c.Detail}, named: true}, 0); err != nil {
			return err
		}
	}
	s.aside = true
	defer func() { s.aside = false }()
	return s.rootsOf(func(r Root) bool { return r.Part })
}

func (s *selector) rootsOf(wanted func(Root) bool) error {
	for _, r := range s.in.Roots {
		if !wanted(r) {
			continue
		}
		if err := s.root(r); err != nil {
			return err
		}
	}
	return nil
}

// unmatched returns the problems of roots that match nothing and that
// allow-missing does not accept.
func (s *selector) unmatched() []Problem {
	var all []Problem
	for _, p := range s.problems {
		if _, ok := allowed(s.in.AllowMissing, p.Name); !ok {
			all = append(all, p)
		}
	}
	return all
}

// preferSource lets what the roots name come from the source even where the
// parent has it with other bytes.
func (s *selector) preferSource() error {
	if s.in.Source == nil || s.in.Parent == nil {
		return nil
	}
	for _, r := range s.in.Roots {
		paths, err := s.in.Source.Glob(r.Pattern)
		if err != nil {
			return err
		}
		for _, p := range paths {
			at, err := s.in.Source.Lookup(p)
			if err != nil {
				return err
			}
			if err := at.Node.Walk(s.preferOne); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *selector) preferOne(n *tree.Node) error {
	if _, out := s.excludes.match(n.Path()); out {
		return nil
	}
	replaced, err := s.view.prefer(n)
	if replaced {
		s.warn(fmt.Sprintf("%s replaces a file of the parent with other bytes", n.Path()))
	}
	return err
}

// root keeps what one glob matches.
func (s *selector) root(r Root) error {
	paths, err := s.view.Glob(r.Pattern)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		where := r.Detail
		if where != "" {
			where += ": "
		}
		s.lacks(Problem{Name: r.Pattern, Text: where + r.Pattern + " matches no file", Near: Near(s.view.Tree, r.Pattern)})
	}
	literal := !r.Part && tree.IsLiteral(r.Pattern)
	reason := record.Reason{Rule: cmp.Or(r.Rule, record.RulePath), Detail: r.Detail}
	if reason.Detail == "" {
		reason.Detail = "path " + r.Pattern
	}
	for _, p := range paths {
		if err := s.bring(edge{to: p, reason: reason, whole: true, named: literal, broad: !literal}, 0); err != nil {
			return err
		}
	}
	return nil
}

// overlay keeps everything in rootfs/.
func (s *selector) overlay() error {
	if s.in.Overlay == nil {
		return nil
	}
	reason := record.Reason{Rule: record.RuleOverlay, Detail: "rootfs"}
	return s.in.Overlay.Walk(func(n *tree.Node) error {
		if n.Parent() == nil {
			return nil
		}
		if err := s.warnReplaced(n); err != nil {
			return err
		}
		// A folder of the overlay may be laid behind a link of the source.
		return s.bring(edge{to: n.Path(), reason: reason, whole: n.Kind != tree.Dir, named: true}, 0)
	})
}

// warnReplaced tells of a file of the overlay that takes the place of another
// one of the parent's.
func (s *selector) warnReplaced(n *tree.Node) error {
	if s.in.Parent == nil || n.Kind != tree.File {
		return nil
	}
	at, err := s.in.Parent.Lookup(n.Path())
	if err != nil {
		return nil //nolint:nilerr // the parent has nothing there
	}
	if old := at.Node; old.Kind == tree.File && old.Size == n.Size {
		before, err := old.Digest()
		if err != nil {
			return err
		}
		if after, err := n.Digest(); before == after || err != nil {
			return err
		}
	}
	s.warn(fmt.Sprintf("%s replaces a file of the parent with other bytes", n.Path()))
	return nil
}
