package scriptlet

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smith/internal/golden"
)

// ledger shows effects, a line each.
func ledger(effects []Effect) string {
	var b strings.Builder
	for _, f := range effects {
		fmt.Fprintf(&b, "%d %s: %s\n", f.Line, f.Class, f.Command)
	}
	return b.String()
}

func postinst(text string) Script {
	return Script{Name: "postinst", Text: text, Args: []string{"configure", ""}, Env: map[string]string{"DPKG_MAINTSCRIPT_ARCH": "arm64"}}
}

func TestRead(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing": {"#!/bin/sh\nset -e\nexit 0\nldconfig\n", ""},
		"the branch of a first installation": {
			"case \"$1\" in\nconfigure|other) ldconfig ;;\nabort*) rm /x ;;\n*) exit 1 ;;\nesac\n",
			"2 emulated: ldconfig\n",
		},
		"if": {
			"if [ \"$1\" = configure ] && [ -z \"$2\" ]; then ldconfig; else mandb; fi\nif [ $# -lt 2 ]; then mandb; fi\n",
			"1 emulated: ldconfig\n",
		},
		"what is not known goes both ways": {
			"if [ -e /etc/x ]; then a=1; else a=2; exit; fi\nif grep -q x /etc/y; then b=1; else b=2; fi\nmandb $a $b\n",
			"3 irrelevant: mandb 1 $b\n",
		},
		"an older version": {
			"if dpkg --compare-versions \"$2\" lt-nl 1.2; then rm /etc/old; fi\nif dpkg --compare-versions \"$2\" lt 1.2; then ldconfig; fi\n",
			"2 emulated: ldconfig\n",
		},
		"variables and lists": {
			"dir=/usr/bin\nfor n in a b$x; do update-alternatives --install $dir/$n ${n} $dir/$n.${DPKG_MAINTSCRIPT_ARCH} 50; done\n",
			"2 emulated: update-alternatives --install /usr/bin/a a /usr/bin/a.arm64 50\n2 emulated: update-alternatives --install /usr/bin/b b /usr/bin/b.arm64 50\n",
		},
		"continued lines, and options between": {
			"update-alternatives --quiet \\\n --install /bin/nc nc /bin/nc.x 5 \\\n --slave /bin/netcat netcat \"/bin/nc.x\"\n",
			"1 emulated: update-alternatives --quiet --install /bin/nc nc /bin/nc.x 5 --slave /bin/netcat netcat /bin/nc.x\n",
		},
		"functions": {
			"go() { local d=\"$1\"; shift; for i; do ln -s \"$d/$i\" \"/opt/$i\"; done; return 0; mandb; }\ngo /srv 1 2\n",
			"1 emulated: ln -s /srv/1 /opt/1\n1 emulated: ln -s /srv/2 /opt/2\n",
		},
		"expansions": {
			"f=/usr/lib/a.b.so\nln -s ${f##*/} /x1${f%%.*}\nln -s ${f#/usr} ${none:-/x2}${f%.so}\nln -s $(basename $f .so) $(dirname $f)/link\n",
			"2 emulated: ln -s a.b.so /x1/usr/lib/a\n3 emulated: ln -s /lib/a.b.so /x2/usr/lib/a.b\n4 emulated: ln -s a.b /usr/lib/link\n",
		},
		"a while loop that shifts": {
			"set_all() { while [ $# -gt 0 ]; do ln -s /t \"/l/$1\"; shift; done; }\nset_all a b\n",
			"1 emulated: ln -s /t /l/a\n1 emulated: ln -s /t /l/b\n",
		},
		"services": {
			"if [ -d /run/systemd/system ]; then systemctl --system daemon-reload; fi\nif [ -x /etc/init.d/x ]; then update-rc.d x defaults >/dev/null || exit 1; fi\n",
			"2 irrelevant: update-rc.d x defaults\n",
		},
		"debconf": {
			". /usr/share/debconf/confmodule\ndb_get a/b\n[ \"$RET\" = true ] && mandb\n",
			"1 irrelevant: . /usr/share/debconf/confmodule\n2 irrelevant: db_get a/b\n3 irrelevant: mandb\n",
		},
		"users": {
			"if ! getent passwd redis >/dev/null; then adduser --system --home /var/lib/redis --group redis; fi\n",
			"1 emulated: adduser --system --home /var/lib/redis --group redis\n",
		},
		"users of RPM packages": {
			"getent group nginx >/dev/null || groupadd -r nginx\ngetent passwd nginx >/dev/null || \\\n  useradd -r -d /var/lib/nginx -g nginx -s /sbin/nologin -c x nginx\n" +
				"systemd-sysusers --replace=/usr/lib/sysusers.d/nginx.conf - <<EOF\nu nginx -\nEOF\nexit 0\n",
			"1 emulated: groupadd -r nginx\n3 emulated: useradd -r -d /var/lib/nginx -g nginx -s /sbin/nologin -c x nginx\n" +
				"4 emulated: systemd-sysusers --replace=/usr/lib/sysusers.d/nginx.conf -\n",
		},
		"what compiles a folder": {
			"glib-compile-schemas /usr/share/glib-2.0/schemas &> /dev/null || :\n/usr/bin/update-mime-database -n /usr/share/mime\ngdk-pixbuf-query-loaders-64 --update-cache\ngio-querymodules-64 /usr/lib64/gio/modules\n",
			"1 unhandled: glib-compile-schemas /usr/share/glib-2.0/schemas\n2 unhandled: /usr/bin/update-mime-database -n /usr/share/mime\n3 unhandled: gdk-pixbuf-query-loaders-64 --update-cache\n4 irrelevant: gio-querymodules-64 /usr/lib64/gio/modules\n",
		},
		"a choice of an alternative": {
			"update-alternatives --set awk /usr/bin/gawk\nalternatives --add-follower java /opt/java /usr/bin/jar jar /opt/jar\nalternatives --auto awk\n",
			"1 unhandled: update-alternatives --set awk /usr/bin/gawk\n2 unhandled: alternatives --add-follower java /opt/java /usr/bin/jar jar /opt/jar\n3 irrelevant: alternatives --auto awk\n",
		},
		"files": {
			"echo hi > /etc/made\necho log >> /var/log/x\ncat < /dev/null > /dev/null 2>&1\ncp /a /etc/b\nsed -i s/a/b/ /etc/c\nrm -f /etc/d\nmkdir -p /var/lib/x\nsed s/a/b/ /e\n",
			"1 emulated: > /etc/made\n2 irrelevant: > /var/log/x\n4 emulated: cp /a /etc/b\n5 unhandled: sed -i s/a/b/ /etc/c\n6 irrelevant: rm -f /etc/d\n7 emulated: mkdir -p /var/lib/x\n",
		},
		"unknown commands, each once": {
			"for i in 1 2; do frobnicate; done\n$cmd\n$(which x) y\n",
			"1 unhandled: frobnicate\n3 unhandled: $(…) y\n",
		},
		"what cannot be known":     {"update-alternatives --install /usr/bin/x x $(find-it) 5\n", "1 unhandled: find-it\n1 unhandled: update-alternatives --install /usr/bin/x x $(…) 5\n"},
		"another language":         {"#!/usr/bin/perl -w\nuse strict;\n", "1 unhandled: #!/usr/bin/perl -w\n"},
		"a program":                {"\x7fELF\x02", "1 unhandled: \x7fELF\x02\n"},
		"no shell":                 {"if then\n", "1 unhandled: if then\n"},
		"a subshell keeps its own": {"a=/1\n(a=/2; exit 3)\nln -s x $a\n", "3 emulated: ln -s x /1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, ledger(Read(postinst(c.text)))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Scripts that would not end do.
func TestEndless(t *testing.T) {
	for name, text := range map[string]string{
		"while":     "while true; do ldconfig; done",
		"until":     "until false; do :; done",
		"recursion": "f() { f; f; }; f",
		"eval":      "x='eval \"$x\"'; eval \"$x\"",
		"doubling":  "x=aaaa; while true; do x=$x$x$x$x; done",
		"branches":  "f() { if a; then $1; else $1; fi; }; g() { f f; f f; f g; }; g",
		"nested":    "for a in 1 2 3 4 5 6 7 8; do for b in 1 2 3 4 5 6 7 8; do for c in 1 2 3 4 5 6 7 8; do for d in 1 2 3 4 5 6 7 8; do for e in 1 2 3 4 5 6 7 8; do x; done; done; done; done; done",
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			effects := Read(postinst(text))
			t.Logf("%d effects in %s", len(effects), time.Since(begin))
		})
	}
}

