package scriptlet

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"smith/internal/distro/accounts"
)

// account is the effect of a command that makes users and groups, or changes
// them.
func account(command string) func(*evaluator, []value) Effect {
	return func(_ *evaluator, args []value) Effect {
		known := true
		for _, a := range args {
			known = known && (a.known || strings.HasPrefix(a.text, "-"))
		}
		c, ok := accounts.Command(command, texts(args))
		switch {
		case !ok:
			return Effect{Class: Irrelevant, Why: "it changes what an image's files do not depend on"}
		case !known && (c.User != nil && strings.ContainsAny(c.User.Name, "$…") || c.Group != nil && strings.ContainsAny(c.Group.Name, "$…")):
			return Effect{Class: Unhandled, Why: "the name of the account is not known: a server that changes to that user does not start"}
		}
		return Effect{Class: Emulated, Why: "the image knows the account", Account: &c}
	}
}

// owned notes for whom files are: an image's files have one owner, but a server
// may look the name up.
func owned(_ *evaluator, args []value) Effect {
	words := operands(args, "")
	f := Effect{Class: Irrelevant, Why: whyModes}
	if len(words) > 0 && words[0].known {
		f.Names = names(words[0].text)
	}
	return f
}

// names returns the users and groups in "user:group".
func names(owner string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(owner, func(r rune) bool { return r == ':' }), func(name string) bool {
		return strings.Trim(name, "0123456789") == "" || name == "root"
	})
}

// overridden is dpkg-statoverride --add USER GROUP MODE PATH.
func overridden(_ *evaluator, args []value) Effect {
	f := Effect{Class: Irrelevant, Why: whyModes}
	words := operands(args, "")
	if len(words) == 4 && words[0].known && words[1].known {
		f.Names = names(words[0].text + ":" + words[1].text)
	}
	return f
}

func fresh(*evaluator, []value) Effect { return Effect{Class: Irrelevant, Why: whyFresh} }

func message(*evaluator, []value) Effect { return Effect{Class: Irrelevant, Why: whyMessage} }

// lacks is the effect of a command that is not emulated, by what is missing
// then.
func lacks(why string) func(*evaluator, []value) Effect {
	return func(*evaluator, []value) Effect { return Effect{Class: Unhandled, Why: why} }
}

func tex(*evaluator, []value) Effect {
	return Effect{Class: Unhandled, Why: "TeX finds no formats and no list of files: run fmtutil-sys --all and mktexlsr in a root of these packages, and add the results with rootfs/", Path: "/var/lib/texmf"}
}

// option returns the word that follows one of some options, or that an option
// is joined to.
func option(args []value, names ...string) (value, bool) {
	for i, a := range args {
		for _, name := range names {
			if a.text == name && i+1 < len(args) {
				return args[i+1], true
			}
			if text, ok := strings.CutPrefix(a.text, name+"="); ok && strings.HasPrefix(name, "--") {
				return value{text, a.known}, true
			}
		}
	}
	return value{}, false
}

// divert makes a file of other packages give way: dpkg-divert [--add] FILE.
func divert(_ *evaluator, args []value) Effect {
	for _, a := range args {
		switch a.text {
		case "--remove", "--list", "--listpackage", "--truename":
			return Effect{Class: Irrelevant, Why: whyUpgrade}
		}
	}
	to, renamed := option(args, "--divert")
	var words []value
	for i := 0; i < len(args); i++ {
		switch {
		case slices.Contains([]string{"--package", "--divert", "--admindir", "--instdir", "--root"}, args[i].text):
			i++
		case !strings.HasPrefix(args[i].text, "-"):
			words = append(words, args[i])
		}
	}
	if len(words) != 1 || !words[0].known || !path.IsAbs(words[0].text) || renamed && (!to.known || !path.IsAbs(to.text)) {
		return last(words, "a file of another package would be renamed")
	}
	d := Divert{Path: path.Clean(words[0].text), To: path.Clean(to.text)}
	if !renamed {
		d.To = d.Path + ".distrib"
	}
	return Effect{Class: Emulated, Why: "the file of the other packages gives way", Divert: &d}
}

// copied is cp SOURCE… DESTINATION.
func copied(_ *evaluator, args []value) Effect {
	if _, into := option(args, "-t", "--target-directory"); into {
		return Effect{Class: Unhandled, Why: "it writes a file"}
	}
	return copies(operands(args, "S"), "it writes a file")
}

