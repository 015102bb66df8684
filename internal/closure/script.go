package closure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"smith/internal/record"
	"smith/internal/tree"
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
	for _, c := range parseShebang(line) {
		to := c.program
		if c.search {
			to, _ = findProgram(s.view.Tree, slices.Concat(s.in.Env, c.env), c.program)
		}
		if to != "" {
			out.needs(edge{to: to, names: []string{c.program}, reason: record.Reason{Rule: "script", From: it.path, Detail: "#!" + line}})
		}
	}
	return nil
}

// isEntry says whether a node is the program to be run.
func (s *selector) isEntry(n *tree.Node) bool {
	if len(s.in.Entrypoint) == 0 {
		return false
	}
	to, _ := findProgram(s.view.Tree, s.in.Env, s.in.Entrypoint[0])
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
	// search says that it is looked for in PATH, with env set before.
	search bool
	env    []string
}

// parseShebang returns the programs that a "#!" line runs: the interpreter,
// and where that is env(1) the program that env runs. The kernel hands all
// that follows the interpreter over as one argument, so "env NAME ARG" is
// a program with a blank in its name unless -S splits it.
func parseShebang(line string) []command {
	program, argument := line, ""
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		program, argument = line[:i], strings.TrimLeft(line[i:], " \t")
	}
	commands := []command{{program: program}}
	if path.Base(program) != "env" || argument == "" {
		return commands
	}
	words := []string{argument}
	if split, ok := envSplit(argument); ok {
		words = split
	}
	if c := envCommand(words); c.program != "" {
		c.search = !strings.Contains(c.program, "/")
		commands = append(commands, c)
	}
	return commands
}

// envSplit returns the words of an argument that begins with env's option -S.
func envSplit(argument string) ([]string, bool) {
	for _, option := range []string{"--split-string=", "--split-string", "-vS", "-iS", "-S"} {
		if rest, ok := strings.CutPrefix(argument, option); ok {
			return splitWords(rest), true
		}
	}
	return nil, false
}

// envCommand skips env's options and settings (coreutils manual, "env
// invocation").
func envCommand(words []string) command {
	var c command
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "-u" || w == "-C" || w == "--unset" || w == "--chdir":
			i++
		case w == "--" && i+1 < len(words) && !strings.Contains(words[i+1], "="):
			c.program = words[i+1]
			return c
		case strings.HasPrefix(w, "-"):
		case strings.Contains(w, "="):
			c.env = append(c.env, w)
		default:
			c.program = w
			return c
		}
	}
	return c
}

// splitWords splits as env -S does: at blanks, with single and double quotes
// and backslashes.
func splitWords(text string) []string {
	var words []string
	var word strings.Builder
	open, quote := false, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, open = c, true
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
			open = true
		case quote == 0 && (c == ' ' || c == '\t'):
			if open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}

// findProgram returns the path of a program as execvp(3) finds it: a name with
// a slash as it stands, another in the folders of PATH; there "" where there is
// none, and the folders that were searched. A later setting of PATH counts.
func findProgram(t *tree.Tree, env []string, name string) (at string, searched []string) {
	if strings.Contains(name, "/") {
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
	value := defaultPath
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			value = v
		}
	}
	return value
}