func TestAlternative(t *testing.T) {
	want := &Alternative{
		Link: "/usr/bin/awk", Name: "awk", Path: "/usr/bin/mawk", Priority: 5,
		Slaves: []Link{{"/usr/bin/nawk", "/usr/bin/mawk"}}, SlaveNames: []string{"nawk"},
	}
	for _, text := range []string{
		"update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 --slave /usr/bin/nawk nawk /usr/bin/mawk\n",
		"/usr/sbin/alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 --family mawk --initscript awkd --follower /usr/bin/nawk nawk /usr/bin/mawk\n",
	} {
		effects := Read(postinst(text))
		if len(effects) != 1 {
			t.Fatalf("got %v", effects)
		}
		if d := cmp.Diff(want, effects[0].Alternative); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}

// What the package holds is there when its script runs.
func TestHas(t *testing.T) {
	s := postinst("if [ -x /usr/bin/own ]; then ldconfig; else mandb; fi\nrm -f /usr/bin/own /usr/bin/other\n")
	s.Has = func(name string) bool { return name == "/usr/bin/own" }
	want := "1 emulated: ldconfig\n2 unhandled: rm -f /usr/bin/own /usr/bin/other\n"
	if d := cmp.Diff(want, ledger(Read(s))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// The scripts of this machine's own packages can be read.
func TestMachine(t *testing.T) {
	names, err := filepath.Glob("/var/lib/dpkg/info/*.p*inst")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Skip("this machine has no Debian packages")
	}
	count := map[Class]int{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := postinst(string(text))
		if strings.HasSuffix(name, ".preinst") {
			s.Args = []string{"install"}
		}
		for _, f := range Read(s) {
			count[f.Class]++
			if strings.Contains(f.Why, "parsed") || strings.Contains(f.Why, "too long") {
				t.Errorf("%s: %s: %s", name, f.Command, f.Why)
			}
		}
	}
	t.Logf("%d scripts: %v", len(names), count)
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"#!/bin/bash\nf() { case $1 in a*) [[ $1 == ab ]] && g=${1%b};; esac; }\nf ab\nfor i in \"$@\" {1,2}; do $(f) | while read x; do eval \"y=$x\"; done; done\n",
		"update-alternatives --install /a b /c 1 --slave /d e /f\n", "ln -s a /b\nrm -rf \"$x\"/*\ninstall -d /x\n", "if [ ! -e a -o -z \"$b\" ]; then exec \"$0\" \"$@\"; fi",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, e := range Read(postinst(text)) {
			if e.Class != Emulated && e.Class != Irrelevant && e.Class != Unhandled || e.Why == "" {
				t.Errorf("%+v", e)
			}
		}
	})
}

