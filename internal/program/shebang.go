package program

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"smith/internal/tree"
)

// maxShebang is what Linux reads of a script's first line (execve(2),
// BINPRM_BUF_SIZE).
const maxShebang = 256

// Shebang returns what follows "#!" in a file's first line, "" where the file
// does not begin so. As in the kernel, the line is cut off at 255 bytes, and
// blanks around it do not count.
func Shebang(n *tree.Node) (string, error) {
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

// A Command is a program that a "#!" line runs.
type Command struct {
	// Program is a path, or a name to be searched in PATH.
	Program string
	// Search reports whether Program is searched in the PATH of Env.
	Search bool
	Env    []string
}

// Interpreters returns the programs that a "#!" line runs in an environment:
// the interpreter, and where that is env(1) the program that env runs. The
// kernel passes all that follows the interpreter as one argument, so
// "env NAME ARG" is a program with a blank in its name unless -S splits it.
func Interpreters(line string, env []string) []Command {
	program, argument := line, ""
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		program, argument = line[:i], strings.TrimLeft(line[i:], " \t")
	}
	commands := []Command{{Program: program}}
	if path.Base(program) != "env" || argument == "" {
		return commands
	}
	if c := envCommand([]string{argument}, env); c.Program != "" {
		commands = append(commands, c)
	}
	return commands
}
