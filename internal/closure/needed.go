package closure

import (
	"context"
	"errors"
	"strings"

	"smith/internal/elf"
	"smith/record"
)

// needs brings what the dynamic linker loads for a program, or for a library
// that is loaded by name: its interpreter and all needed libraries, found as
// the linker finds them for this very file. The mode bits do not count: most
// libraries of Debian may not be executed.
func needs(ctx context.Context, s *selector, it *item, out *outcome) error {
	if _, err := s.loader.ELF(it.node); err != nil {
		return s.unreadable(it, err)
	}
	p, err := s.loader.Load(ctx, it.path)
	if err != nil {
		return err
	}
	realPath := realPaths(p)
	if p.Interpreter != nil {
		out.needs(edge{
			to: p.Interpreter.Path, names: []string{p.Interpreter.Name},
			reason: record.Reason{Rule: record.RuleInterpreter, From: it.path, Detail: p.Interpreter.Path}, inner: true,
		})
	}
	for _, l := range p.Libraries {
		library := func(name string, reason record.Reason) {
			out.needs(edge{to: l.Path, names: []string{name}, reason: reason, inner: true})
		}
		first := record.Reason{Rule: record.Rule(l.Kind), From: realPath(l.NeededBy), Detail: l.Name + ", found by " + l.Found}
		if !strings.HasPrefix(first.From, "/") { // a variable of the environment asks for it
			first.From, first.Detail = it.path, first.From+" "+first.Detail
		}
		library(l.Name, first)
		for _, r := range l.Also {
			library(r.Name, record.Reason{Rule: record.RuleNeeded, From: realPath(r.By), Detail: r.Name + ", loaded before"})
		}
	}
	return nil
}

// unreadable returns the error for a file that cannot be opened, and nil for
// one that is no ELF file or a broken one, which the check tells of.
func (s *selector) unreadable(it *item, err error) error {
	if errors.Is(err, elf.ErrNotELF) {
		return nil
	}
	r, failed := it.node.Open()
	if failed != nil {
		return failed
	}
	return r.Close()
}
