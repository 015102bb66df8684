package scriptlet

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"smith/internal/nesting"
)

// A Word is one of a command's, as far as it is known: where it is not, Text
// shows what the script says.
type Word struct {
	Text  string
	Known bool
}

// A Command is one that a script would run.
type Command struct {
	Words []Word
	Line  int
}

// A Trace is what is known of a script when its end is reached.
type Trace struct {
	// Variables are those whose values are known.
	Variables map[string]string
	// Commands are those that the script may run, in their order.
	Commands []Command
}

// maxCommands bounds the commands of a trace.
const maxCommands = 5000

// Follow follows a script of the shell as Read does, then those of its
// functions that are named, and returns the commands that it runs, and the
// values of its variables. An init script is such a script, and so are the
// files of OpenRC.
func Follow(s Script, functions ...string) (Trace, error) {
	trace := Trace{Variables: map[string]string{}}
	file, err := parsed(s)
	if err != nil {
		return trace, err
	}
	e := newEvaluator(s)
	e.watch = func(words []value, line int) {
		if len(trace.Commands) == maxCommands {
			return
		}
		c := Command{Line: line}
		for _, w := range words {
			c.Words = append(c.Words, Word{w.text, w.known})
		}
		trace.Commands = append(trace.Commands, c)
	}
	e.run(file.Stmts)
	for _, name := range functions {
		if body := e.functions[name]; body != nil {
			e.function(body, nil, int(body.Pos().Line()))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.vars)) {
		if v := e.vars[name]; v.known {
			trace.Variables[name] = v.text
		}
	}
	return trace, nil
}

// parsed parses a script of the shell.
func parsed(s Script) (*syntax.File, error) {
	language, reason := languageOf(s.Text)
	if reason != "" {
		return nil, fmt.Errorf("%s", reason)
	}
	return parse(language, s.Text, s.Name)
}

// parse parses a text that does not nest too deeply for the parser, which calls
// itself for all that nests.
func parse(language syntax.LangVariant, text, name string) (*syntax.File, error) {
	if deep := tooDeep(text); deep != "" {
		return nil, fmt.Errorf("%s", deep)
	}
	file, err := syntax.NewParser(syntax.Variant(language)).Parse(strings.NewReader(text), name)
	if err != nil {
		return nil, fmt.Errorf("it cannot be parsed: %w", err)
	}
	return file, nil
}

// tooDeep returns why a text of the shell is not parsed, or "". The limits are
// some ten times what the largest scripts of Debian and Fedora have.
func tooDeep(text string) string {
	for _, g := range []nesting.Grammar{
		{Characters: "([{`", Words: []string{"if", "while", "until", "for", "case", "select", "time", "coproc", "function"}, Limit: 20_000},
		{Characters: "|?=!", Limit: 60_000},
	} {
		if g.Exceeds(text) {
			return fmt.Sprintf("it has more than %d places at which it may nest", g.Limit)
		}
	}
	return ""
}

// luaTooDeep returns why a text in Lua is not parsed, or "".
func luaTooDeep(text string) string {
	for _, g := range []nesting.Grammar{
		{Characters: "([{", Words: []string{"if", "elseif", "while", "for", "repeat", "do", "function", "not"}, Limit: 20_000},
		{Characters: "-#^.+*/%=<>~", Words: []string{"and", "or"}, Limit: 60_000},
	} {
		if g.Exceeds(text) {
			return fmt.Sprintf("it has more than %d places at which it may nest", g.Limit)
		}
	}
	return ""
}
