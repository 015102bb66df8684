package scriptlet

import (
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// simple follows a command that is none of the script's functions.
func (e *evaluator) simple(words []value, line int) flow {
	if e.watch != nil {
		e.watch(words, line)
	}
	if !words[0].known {
		if strings.HasSuffix(words[0].text, ".rtupdate") { // Debian's python3, /usr/share/python3/runtime.d
			e.effect(Effect{Class: Irrelevant, Why: whyBytecode}, words, line)
			e.status = maybe
			return onward
		}
		e.effect(Effect{Class: Unhandled, Why: "the command is not known"}, words, line)
		e.status = maybe
		return onward
	}
	name, args := path.Base(words[0].text), words[1:]
	if f, done := e.builtin(name, args, line); done {
		return f
	}
	switch name {
	case "command", "env", "nice", "ionice", "setsid", "nohup", "chronic", "sudo":
		return e.wrapped(name, words, line)
	case "chroot":
		if len(args) > 1 && args[0].known && (args[0].text == "/" || args[0].text == "") {
			return e.simple(args[1:], line)
		}
	}
	if name == "db_get" {
		e.answered(args)
	}
	e.status = e.query(name, args)
	if readers[name] && !changes(name, args) {
		return onward
	}
	e.effect(e.classify(name, args), words, line)
	return onward
}

// wrapped follows what a command runs for its caller.
func (e *evaluator) wrapped(name string, words []value, line int) flow {
	rest := words[1:]
	for len(rest) > 0 && rest[0].known && (strings.HasPrefix(rest[0].text, "-") || strings.Contains(rest[0].text, "=")) {
		if name == "command" { // -v asks where a command is
			e.status = maybe
			return onward
		}
		rest = rest[1:]
	}
	e.status = maybe
	if len(rest) == 0 {
		return onward
	}
	return e.simple(rest, line)
}

// effect notes what a command does.
func (e *evaluator) effect(f Effect, words []value, line int) {
	if f.Class == "" {
		return
	}
	f.Command, f.Line = strings.Join(texts(words), " "), line
	if e.line > 0 {
		f.Line = e.line
	}
	if len(f.Command) > maxCommand {
		f.Command = f.Command[:maxCommand] + "…"
	}
	e.note(f)
}

// maxCommand bounds how much of a command the ledger shows, in bytes.
const maxCommand = 500

// builtin follows the shell's own commands, as far as they matter.
func (e *evaluator) builtin(name string, args []value, line int) (flow, bool) {
	e.status = yes
	switch name {
	case "exit":
		return leaveScript, true
	case "return":
		return leaveFunction, true
	case "break":
		return leaveLoop, true
	case "continue":
		return nextRound, true
	case ":", "true", "set", "trap", "umask", "export", "wait", "hash", "ulimit", "shopt":
	case "false":
		e.status = no
	case "test":
		e.status = e.test(args)
	case "[":
		if len(args) > 0 {
			args = args[:len(args)-1]
		}
		e.status = e.test(args)
	case "shift":
		if len(e.args) > 0 {
			e.args = e.args[1:]
		}
	case "unset":
		for _, a := range args {
			e.vars[a.text] = value{"", true}
		}
	case "read":
		for _, a := range args {
			e.vars[a.text] = value{"$" + a.text, false}
		}
		e.status = maybe
	case "cd":
		e.status = maybe
	case "exec":
		if len(args) > 0 { // what follows is not reached
			e.simple(args, line)
			return leaveScript, true
		}
	case "eval":
		return e.eval(args, line), true
	case ".", "source":
		e.source(args, line)
	default:
		return onward, false
	}
	return onward, true
}

// eval follows a text that is known.
func (e *evaluator) eval(args []value, line int) flow {
	for _, a := range args {
		if !a.known {
			e.effect(Effect{Class: Unhandled, Why: "what it runs is not known"}, append([]value{{"eval", true}}, args...), line)
			return onward
		}
	}
	text := strings.Join(texts(args), " ")
	file, err := parse(syntax.LangBash, text, "eval")
	if err != nil {
		e.effect(Effect{Class: Unhandled, Why: "what it runs cannot be parsed"}, append([]value{{"eval", true}}, args...), line)
		return onward
	}
	if e.depth++; e.depth > maxDepth {
		e.depth--
		return onward
	}
	f := e.run(file.Stmts)
	e.depth--
	return f
}

// source tells of a file that is read into the script.
func (e *evaluator) source(args []value, line int) {
	e.status = maybe
	f := Effect{Class: Unhandled, Why: "what the file holds is not followed"}
	if len(args) > 0 && args[0].known {
		if e.include(args[0].text) {
			return
		}
		switch {
		case strings.HasPrefix(args[0].text, "/usr/share/debconf/"):
			f = Effect{Class: Irrelevant, Why: whyDebconf}
		case strings.HasSuffix(args[0].text, "/apache2-maintscript-helper"), strings.HasSuffix(args[0].text, "/php-maintscript-helper"):
			f = Effect{Class: Irrelevant, Why: "what its functions do is known"}
		case strings.HasPrefix(args[0].text, "/etc/default/"), args[0].text == "/etc/os-release", args[0].text == "/usr/lib/os-release":
			return // settings
		}
	}
	e.effect(f, append([]value{{".", true}}, args...), line)
}

// include follows a file that the script reads as a part of itself, and reports
// whether it does.
func (e *evaluator) include(name string) bool {
	if e.script.Source == nil || strings.HasPrefix(name, "/usr/share/debconf/") {
		return false
	}
	text, ok := e.script.Source(path.Clean(name))
	if !ok || len(text) > maxScript {
		return false
	}
	file, err := parse(syntax.LangBash, text, name)
	if err != nil || e.depth >= maxDepth {
		return false
	}
	e.depth++
	e.run(file.Stmts)
	e.depth--
	e.status = yes
	return true
}

// query returns the status of commands that are asked something.
func (e *evaluator) query(name string, args []value) truth {
	switch name {
	case "getent", "id":
		return no // nobody is known in a new root
	case "dpkg":
		if len(args) == 4 && args[0].known && args[0].text == "--compare-versions" {
			return compareVersions(args[1:])
		}
	case "dpkg-maintscript-helper":
		if len(args) > 0 && args[0].known && args[0].text == "supports" {
			return yes
		}
	case "deb-systemd-helper", "systemd-detect-virt", "ischroot":
		return maybe
	}
	return maybe
}

// redirect notes a file that a command's output goes to.
func (e *evaluator) redirect(s *syntax.Stmt, r *syntax.Redirect) {
	switch r.Op {
	case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll, syntax.RdrInOut:
	default:
		return
	}
	at := e.single(r.Word)
	if at.known && (strings.HasPrefix(at.text, "/dev/") || strings.HasPrefix(at.text, "/proc/") || isNumber(at.text)) {
		return
	}
	if at.known && at.text == temporary {
		e.draft = e.copied(s)
	}
	f := e.write(at)
	if f.Class == Unhandled && f.Path != "" && r.Op != syntax.AppOut && r.Op != syntax.AppAll {
		if text, ok := e.text(s); ok {
			f = Effect{Class: Emulated, Why: "the file is on offer", File: &File{f.Path, text}}
		}
	}
	e.effect(f, []value{{">", true}, at}, int(r.Pos().Line()))
}

// copied returns the file that a command copies to its output, as cat does with
// one file, or "".
func (e *evaluator) copied(s *syntax.Stmt) string {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) != 2 {
		return ""
	}
	if command := e.single(call.Args[0]); command.text != "cat" {
		return ""
	}
	if from := e.single(call.Args[1]); from.known && path.IsAbs(from.text) {
		return from.text
	}
	return ""
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

// write is the effect of a file that is written, wherever its bytes come from.
func (e *evaluator) write(at value) Effect {
	switch {
	case at.known && isState(at.text):
		return Effect{Class: Irrelevant, Why: whyState}
	case at.known && path.Clean(at.text) == "/etc/shells":
		return Effect{Class: Irrelevant, Why: "nobody logs in to an image"}
	case at.known && strings.HasPrefix(path.Clean(at.text), "/usr/share/info/"):
		return Effect{Class: Irrelevant, Why: whyDocs}
	case !at.known:
		return Effect{Class: Unhandled, Why: "it writes a file"}
	}
	return Effect{Class: Unhandled, Why: "it writes a file", Path: path.Clean(at.text)}
}

// isState says whether a path lies where a running system keeps what it can do
// without.
func isState(name string) bool {
	for _, dir := range []string{"/run", "/var/run", "/var/log", "/var/cache", "/var/tmp", "/tmp", "/var/lib/dpkg", "/var/lib/rpm", "/var/mail", "/var/spool", "/var/backups", "/var/lock"} {
		if name = path.Clean(name); name == dir || strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}
