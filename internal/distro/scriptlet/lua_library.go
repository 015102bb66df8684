package scriptlet

import (
	"path"
	"strings"
)

// luaAsks are functions of the interpreter that change nothing; those of the
// modules string, table and math are not listed.
var luaAsks = set(`arg assert error getmetatable ipairs next pairs pcall print rawequal rawget select setmetatable tonumber tostring
	type unpack require collectgarbage os.clock os.date os.getenv os.time os.exit os.tmpname os.difftime io.close io.lines io.read io.type io.write
	rpm.b64decode rpm.b64encode rpm.define rpm.undefine rpm.expand rpm.isdefined rpm.glob rpm.input rpm.next_file rpm.redirect2null
	rpm.register rpm.unregister rpm.splitargs rpm.unsplitargs rpm.vercmp rpm.ver rpm.interactive rpm.load posix.glob
	posix.access posix.chdir posix.ctermid posix.dir posix.errno posix.files posix.fork posix.getcwd posix.getenv posix.getgroup
	posix.getlogin posix.getpasswd posix.getprocessid posix.kill posix.pathconf posix.putenv posix.readlink posix.redirect2null
	posix.setenv posix.setgid posix.setuid posix.sleep posix.stat posix.sysconf posix.times posix.ttyname posix.umask posix.uname
	posix.unsetenv posix.utime posix.wait`)

// luaCommands are functions that do what a command does.
var luaCommands = map[string][]string{
	"posix.mkdir": {"mkdir"}, "posix.mkfifo": {"mknod"}, "posix.chmod": {"chmod"}, "posix.chown": {"chown"},
	"posix.symlink": {"ln", "-s"}, "posix.link": {"ln"},
	"posix.rmdir": {"rmdir"}, "posix.unlink": {"rm"}, "os.remove": {"rm"}, "os.rename": {"mv"},
}

// builtinCall follows a call of one of the interpreter's functions.
func (l *lua) builtinCall(name string, args []luaValue, line int) luaValue {
	result := unknownLua(name + "()")
	if command, ok := luaCommands[name]; ok {
		given := words(args)
		for _, option := range command[1:] {
			given = append([]value{{option, true}}, given...)
		}
		l.effect(l.classify(command[0], given), append([]value{{name, true}}, words(args)...), line)
		return result
	}
	switch name {
	case "os.execute", "io.popen":
		l.shell(args, line)
	case "rpm.execute", "posix.exec":
		if all := words(args); len(all) > 0 {
			l.simple(all, line)
		}
	case "rpm.spawn":
		if len(args) > 0 && args[0].kind == luaList && len(args[0].list) > 0 {
			l.simple(words(args[0].list), line)
			return result
		}
		l.effect(Effect{Class: Unhandled, Why: "the command is not known"}, append([]value{{name, true}}, words(args)...), line)
	case "io.open", "rpm.open":
		l.openFile(name, args, line)
	case "error", "os.exit":
		l.ended = true
	case "assert":
		if len(args) > 0 {
			l.ended = args[0].condition() == no
			return args[0]
		}
	case "ipairs", "pairs", "tostring":
		if len(args) > 0 {
			return args[0]
		}
	case "require":
		if len(args) > 0 && args[0].kind == luaText {
			return luaValue{kind: luaBuiltin, text: args[0].text}
		}
	case "pcall":
		if len(args) > 0 && args[0].kind == luaFunction {
			l.follow(args[0].body, args[1:], line)
			l.ended = false
		}
	case "posix.access", "posix.stat":
		if len(args) > 0 {
			return l.asked(args[0], result)
		}
	default:
		if !luaAsks[name] && !strings.HasPrefix(name, "string.") && !strings.HasPrefix(name, "table.") && !strings.HasPrefix(name, "math.") {
			l.effect(Effect{Class: Unhandled, Why: "smith does not know what it does"}, append([]value{{name, true}}, words(args)...), line)
		}
	}
	return result
}

// asked says what is known of a path: nil where nothing is there.
func (l *lua) asked(name, result luaValue) luaValue {
	switch l.exists(name.word()) {
	case no:
		return luaValue{kind: luaNil}
	case yes:
		return luaValue{kind: luaBool, truth: true}
	}
	return result
}

// shell follows a text that a shell is given.
func (l *lua) shell(args []luaValue, line int) {
	if len(args) == 0 {
		return
	}
	l.line = line
	l.eval([]value{args[0].word()}, line)
	l.line = 0
}

// openFile notes a file that is opened to be written.
func (l *lua) openFile(name string, args []luaValue, line int) {
	if len(args) < 2 {
		return // to be read
	}
	mode := args[1].word()
	if mode.known && !strings.ContainsAny(mode.text, "wa+") {
		return
	}
	at := args[0].word()
	if at.known && path.IsAbs(at.text) && strings.HasPrefix(at.text, "/dev/") {
		return
	}
	l.effect(l.write(at), append([]value{{name, true}}, words(args)...), line)
}
