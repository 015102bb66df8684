package closure

import (
	"context"

	"smith/internal/program"
	"smith/internal/tree"
	"smith/record"
)

// scripts brings the interpreter of a script: a file that begins with "#!" and
// that somebody may execute. Without that right, "#!" is a comment.
func scripts(_ context.Context, s *selector, it *item, out *outcome) error {
	if !it.node.Executable() && !s.isEntry(it.node) {
		return nil
	}
	line, err := program.Shebang(it.node)
	if line == "" || err != nil {
		return err
	}
	for _, c := range program.Interpreters(line, s.in.Env) {
		to := c.Program
		if c.Search {
			to, _ = program.Find(s.view.Tree, c.Env, "", c.Program)
		}
		if to != "" {
			out.needs(edge{to: to, names: []string{c.Program}, reason: record.Reason{Rule: record.RuleScript, From: it.path, Detail: "#!" + line}})
		}
	}
	return nil
}

// isEntry says whether a node is the program to be run.
func (s *selector) isEntry(n *tree.Node) bool {
	if len(s.in.Entrypoint) == 0 {
		return false
	}
	to, _ := program.Find(s.view.Tree, s.in.Env, s.in.Dir, s.in.Entrypoint[0])
	at, err := s.view.Resolve(to)
	return to != "" && err == nil && at.Node == n
}