// A parser that calls itself for all that nests must not be given a text that
// nests without end: the stack would overflow.
func TestDeepScripts(t *testing.T) {
	const n = 80_000
	repeat := strings.Repeat
	for name, text := range map[string]string{
		"arithmetic": "x=$((" + repeat("(", n), "subshells": repeat("(", n), "substitutions": repeat("$(", n), "blocks": repeat("{ ", n), "if": repeat("if ", n),
		"while": repeat("while ", n), "pipes": repeat("a|", n), "conditional": "x=$((" + repeat("1?1:", n) + "1))", "tests": "[[ " + repeat("! ", n), "time": repeat("time ", n),
		"eval": "eval '" + repeat("(", n) + "'", "backquotes": repeat("`", n), "expansions": repeat("${x:-", n/2),
		"lua parentheses": "#!<lua>\nx=" + repeat("(", n), "lua minus": "#!<lua>\nx=" + repeat("- ", n) + "1", "lua functions": "#!<lua>\n" + repeat("function() ", n),
		"lua concatenation": "#!<lua>\nx=" + repeat("a..", n) + "a",
	} {
		if effects := Read(Script{Name: "postinst", Text: text}); len(effects) != 1 || !strings.Contains(effects[0].Why, "may nest") && name != "eval" {
			t.Errorf("%s: %v", name, ledger(effects))
		}
	}
}

