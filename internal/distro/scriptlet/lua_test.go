package scriptlet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func luaScript(text string) Script {
	return Script{Name: "post", Text: "#!<lua>\n" + text, Args: []string{"1"}}
}

func TestReadLua(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing": {"return 0", ""},
		"links and folders": {
			"posix.mkdir('/usr/lib/debug')\nposix.symlink('usr/lib64', '/lib64')\nos.rename('/a', '/b')\n",
			"1 emulated: posix.mkdir /usr/lib/debug\n2 emulated: posix.symlink usr/lib64 /lib64\n3 irrelevant: os.rename /a /b\n",
		},
		"a loop over a list": {
			"for i, name in ipairs({\"passwd\", \"shadow\"}) do\n os.remove(\"/etc/\"..name..\".rpmnew\")\nend\n",
			"2 irrelevant: os.remove /etc/passwd.rpmnew\n2 irrelevant: os.remove /etc/shadow.rpmnew\n",
		},
		"a list of lists": {
			"for _, p in ipairs({{'usr/bin', '/bin'}, {'usr/sbin', '/sbin'}}) do posix.symlink(p[1], p[2]) end",
			"1 emulated: posix.symlink usr/bin /bin\n1 emulated: posix.symlink usr/sbin /sbin\n",
		},
		"fork and exec": {
			"if posix.access ('/sbin/ldconfig', 'x') then\n local pid = posix.fork ()\n if pid == 0 then\n  posix.exec ('/sbin/ldconfig')\n elseif pid ~= -1 then\n  posix.wait (pid)\n end\nend\n",
			"4 emulated: /sbin/ldconfig\n",
		},
		"a function that runs what it is given": {
			"function post_exec (program, ...)\n  local pid = posix.fork ()\n  if pid == 0 then\n    posix.exec (program, ...)\n    assert (nil)\n  end\nend\n" +
				"local dir = '/usr/lib64/gconv'\npost_exec ('/usr/sbin/iconvconfig', '-o', dir .. '/gconv-modules.cache')\npost_exec('/sbin/ldconfig')\n",
			"4 irrelevant: /usr/sbin/iconvconfig -o /usr/lib64/gconv/gconv-modules.cache\n4 emulated: /sbin/ldconfig\n",
		},
		"a shell's command": {
			"if posix.access('/usr/bin/newaliases', 'x') then\n os.execute('/usr/bin/newaliases >/dev/null; cp /a /etc/b')\nend\n",
			"2 irrelevant: /usr/bin/newaliases\n2 emulated: cp /a /etc/b\n",
		},
		"files": {
			"f = io.open('/etc/shells', 'a+')\nif f then\n if not f:read('*all'):find('sh') then f:write('/bin/sh') end\n f:close()\nend\n" +
				"io.open('/etc/passwd')\nio.open('/etc/made', 'w'):write('x')\nlocal f = rpm.open('/etc/other', 'r')\n",
			"1 irrelevant: io.open /etc/shells a+\n7 unhandled: io.open /etc/made w\n",
		},
		"programs without a shell": {
			"rpm.execute('systemctl', 'daemon-reexec')\nrpm.spawn({'frobnicate', '/etc/x'}, {stdout='/dev/null'})\nlocal x = rpm.execute\nx('ldconfig')\n",
			"1 irrelevant: systemctl daemon-reexec\n2 unhandled: frobnicate /etc/x\n4 emulated: ldconfig\n",
		},
		"a kernel that is too old": {
			"required = '3.2.0'\nrel = posix.uname('%r')\nif rpm.vercmp(rel, required) < 0 then error('too old', 0) end\nposix.symlink('a', '/b')\n",
			"4 emulated: posix.symlink a /b\n",
		},
		"the end":                        {"error('no')\nposix.symlink('a', '/b')\n", ""},
		"the first installation":         {"if arg[2] == '1' then posix.symlink('a', '/b') else posix.symlink('c', '/d') end", "1 emulated: posix.symlink a /b\n"},
		"what is not known":              {"local p = rpm.expand('%{_libdir}')\nposix.symlink('a', p..'/b')\nlocal f = t[p]\nf(1)\n", "2 unhandled: posix.symlink a rpm.expand()/b\n4 unhandled: t.rpm.expand() 1\n"},
		"a function that nobody knows":   {"lfs.mkdir('/x')", "1 unhandled: lfs.mkdir /x\n"},
		"either way":                     {"if posix.stat('/x') then p = '/a' else p = '/b' end\nposix.symlink('x', p)\n", "2 unhandled: posix.symlink x p\n"},
		"logic":                          {"local d = nil or '/usr'\nif not (d and posix.stat(d)) or false then posix.symlink('x', d..'/y') end", "2 emulated: posix.symlink x /usr/y\n"},
		"no Lua":                         {"if then\n", "1 unhandled: if then\n"},
		"a loop that does not end":       {"while true do posix.symlink('a', '/b') end\nrepeat os.remove('/x') until false", "1 emulated: posix.symlink a /b\n2 irrelevant: os.remove /x\n"},
		"functions that call each other": {"function f() f() f() end\nf()", "1 unhandled: …\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, ledger(Read(luaScript(c.text)))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Before the package is there, nothing of it is; before any is, nothing is.
func TestBefore(t *testing.T) {
	has := func(string) bool { return true }
	text := "if posix.stat('/usr/lib/x') then posix.symlink('a', '/there') else posix.symlink('a', '/absent') end"
	for name, want := range map[string]string{
		"post":     "1 emulated: posix.symlink a /there\n",
		"pre":      "1 emulated: posix.symlink a /there\n1 emulated: posix.symlink a /absent\n",
		"pretrans": "1 emulated: posix.symlink a /absent\n",
	} {
		s := luaScript(text)
		s.Name, s.Before, s.Has = name, name != "post", has
		if d := cmp.Diff(want, ledger(Read(s))); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func FuzzReadLua(f *testing.F) {
	for _, text := range []string{
		"for i, n in ipairs({'a', {b = 1}}) do os.remove('/etc/'..n) end", "function f(a, ...) return a and f(...) or not -a end f(1, 2)",
		"local t = {1, 2}; t[1] = t[2]; repeat x = #t until x > 3 or x <= 2 goto e ::e:: while y do break end for i = 1, 3 do end",
		"if posix.access('/x', 'x') == nil then os.execute('ldconfig; ln -s a /b') end", "pcall(function() error() end) assert(nil)",
		strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000), "x = " + strings.Repeat("'a'..", 2000) + "'b'",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, e := range Read(luaScript(text)) {
			if e.Class != Emulated && e.Class != Irrelevant && e.Class != Unhandled || e.Why == "" {
				t.Errorf("%+v", e)
			}
		}
	})
}
