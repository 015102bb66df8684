package test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"smith/internal/cli"
	"smith/internal/smithfile"
)

// documents are all pages for users, by their paths.
func documents(t *testing.T) map[string]string {
	t.Helper()
	files, err := glob("../docs/*.md", "../docs/adr/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, file := range append(files, "../README.md", "../CHANGELOG.md", "../CONTRIBUTING.md", "../SECURITY.md", "README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pages[file] = string(text)
	}
	return pages
}

func glob(patterns ...string) ([]string, error) {
	var all []string
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	return all, nil
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// TestLinks follows each link to another page or to a heading, and wants each
// page to be reached from the README.
func TestLinks(t *testing.T) {
	pages := documents(t)
	linked := map[string]bool{}
	for file, text := range pages {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			at := filepath.Join(filepath.Dir(file), target)
			if target == "" {
				at = file
			}
			if _, err := os.Stat(at); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
				continue
			}
			linked[at] = true
			if anchor != "" && !hasHeading(pages[at], anchor) {
				t.Errorf("%s links to %s, and there is no such heading", file, m[1])
			}
		}
	}
	for file := range pages {
		if strings.HasPrefix(file, "../docs/") && !linked[file] {
			t.Errorf("nothing links to %s", file)
		}
	}
}

// hasHeading says whether a page has a heading that is linked to by an anchor.
func hasHeading(text, anchor string) bool {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case strings.ContainsRune("`.,;:?!()/'“”", r):
				return -1
			}
			return r
		}, strings.ToLower(m[1]))
		if slug == anchor {
			return true
		}
	}
	return false
}

// indented are the blocks of a page that are only shown: by four spaces, or
// between fences that name a shell.
func indented(text string) []string {
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	var block []string
	for line := range strings.Lines(text + "\n\nend\n") {
		switch rest, ok := strings.CutPrefix(line, "    "); {
		case ok:
			block = append(block, rest)
		case strings.TrimSpace(line) == "" && len(block) > 0:
			block = append(block, "\n")
		case len(block) > 0:
			blocks = append(blocks, strings.Join(block, ""))
			block = nil
		}
	}
	return blocks
}

// TestShownExamples looks at examples that are shown and not run: smith knows
// their commands and options, and the keys of each smith.yaml.
func TestShownExamples(t *testing.T) {
	commands, specs := 0, 0
	for file, text := range documents(t) {
		if strings.HasSuffix(file, "commands.md") {
			continue // made from the commands
		}
		for _, block := range indented(text) {
			for line := range strings.Lines(block) {
				if words := shownCommand(line); words != nil {
					commands++
					checkCommand(t, file, line, words)
				}
			}
			if isSpec(block) {
				specs++
				if _, err := smithfile.Decode("smith.yaml", []byte(block)); err != nil {
					t.Errorf("%s shows\n%s%v", file, block, err)
				}
			}
		}
	}
	t.Logf("%d commands and %d specs are shown", commands, specs)
	if commands < 10 || specs < 5 {
		t.Error("these are fewer than there were")
	}
}

// shownCommand returns the words after smith, nil where a line is no such
// command.
func shownCommand(line string) []string {
	line, _, _ = strings.Cut(line, " #")
	line, _, _ = strings.Cut(line, " | ")
	line, _, _ = strings.Cut(line, " <")
	rest, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "$ ")), "smith ")
	if !ok {
		return nil
	}
	return strings.Fields(rest)
}

// checkCommand wants a command and its options to be known.
func checkCommand(t *testing.T, file, line string, words []string) {
	t.Helper()
	root := cli.Command()
	cmd, rest, err := root.Find(words)
	if err != nil || cmd == root && !strings.HasPrefix(words[0], "-") {
		t.Errorf("%s shows %q: there is no such command", file, line)
		return
	}
	if dash := strings.Index(strings.Join(rest, " "), " -- "); dash >= 0 {
		rest = strings.Fields(strings.Join(rest, " ")[:dash])
	}
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return err })
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%s shows %q: %v", file, line, err)
	}
}

// isSpec says whether a block is a smith.yaml, or a part of one.
func isSpec(block string) bool {
	var keys map[string]any
	if yaml.Unmarshal([]byte(block), &keys) != nil || strings.Contains(block, "…") {
		return false
	}
	for _, key := range []string{"package", "packages", "type", "repositories", "archives", "allow-missing", "paths", "mock", "parent"} {
		if _, ok := keys[key]; ok {
			return true
		}
	}
	return false
}
