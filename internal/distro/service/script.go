package service

import (
	"path"
	"slices"
	"strings"

	"smith/internal/distro/scriptlet"
	"smith/internal/tree"
)

// scriptAt reads the init script at a path, as it would go on if it were called
// with the word start (LSB Core, "Init Script Actions").
func scriptAt(t *tree.Tree, name string) (Service, bool) {
	if dir := path.Dir(name); dir != "/etc/init.d" && dir != "/etc/rc.d/init.d" || !regular(t, name) {
		return Service{}, false
	}
	text, ok := read(t, name)
	if !ok || strings.Contains(firstLine(text), "openrc-run") {
		return Service{}, false
	}
	described := strings.Contains(firstLine(text), "init-d-script") // init-d-script(5): variables only
	if described {
		text = "#!/bin/sh\n" + text
	}
	trace, err := scriptlet.Follow(scriptlet.Script{
		Name: name, Text: text, Args: []string{"start"}, Source: func(name string) (string, bool) { return sourced(t, name) },
		Has: t.Exists,
	})
	if err != nil {
		return Service{}, false
	}
	s := Service{Name: path.Base(name), From: []string{name}, Forks: true}
	vars := trace.Variables
	found := false
	for _, c := range trace.Commands {
		if started, ok := start(c.Words, s); ok {
			s, found = started, true
			break
		}
	}
	if !found && path.IsAbs(vars["DAEMON"]) && (described || commandOf(trace, vars["DAEMON"]) != nil) {
		s.Program, found = vars["DAEMON"], true
		s.Args = split(first(vars, "DAEMON_ARGS", "DAEMON_OPTS"))
		if words := commandOf(trace, s.Program); words != nil {
			s.Args = known(words[1:])
		}
	}
	if s.User == "" {
		s.User, s.Group = account(first(vars, "DAEMONUSER", "DAEMON_USER"))
	}
	for _, c := range trace.Commands {
		s.made(c.Words)
	}
	if pid := first(vars, "PIDFILE", "PIDFile"); strings.HasPrefix(placed(pid), "/run/") && path.Dir(placed(pid)) != "/run" {
		s.directory(Directory{Path: path.Dir(pid), Class: Runtime, User: s.User, Group: s.Group})
	}
	s.sorted()
	return s, found
}

// sourced returns the text of a file of settings. The functions of the
// distribution are none: what they are called with says enough.
func sourced(t *tree.Tree, name string) (string, bool) {
	for _, dir := range []string{"/etc/default/", "/etc/sysconfig/", "/etc/conf.d/"} {
		if strings.HasPrefix(name, dir) {
			return read(t, name)
		}
	}
	return "", false
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// first returns the value of the first variable that is not empty.
func first(vars map[string]string, names ...string) string {
	for _, name := range names {
		if vars[name] != "" {
			return vars[name]
		}
	}
	return ""
}

// known returns the words up to the first that is not known.
func known(words []scriptlet.Word) []string {
	var all []string
	for _, w := range words {
		if !w.Known {
			break
		}
		all = append(all, w.Text)
	}
	return all
}

// commandOf returns the words of a command that a script runs by its path, or
// nil.
func commandOf(trace scriptlet.Trace, program string) []scriptlet.Word {
	for _, c := range trace.Commands {
		if c.Words[0].Known && c.Words[0].Text == program {
			return c.Words
		}
	}
	return nil
}

// account splits "user:group".
func account(text string) (user, group string) {
	text = strings.ReplaceAll(text, ".", ":")
	user, group, _ = strings.Cut(text, ":")
	if user == "root" || strings.ContainsAny(user, "$ ") {
		return "", ""
	}
	return user, group
}

// start reads a call of start-stop-daemon(8), or of the functions daemon (Red
// Hat's /etc/init.d/functions) and start_daemon (LSB Core, "Init Script
// Functions").
func start(words []scriptlet.Word, s Service) (Service, bool) {
	if len(words) == 0 || !words[0].Known {
		return s, false
	}
	switch path.Base(words[0].Text) {
	case "start-stop-daemon":
		return startStop(words[1:], s)
	case "start_daemon":
		return function(words[1:], s, "npu")
	case "daemon":
		return function(words[1:], s, "")
	}
	return s, false
}

// valued are the options of start-stop-daemon that take a word.
var valued = map[string]string{
	"-x": "exec", "--exec": "exec", "-a": "startas", "--startas": "startas", "-c": "chuid", "--chuid": "chuid", "-u": "user", "--user": "user",
	"-g": "group", "--group": "group", "-d": "chdir", "--chdir": "chdir", "-p": "pidfile", "--pidfile": "pidfile", "-n": "name", "--name": "name",
	"-s": "signal", "--signal": "signal", "-R": "retry", "--retry": "retry", "-N": "nicelevel", "--nicelevel": "nicelevel", "-k": "umask", "--umask": "umask",
	"-P": "procsched", "--procsched": "procsched", "-I": "iosched", "--iosched": "iosched", "-r": "chroot", "--chroot": "chroot", "-O": "output",
	"--output": "output", "--pid": "pid", "--ppid": "ppid", "--notify-timeout": "timeout", "-e": "env", "--env": "env",
}

func startStop(words []scriptlet.Word, s Service) (Service, bool) {
	got, begins := map[string]string{}, false
	var rest []scriptlet.Word
	for i := 0; i < len(words); i++ {
		w := words[i]
		name, value, joined := strings.Cut(w.Text, "=")
		switch {
		case w.Text == "--":
			rest = words[i+1:]
		case w.Text == "--start" || w.Text == "-S":
			begins = true
		case w.Text == "--background" || w.Text == "-b":
			s.Forks = false // start-stop-daemon puts into the background what stays in the foreground
		case w.Text == "--test" || w.Text == "-t":
			return s, false
		case joined && valued[name] != "":
			got[valued[name]] = value
		case valued[w.Text] != "" && i+1 < len(words):
			if i++; words[i].Known {
				got[valued[w.Text]] = words[i].Text
			}
		case w.Known && path.IsAbs(w.Text) && got["exec"] == "":
			got["exec"] = w.Text
		}
		if rest != nil {
			break
		}
	}
	program := got["startas"]
	if !path.IsAbs(program) {
		program = got["exec"]
	}
	if !begins || !path.IsAbs(program) {
		return s, false
	}
	s.Program, s.Args, s.Dir = program, known(rest), got["chdir"]
	s.User, s.Group = account(got["chuid"])
	if s.Group == "" {
		s.Group = got["group"]
	}
	return s, true
}

// function reads the words of daemon or start_daemon; short names its options
// of one letter that take a word.
func function(words []scriptlet.Word, s Service, short string) (Service, bool) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case !w.Known:
			return s, false
		case strings.HasPrefix(w.Text, "--user="):
			s.User, s.Group = account(strings.TrimPrefix(w.Text, "--user="))
		case w.Text == "--user" && i+1 < len(words):
			i++
			s.User, s.Group = account(words[i].Text)
		case w.Text == "--pidfile" || w.Text == "--check":
			i++
		case len(w.Text) == 2 && w.Text[0] == '-' && strings.Contains(short, w.Text[1:]):
			i++
		case strings.HasPrefix(w.Text, "-") || strings.HasPrefix(w.Text, "+"):
		default:
			line := known(words[i:])
			if len(line) == 1 { // daemon takes a command in one word
				line = split(line[0])
			}
			if len(line) == 0 || !path.IsAbs(line[0]) {
				return s, false
			}
			s.Program, s.Args = line[0], line[1:]
			return s, true
		}
	}
	return s, false
}

