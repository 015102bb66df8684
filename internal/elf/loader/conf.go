package loader

import (
	"path"
	"strings"

	"smith/internal/tree"
)

// ConfigPath is where ldconfig finds the folders of the cache.
const ConfigPath = "/etc/ld.so.conf"

// Limits on ld.so.conf and what it includes.
const (
	maxConf      = 1 << 20
	maxConfFiles = 1000
	maxConfDepth = 32
)

// A confLine is a line of ld.so.conf that means something: a folder of
// libraries, or globs of further files.
type confLine struct {
	folder  string
	include []string
}

// parseConf reads the text of an ld.so.conf (ldconfig(8)): a folder a line,
// "include" with globs, "#" before a comment. "hwcap" lines are of old
// versions and are passed over.
func parseConf(text string) []confLine {
	var lines []confLine
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line, _, _ = strings.Cut(line, "\x00")
		line = strings.Trim(line, " \t\n\v\f\r")
		word, rest := line, ""
		if i := strings.IndexAny(line, " \t"); i >= 0 {
			word, rest = line[:i], line[i:]
		}
		switch {
		case line == "":
		case word == "include" && rest != "":
			lines = append(lines, confLine{include: strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == '\t' })})
		case strings.EqualFold(word, "hwcap") && rest != "":
		default:
			lines = append(lines, confLine{folder: strings.TrimRight(line, "/")})
		}
	}
	return lines
}

// ConfigFolders returns the folders that a tree's ld.so.conf names with all
// that it includes, in order. Where there is none, the files in ld.so.conf.d
// count, which every distribution's includes: a package that puts a file there
// need not come with the one that holds ld.so.conf.
func ConfigFolders(t *tree.Tree) ([]string, error) {
	c := &conf{tree: t}
	if !t.Exists(ConfigPath) {
		err := c.include(ConfigPath, "ld.so.conf.d/*.conf", 0)
		return c.folders, err
	}
	err := c.read(ConfigPath, 0)
	return c.folders, err
}

// A conf collects the folders of /etc/ld.so.conf and all that it includes.
type conf struct {
	tree    *tree.Tree
	folders []string
	files   int
}

// read adds the folders of one file. One that is not there adds none.
func (c *conf) read(name string, depth int) error {
	at, err := c.tree.Resolve(name)
	if err != nil {
		return ignoreMissing(err)
	}
	if c.files++; at.Node.Kind != tree.File || c.files > maxConfFiles || depth > maxConfDepth {
		return nil
	}
	data, err := at.Node.ReadAll(maxConf)
	if err != nil {
		return err
	}
	for _, line := range parseConf(string(data)) {
		if line.folder != "" {
			c.folders = append(c.folders, line.folder)
		}
		for _, pattern := range line.include {
			if err := c.include(name, pattern, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// include reads the files that a glob matches; a relative one counts from the
// folder of the file that it stands in.
func (c *conf) include(from, pattern string, depth int) error {
	if !strings.HasPrefix(pattern, "/") {
		pattern = path.Join(path.Dir(from), pattern)
	}
	// Braces mean nothing to glob(3).
	matches, err := c.tree.Glob(strings.NewReplacer("{", `\{`, "}", `\}`).Replace(pattern))
	if err != nil {
		return nil //nolint:nilerr // no pattern: glob(3) takes it as it stands and finds no such file
	}
	for _, m := range matches {
		if err := c.read(m, depth+1); err != nil {
			return err
		}
	}
	return nil
}