// What is known of a script's commands and variables at its end.
func TestFollow(t *testing.T) {
	texts := golden.New(t)
	for _, s := range []Script{
		{Name: "script", Text: "A=1\nB=$(uname)\nf() { C=$A/3; run $C; }\nif [ -x /x ]; then A=2; start \"$A\" $B; fi\n. /etc/default/x\nwith $D\n"},
		{Name: "cut short", Text: "exit 0\nA=1\n"},
	} {
		s.Source = func(name string) (string, bool) { return "D=" + name, name == "/etc/default/x" }
		s.Has = func(name string) bool { return name == "/x" }
		trace, err := Follow(s, "f", "none")
		if err != nil {
			t.Fatal(err)
		}
		texts.Add(s.Name, fmt.Sprintf("%v\n%v", trace.Variables, trace.Commands))
	}
	_, err := Follow(Script{Text: "#!/usr/bin/perl\n"})
	texts.Error("perl", err)
	_, err = Follow(Script{Text: "if\n"})
	texts.Error("broken", err)
}

// What effects on files, accounts and configuration say, beside their class.
func TestDetails(t *testing.T) {
	texts := golden.New(t)
	for _, text := range []string{
		"cp /usr/share/a/conf /etc/a/conf", "cp -a /usr/share/a/x /usr/share/a/y /etc/a/", "cp -t /etc /x", "install -m 0644 -o web -g adm /usr/share/a/b /etc/a/b",
		"install -d -o web -g web /var/lib/a", "mkdir -p /srv/x/y", "ucf --three-way --debconf-ok /usr/share/a/a.ini /etc/a.ini",
		`t=$(mktemp); cat /usr/lib/a/a.ucf > "$t"; sed -i s/a/b/ "$t"; ucf "$t" /etc/a/a`, `t=$(mktemp); sed s/a/b/ /usr/lib/a > "$t"; ucf "$t" /etc/a/a`, "ln /usr/bin/a /usr/bin/b",
		"touch /etc/empty", "echo a b > /etc/text", "echo -n a > /etc/text", "echo -e a > /etc/text", "printf x > /etc/text", "printf %s x > /etc/text",
		"cat > /etc/here <<E\na $HOMEX b\nE\n", "cat > /etc/here <<-'E'\n\ta\n\tE\n", "echo $(uname) > /etc/text", "echo a >> /etc/text",
		"chown www-data:adm /var/log/x", "chown -R 10:root /x", "dpkg-statoverride --update --add root postdrop 02555 /usr/sbin/postdrop", "chgrp mail /x",
		"dpkg-divert --package z --divert /bin/zcat.gzip --rename /bin/zcat", "dpkg-divert --add --package p --rename --divert /usr/bin/j.bundled /usr/bin/j",
		"dpkg-divert --rename /usr/bin/x", "dpkg-divert --remove --rename /usr/bin/x", "a2enmod -m -q alias dir", "a2ensite 000-default", "apache2_invoke enconf javascript",
		"apache2_invoke dismod x", "phpenmod -v 8.2 -s cli mbstring pdo", "php_invoke enmod 8.2 ALL mbstring", "for m in $(phpquery -M); do php_invoke enmod 8.2 fpm $m; done",
		"adduser --system --group --home /var/lib/a a", "adduser $(cat /x)", "usermod -a -G b a", "usermod -s /bin/sh a", "addgroup --system g",
		"db_get a/port; echo port=$RET > /etc/a", "db_get a/none; echo $RET > /etc/a", "fmtutil-sys --all", "pam-auth-update --package", "update-mime",
	} {
		var b strings.Builder
		s := postinst(text)
		s.Answers = map[string]string{"a/port": "80"}
		for _, f := range Read(s) {
			fmt.Fprintf(&b, "%s %s: %s", f.Class, f.Command, f.Why)
			for _, detail := range []any{f.Link, f.File, f.Directory, f.Divert, f.Enable} {
				if d := fmt.Sprintf("%+v", detail); d != "<nil>" {
					fmt.Fprint(&b, " ", d)
				}
			}
			if len(f.Copies)+len(f.Names) > 0 {
				fmt.Fprint(&b, " ", f.Copies, f.Names)
			}
			if f.Account != nil {
				fmt.Fprintf(&b, " %+v %+v %s %v", f.Account.User, f.Account.Group, f.Account.Member, f.Account.Of)
			}
			fmt.Fprintln(&b)
		}
		texts.Add(text, strings.TrimSuffix(b.String(), "\n"))
	}
}
