package closure

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/tree"
)

// files makes a tree of lines "KIND MODE PATH [CONTENT or TARGET]":
//
//	file 0755 usr/bin/run #!/bin/sh
//	link usr/bin/sh dash
//	dir 0755 var/empty
//	fifo run/pipe
//	hard usr/bin/second usr/bin/run
//	elf 0755 usr/bin/prog WORDS   (of object)
func files(t testing.TB, lines string) *tree.Tree {
	t.Helper()
	tr := tree.New()
	var entries []tree.Entry
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		entries = append(entries, entry(t, line))
	}
	if err := tr.Apply(entries); err != nil {
		t.Fatal(err)
	}
	return tr
}

func entry(t testing.TB, line string) tree.Entry {
	t.Helper()
	kind, rest, _ := strings.Cut(line, " ")
	var mode uint32 = 0o644
	if kind == "file" || kind == "dir" || kind == "elf" {
		text, after, _ := strings.Cut(rest, " ")
		if _, err := fmt.Sscanf(text, "%o", &mode); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		rest = after
	}
	name, value, _ := strings.Cut(rest, " ")
	value = strings.ReplaceAll(value, `\n`, "\n")
	switch kind {
	case "file":
		return tree.Entry{Path: name, Node: tree.NewFile([]byte(value), mode)}
	case "elf":
		return tree.Entry{Path: name, Node: tree.NewFile(object(t, value), mode)}
	case "dir":
		return tree.Entry{Path: name, Node: &tree.Node{Kind: tree.Dir, Mode: mode}}
	case "link":
		return tree.Entry{Path: name, Node: &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: value}}
	case "hard":
		return tree.Entry{Path: name, Hardlink: value}
	case "fifo":
		return tree.Entry{Path: name, Node: &tree.Node{Kind: tree.FIFO, Mode: mode}}
	case "device":
		return tree.Entry{Path: name, Node: &tree.Node{Kind: tree.Device, Mode: mode}}
	}
	t.Fatalf("%q: no such kind", line)
	return tree.Entry{}
}

// roots makes roots of patterns.
func roots(patterns ...string) []Root {
	var list []Root
	for i, p := range patterns {
		list = append(list, Root{Pattern: p, Detail: fmt.Sprintf("path in smith.yaml:%d", i+1)})
	}
	return list
}

// show writes a selection down, a line a path, with its first reason.
func show(t testing.TB, s *Selection) []string {
	t.Helper()
	var lines []string
	err := s.Tree.Walk(func(n *tree.Node) error {
		if n.Parent() == nil {
			return nil
		}
		line := fmt.Sprintf("%s %04o %s", n.Kind, n.Mode, n.Path()[1:])
		if n.Kind == tree.Symlink {
			line = fmt.Sprintf("symlink %s -> %s", n.Path()[1:], n.Link)
		}
		reasons := s.Files[n.Path()]
		if len(reasons) == 0 {
			t.Errorf("%s has no reason", n.Path())
			return nil
		}
		line += "  <- " + string(reasons[0].Rule)
		if reasons[0].From != "" {
			line += " " + reasons[0].From[1:]
		}
		if n.Kind != tree.Dir || reasons[0].Rule != "way" {
			lines = append(lines, line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func selected(t testing.TB, in Input) *Selection {
	t.Helper()
	s, err := Select(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// problems returns the lines of an *IncompleteError.
func problems(t testing.TB, in Input) []string {
	t.Helper()
	_, err := Select(t.Context(), in)
	var incomplete *IncompleteError
	if !errors.As(err, &incomplete) {
		t.Fatalf("the selection is complete, or failed otherwise: %v", err)
	}
	var lines []string
	for _, p := range incomplete.Problems {
		lines = append(lines, p.String())
	}
	return lines
}

// lines splits a raw string of expected lines.
func lines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

func same(t testing.TB, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