// copies is the effect of files that are copied to where the last of some paths
// leads.
func copies(words []value, why string) Effect {
	for _, w := range words {
		if !w.known || !path.IsAbs(w.text) || len(words) < 2 {
			return last(words, why)
		}
	}
	if len(words) < 2 {
		return last(words, why)
	}
	to := words[len(words)-1].text
	if strings.Contains(path.Base(to), ".distrib") {
		return Effect{Class: Irrelevant, Why: whyDiverted}
	}
	if isState(to) {
		return Effect{Class: Irrelevant, Why: whyState}
	}
	f := Effect{Class: Emulated, Why: "the copy is on offer"}
	if !strings.HasSuffix(to, "/") {
		to = path.Clean(to)
	}
	for _, w := range words[:len(words)-1] {
		f.Copies = append(f.Copies, Copy{From: path.Clean(w.text), To: to})
	}
	return f
}

// configuration copies a file to where the administrator may change it: ucf
// SOURCE DESTINATION.
//
// A temporary file that began as a copy of another stands for that.
func configuration(e *evaluator, args []value) Effect {
	words := operands(args, "s")
	if len(words) == 0 || slices.ContainsFunc(args, func(a value) bool { return a.text == "--purge" || a.text == "-p" }) {
		return Effect{Class: Irrelevant, Why: whyUpgrade}
	}
	if len(words) > 2 {
		words = words[len(words)-2:]
	}
	if words[0].text == temporary && e.draft != "" {
		words = slices.Clone(words)
		words[0].text = e.draft
	}
	return copies(words, "it brings a configuration file")
}

// directory is mkdir DIRECTORY…: only the last one is noted where there are
// several, for all but one are on the way to it.
func directory(_ *evaluator, args []value) Effect {
	return made(operands(args, "mZ"), "", "")
}

func made(words []value, user, group string) Effect {
	f := Effect{Class: Irrelevant, Why: whyFolder}
	if len(words) == 0 {
		return f
	}
	if at := words[len(words)-1]; at.known && path.IsAbs(at.text) && at.text != temporary {
		return Effect{Class: Emulated, Why: "the directory is on offer", Directory: &Directory{path.Clean(at.text), user, group}, Names: names(user + ":" + group)}
	}
	return f
}

// install copies files, or makes directories with -d (install(1)).
func install(_ *evaluator, args []value) Effect {
	user, _ := option(args, "-o", "--owner")
	group, _ := option(args, "-g", "--group")
	for _, a := range args {
		if a.text == "--directory" || strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && strings.Contains(a.text, "d") {
			return made(operands(args, "mogtS"), user.text, group.text)
		}
	}
	f := copies(operands(args, "mogtS"), "it writes a file")
	f.Names = names(user.text + ":" + group.text)
	return f
}

// touch makes an empty file, or takes another file's date. Below /var/log and
// the like it is some program's state.
func touch(_ *evaluator, args []value) Effect {
	for _, a := range args {
		if a.text == "-r" || strings.HasPrefix(a.text, "--reference") {
			return Effect{Class: Irrelevant, Why: whyTimes}
		}
		if a.text == "-c" || a.text == "--no-create" {
			return Effect{Class: Irrelevant, Why: whyTimes}
		}
	}
	words := operands(args, "dt")
	f := last(words, "it writes a file")
	if f.Class == Unhandled && f.Path != "" {
		return Effect{Class: Emulated, Why: "the file is on offer", File: &File{Path: f.Path}}
	}
	return f
}

// enable switches on parts of apache2's configuration by their names.
func enable(kind string) func(*evaluator, []value) Effect {
	return func(e *evaluator, args []value) Effect {
		words := operands(args, "")
		if len(words) == 0 || slices.ContainsFunc(words, func(w value) bool { return !w.known }) {
			return Effect{Class: Unhandled, Why: "which part of apache2's configuration it switches on is not known"}
		}
		for _, w := range words[1:] {
			e.note(enabled(Enable{Kind: kind, Name: w.text}, "a2en"+kind+" "+w.text))
		}
		return enabled(Enable{Kind: kind, Name: words[0].text}, "")
	}
}

