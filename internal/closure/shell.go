package closure

import (
	"context"
	"slices"

	"smith/internal/elf"
	"smith/record"
)

// entryShell brings the shell with an entry point that names it in its data, as
// tmux and lftp do: such a program runs commands, and every distribution
// promises it the shell. For any other object the shell is a suspect.
func entryShell(_ context.Context, s *selector, it *item, out *outcome) error {
	if !s.isEntry(it.node) {
		return nil
	}
	f, err := s.loader.ELF(it.node)
	if err != nil {
		return s.unreadable(it, err)
	}
	r, err := it.node.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	names, err := f.Names(r, it.node.Size)
	if err != nil || !slices.Contains(names, elf.Shell) {
		return err
	}
	if !s.view.Exists(elf.Shell) {
		missing := record.Finding{Name: elf.Shell, From: it.path, Detail: "named in its data, and nothing on offer has it"}
		out.suspects = append(out.suspects, suspect{Finding: missing})
		out.commands = append(out.commands, missing)
		return nil
	}
	out.needs(edge{to: elf.Shell, reason: record.Reason{Rule: record.RuleCommand, From: it.path, Detail: "runs commands with " + elf.Shell}})
	return nil
}
