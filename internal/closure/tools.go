package closure

import (
	"context"

	"smith/internal/program"
	"smith/record"
)

// toolsOf are programs that a language's own library runs, in a form in which no
// rule reads them. R keeps its code in databases; Sys.which(), an "interface to
// the system command which", is called when its package utils is loaded.
func toolsOf(name string) []string {
	if name == "libR.so" || name == "R" {
		return []string{"which", "sh"}
	}
	return nil
}

// libraryTools brings the programs that a language's own library runs.
func libraryTools(_ context.Context, s *selector, it *item, out *outcome) error {
	for _, tool := range toolsOf(it.node.Name()) {
		to, _ := program.Find(s.view.Tree, s.in.Env, "/", tool)
		if to == "" || !s.view.Exists(to) {
			missing := record.Finding{Name: tool, From: it.path, Detail: "the library of the language runs it, and nothing on offer has it"}
			out.suspects = append(out.suspects, suspect{Finding: missing})
			out.commands = append(out.commands, missing)
			continue
		}
		out.needs(edge{to: to, reason: record.Reason{Rule: record.RuleCommand, From: it.path, Detail: tool + ", which the library of the language runs"}})
	}
	return nil
}
