// Package osrelease reads what a system says of itself: os-release(5), of a
// tree or of a machine. It does not know what the values mean to anybody.
package osrelease

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"smith/internal/tree"
)

// maxFile bounds the file, in bytes.
const maxFile = 64 << 10

// Paths are where the file is, in a system's root; the first that is there
// counts.
func Paths() []string { return []string{"/etc/os-release", "/usr/lib/os-release"} }

// Parse reads the assignments of an os-release file, which are those of a
// shell: a value may stand in quotes, and of two lines with the same name the
// last counts. Lines that are none are passed over.
func Parse(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			values[name] = unquoted(value)
		}
	}
	return values
}

// unquoted takes one pair of quotes away, and between double quotes the
// backslashes before what a shell would take for more than itself.
func unquoted(value string) string {
	if len(value) < 2 || value[0] != value[len(value)-1] || value[0] != '"' && value[0] != '\'' {
		return value
	}
	inner := value[1 : len(value)-1]
	if value[0] == '\'' {
		return inner
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`, "\\`", "`", `\$`, `$`).Replace(inner)
}

// Of returns the values of the system whose files a tree holds, none where it
// has no such file.
func Of(t *tree.Tree) (map[string]string, error) {
	for _, name := range Paths() {
		at, err := t.Resolve(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && at.Node.Kind != tree.File {
			continue
		}
		if err != nil {
			return nil, err
		}
		data, err := at.Node.ReadAll(maxFile)
		if err != nil {
			return nil, err
		}
		return Parse(string(data)), nil
	}
	return map[string]string{}, nil
}

// Machine returns the values of the system whose root is a folder of this
// machine, none where it has no such file.
func Machine(root string) (map[string]string, error) {
	for _, name := range Paths() {
		f, err := os.Open(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot tell which system this is: %w", err)
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxFile))
		if err != nil {
			return nil, fmt.Errorf("cannot tell which system this is: %w", err)
		}
		return Parse(string(data)), nil
	}
	return map[string]string{}, nil
}