func enabled(n Enable, command string) Effect {
	return Effect{Class: Emulated, Why: "the link that switches it on is on offer", Enable: &n, Command: command}
}

// apacheInvoke is the function of apache2-maintscript-helper: enmod NAME.
func apacheInvoke(e *evaluator, args []value) Effect {
	if len(args) < 2 || !args[0].known || !strings.HasPrefix(args[0].text, "en") {
		return fresh(e, args)
	}
	return enable(strings.TrimPrefix(args[0].text, "en"))(e, args[1:2])
}

// switchMPM is the function of apache2-maintscript-helper: switch_mpm NAME.
func switchMPM(_ *evaluator, args []value) Effect {
	if len(args) == 0 || !args[0].known {
		return Effect{Class: Unhandled, Why: "which module for processes apache2 is switched to is not known"}
	}
	return enabled(Enable{Kind: "mpm", Name: args[0].text}, "")
}

// phpEnable is phpenmod [-v VERSION] [-s SAPI] MODULE….
func phpEnable(e *evaluator, args []value) Effect {
	version, _ := option(args, "-v")
	sapi, ok := option(args, "-s")
	if !ok {
		sapi = value{"ALL", true}
	}
	words := operands(args, "vsm")
	if len(words) == 0 {
		return fresh(e, args)
	}
	return php(e, version, sapi, words)
}

// phpInvoke is the function of php-maintscript-helper: enmod VERSION SAPI
// MODULE.
func phpInvoke(e *evaluator, args []value) Effect {
	if len(args) < 4 || !args[0].known || args[0].text != "enmod" {
		return fresh(e, args)
	}
	return php(e, args[1], args[2], args[3:4])
}

func php(e *evaluator, version, sapi value, modules []value) Effect {
	if !version.known || !sapi.known {
		return Effect{Class: Unhandled, Why: "which of PHP's modules it switches on is not known"}
	}
	name := func(v value) string {
		if !v.known { // phpquery tells the script all that there are
			return ""
		}
		module, _, _ := strings.Cut(v.text, "/")
		return module
	}
	for _, w := range modules[1:] {
		e.note(enabled(Enable{Kind: "php", Name: name(w), Version: version.text, SAPI: sapi.text}, "phpenmod "+w.text))
	}
	return enabled(Enable{Kind: "php", Name: name(modules[0]), Version: version.text, SAPI: sapi.text}, "")
}

func member(*evaluator, []value) Effect {
	return Effect{Class: Irrelevant, Why: "nobody logs in to an image"}
}

// text returns what a command writes to its output, where all of it is known:
// echo, printf without a format, and cat with a text in the script.
func (e *evaluator) text(s *syntax.Stmt) (string, bool) {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	var words []value
	for _, w := range call.Args {
		words = append(words, e.fields(w)...)
	}
	for _, w := range words {
		if !w.known {
			return "", false
		}
	}
	if len(words) == 0 {
		return "", false
	}
	args := texts(words[1:])
	switch words[0].text {
	case "echo":
		if len(args) > 0 && args[0] == "-n" {
			return strings.Join(args[1:], " "), true
		}
		return strings.Join(args, " ") + "\n", len(args) == 0 || !strings.HasPrefix(args[0], "-")
	case "printf":
		if len(args) == 1 && !strings.ContainsAny(args[0], `%\`) {
			return args[0], true
		}
	case "cat":
		for _, r := range s.Redirs {
			if len(args) == 0 && (r.Op == syntax.Hdoc || r.Op == syntax.DashHdoc) && r.Hdoc != nil {
				body := e.single(r.Hdoc)
				if r.Op == syntax.DashHdoc {
					body.text = undented(body.text)
				}
				return body.text, body.known
			}
		}
	}
	return "", false
}

// undented takes the tabs at the beginning of lines away.
func undented(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimLeft(line, "\t")
	}
	return strings.Join(lines, "")
}

// answered gives the variable of debconf's answers the default of a question
// (debconf-devel(7), db_get): nobody is asked anything.
func (e *evaluator) answered(args []value) {
	e.vars["RET"] = value{"$RET", false}
	if len(args) == 0 || !args[0].known {
		return
	}
	if answer, ok := e.script.Answers[args[0].text]; ok {
		e.vars["RET"] = value{answer, true}
	}
}