// made adds the directories that a command of a script makes: mkdir, install
// -d, and OpenRC's checkpath.
func (s *Service) made(words []scriptlet.Word) {
	if len(words) < 2 || !words[0].Known {
		return
	}
	name := path.Base(words[0].Text)
	flags := func(letter string) bool {
		return slices.ContainsFunc(words, func(w scriptlet.Word) bool {
			return strings.HasPrefix(w.Text, "-") && !strings.HasPrefix(w.Text, "--") && strings.Contains(w.Text, letter)
		})
	}
	switch {
	case name == "mkdir":
	case name == "install" && (flags("d") || slices.Contains(words, scriptlet.Word{Text: "--directory", Known: true})):
	case name == "checkpath" && (flags("d") || flags("D") || slices.Contains(words, scriptlet.Word{Text: "--directory", Known: true})):
	default:
		return
	}
	var d Directory
	for i, w := range words[1:] {
		switch before := words[i].Text; {
		case !w.Known:
		case before == "-o" || before == "--owner":
			d.User, d.Group = account(w.Text)
		case before == "-g" && name == "install":
			d.Group = w.Text
		case path.IsAbs(w.Text):
			if class, ok := ClassOf(placed(w.Text)); ok && class != Configuration {
				d.Path, d.Class = w.Text, class
				s.directory(d)
			}
		}
	}
}

// openRCAt reads a file of OpenRC (openrc-run(8)).
func openRCAt(t *tree.Tree, name string) (Service, bool) {
	if path.Dir(name) != "/etc/init.d" || !regular(t, name) {
		return Service{}, false
	}
	text, ok := read(t, name)
	if !ok || !strings.Contains(firstLine(text), "openrc-run") {
		return Service{}, false
	}
	base := path.Base(name)
	settings, _ := read(t, "/etc/conf.d/"+base)
	trace, err := scriptlet.Follow(scriptlet.Script{
		Name: name, Text: "#!/bin/sh\n" + settings + "\n" + text, Env: map[string]string{"RC_SVCNAME": base, "SVCNAME": base},
	}, "start_pre", "start")
	if err != nil {
		return Service{}, false
	}
	vars := trace.Variables
	s := Service{Name: base, From: []string{name}, Dir: vars["directory"]}
	s.User, s.Group = account(vars["command_user"])
	if s.Program = vars["command"]; path.IsAbs(s.Program) {
		s.Args = append(split(vars["command_args"]), split(vars["command_args_foreground"])...)
		s.Forks = vars["command_args_foreground"] == "" && vars["supervisor"] == "" && vars["command_background"] == ""
	} else {
		i := slices.IndexFunc(trace.Commands, func(c scriptlet.Command) bool { _, ok := start(c.Words, s); return ok })
		if i < 0 {
			return s, false
		}
		s, _ = start(trace.Commands[i].Words, s)
	}
	for _, c := range trace.Commands {
		s.made(c.Words)
	}
	s.sorted()
	return s, true
}

// exported returns the variables that a script of settings exports, as
// NAME=value.
func exported(t *tree.Tree, name string, env map[string]string) []string {
	text, ok := read(t, name)
	if !ok {
		return nil
	}
	trace, err := scriptlet.Follow(scriptlet.Script{Name: name, Text: text, Env: env})
	if err != nil {
		return nil
	}
	var all []string
	for _, name := range sortedKeys(trace.Variables) {
		if strings.Contains(text, "export "+name) && trace.Variables[name] != "" {
			all = append(all, name+"="+trace.Variables[name])
		}
	}
	return all
}
