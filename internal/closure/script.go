package closure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"smith/internal/tree"
	"smith/record"
)

// defaultPath is where programs are looked for when the image sets no PATH:
// what smith writes into the config of such an image.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// scripts brings the interpreter of a script: a file that begins with "#!" and
// that somebody may execute. Without that right, "#!" is a comment.
func scripts(_ context.Context, s *selector, it *item, out *outcome) error {
	if !it.node.Executable() && !s.isEntry(it.node) {
		return nil
	}
	line, err := shebang(it.node)
	if line == "" || err != nil {
		return err
	}
	for _, c := range parseShebang(line, s.in.Env) {
		to := c.program
		if c.search {
			to, _ = findProgram(s.view.Tree, c.env, "", c.program)
		}
		if to != "" {
			out.needs(edge{to: to, names: []string{c.program}, reason: record.Reason{Rule: record.RuleScript, From: it.path, Detail: "#!" + line}})
		}
	}
	return nil
}

// isEntry says whether a node is the program to be run.
func (s *selector) isEntry(n *tree.Node) bool {
	if len(s.in.Entrypoint) == 0 {
		return false
	}
	to, _ := findProgram(s.view.Tree, s.in.Env, s.in.Dir, s.in.Entrypoint[0])
	at, err := s.view.Resolve(to)
	return to != "" && err == nil && at.Node == n
}

// maxShebang is what Linux reads of a script's first line (execve(2), BINPRM_BUF_SIZE).
const maxShebang = 256

// shebang returns what follows "#!" in a file's first line, or "". As in the
// kernel, the line is cut off at 255 bytes, and blanks around it do not count.
func shebang(n *tree.Node) (string, error) {
	if n.Kind != tree.File || n.Size < 3 {
		return "", nil
	}
	r, err := n.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	head := make([]byte, min(n.Size, maxShebang-1))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("cannot read %s: %w", n.Path(), err)
	}
	line, ok := strings.CutPrefix(string(head), "#!")
	if !ok {
		return "", nil
	}
	line, _, _ = strings.Cut(line, "\n")
	line, _, _ = strings.Cut(line, "\x00")
	return strings.Trim(line, " \t"), nil
}

// A command is a program that a "#!" line runs.
type command struct {
	program string
	// search says that it is looked for in the PATH of env.
	search bool
	env    []string
}

// parseShebang returns the programs that a "#!" line runs in an environment:
// the interpreter, and where that is env(1) the program that env runs. The
// kernel hands all that follows the interpreter over as one argument, so
// "env NAME ARG" is a program with a blank in its name unless -S splits it.
func parseShebang(line string, env []string) []command {
	program, argument := line, ""
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		program, argument = line[:i], strings.TrimLeft(line[i:], " \t")
	}
	commands := []command{{program: program}}
	if path.Base(program) != "env" || argument == "" {
		return commands
	}
	if c := envCommand([]string{argument}, env); c.program != "" {
		commands = append(commands, c)
	}
	return commands
}

// findProgram returns the path of a program as execvp(3) finds it in a working
// folder: a name with a slash as it stands, another in the folders of PATH; there "" where there is
// none, and the folders that were searched. A later setting of PATH counts.
func findProgram(t *tree.Tree, env []string, dir, name string) (at string, searched []string) {
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = dir + "/" + name
		}
		return tree.Clean(name), nil
	}
	for dir := range strings.SplitSeq(searchPath(env), ":") {
		dir = tree.Clean(dir)
		searched = append(searched, dir)
		if found, err := t.Resolve(dir + "/" + name); err == nil && found.Node.Executable() {
			return path.Join(dir, name), searched
		}
	}
	return "", searched
}

func searchPath(env []string) string {
	return cmp.Or(setting(env, "PATH"), defaultPath)
}
