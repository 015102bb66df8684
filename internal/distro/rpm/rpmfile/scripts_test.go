package rpmfile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/scriptlet"
)

// scriptsSpec has every kind of scriptlet and trigger.
const scriptsSpec = `
Name: scripts
Version: 1
Release: 1
Summary: scriptlets
License: x
BuildArch: noarch
%description
scriptlets
%pretrans -p <lua>
posix.mkdir("/x")
%pre
pre
%post -p /sbin/ldconfig
%preun
preun
%postun
postun
%posttrans
posttrans
%triggerprein -- early
triggerprein
%triggerin -- one < 2:1.5-1, two >= 3, three
triggerin
%triggerin -p <lua> -- four
x = 1
%triggerun -- one
triggerun
%triggerpostun -- one
triggerpostun
%filetriggerin -- /usr/lib /usr/lib64
filetriggerin
%filetriggerun -- /usr/lib
filetriggerun
%transfiletriggerin -P 2000000 -p <lua> -- /usr/share/a
x = 2
%transfiletriggerpostun -- /usr/share/a
transfiletriggerpostun
%files
`

func TestScripts(t *testing.T) {
	judge(t, "rpmbuild")
	dir := t.TempDir()
	spec := filepath.Join(dir, "scripts.spec")
	if err := os.WriteFile(spec, []byte(scriptsSpec), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("rpmbuild", "--quiet", "-bb", "--define", "_topdir "+dir, "--define", "_dbpath "+dir+"/db", spec).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p, err := readFile(t, openStore(t), filepath.Join(dir, "RPMS", "noarch", "scripts-1-1.noarch.rpm"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var b strings.Builder
	for _, s := range p.Scripts() {
		fmt.Fprintf(&b, "%s: %q %v\n", s.Name, strings.TrimSpace(s.Text), s.Args)
	}
	want := `pretrans: "#!<lua>\nposix.mkdir(\"/x\")" [1]
pre: "pre" [1]
post: "/sbin/ldconfig" [1]
triggerprein -- early: "triggerprein" [1 1]
triggerin -- one < 2:1.5-1 three two >= 3: "triggerin" [1 1]
triggerin -- four: "#!<lua>\nx = 1" [1 1]
filetriggerin -- /usr/lib /usr/lib64: "filetriggerin" [1 1]
posttrans: "posttrans" [1]
transfiletriggerin -- /usr/share/a: "#!<lua>\nx = 2" [1 1]
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, c := range []struct {
		name, version string
		sets          bool
	}{
		{"one", "2:1.4-9", true},
		{"one", "2:1.5-1", false},
		{"one", "1:9-1", true},
		{"two", "2-1", false},
		{"two", "3-1", true},
		{"three", "0-0", true},
		{"other", "1-1", false},
	} {
		if got := p.Scripts()[4].Trigger.Package(c.name, c.version); got != c.sets {
			t.Errorf("%s %s sets off the trigger: %v", c.name, c.version, got)
		}
	}
}

// compareLua wants it known what the scriptlets in Lua of a distribution do,
// all of it.
func (l *library) compareLua(t *testing.T) {
	for file, want := range map[string]string{
		"filesystem-3.2-25.el7.x86_64": `pretrans emulated: posix.mkdir /usr
pretrans emulated: posix.mkdir /usr/bin
pretrans emulated: posix.mkdir /usr/sbin
pretrans emulated: posix.mkdir /usr/lib
pretrans emulated: posix.mkdir /usr/lib/debug
pretrans emulated: posix.mkdir /usr/lib/debug/usr
pretrans emulated: posix.mkdir /usr/lib/debug/usr/bin
pretrans emulated: posix.mkdir /usr/lib/debug/usr/sbin
pretrans emulated: posix.mkdir /usr/lib/debug/usr/lib
pretrans emulated: posix.mkdir /usr/lib/debug/usr/lib64
pretrans emulated: posix.mkdir /usr/lib64
pretrans emulated: posix.symlink usr/bin /bin
pretrans emulated: posix.symlink usr/sbin /sbin
pretrans emulated: posix.symlink usr/lib /lib
pretrans emulated: posix.symlink usr/bin /usr/lib/debug/bin
pretrans emulated: posix.symlink usr/lib /usr/lib/debug/lib
pretrans emulated: posix.symlink usr/lib64 /usr/lib/debug/lib64
pretrans emulated: posix.symlink ../.dwz /usr/lib/debug/usr/.dwz
pretrans emulated: posix.symlink usr/sbin /usr/lib/debug/sbin
pretrans emulated: posix.symlink usr/lib64 /lib64
pretrans emulated: posix.mkdir /run
pretrans irrelevant: posix.symlink ../run /var/run
pretrans irrelevant: posix.symlink ../run/lock /var/lock
`,
		"glibc-2.17-317.el7.x86_64":      "",
		"libgcc-4.8.5-44.el7.x86_64":     "post emulated: /sbin/ldconfig\n",
		"setup-2.8.71-11.el7.noarch":     "post irrelevant: os.remove /etc/passwd.rpmnew\npost irrelevant: os.remove /etc/shadow.rpmnew\npost irrelevant: os.remove /etc/group.rpmnew\npost irrelevant: os.remove /etc/gshadow.rpmnew\npost irrelevant: /usr/bin/newaliases\n",
		"bash-4.2.46-34.el7.x86_64":      "post irrelevant: io.open /etc/shells a+\n",
		"krb5-libs-1.15.1-50.el7.x86_64": "",
	} {
		p, err := l.open(t, filepath.Join(l.dir, "rpm-repo", "centos7-httpd", file+".rpm"))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, s := range p.Scripts() {
			if !strings.HasPrefix(s.Text, "#!<lua>") {
				continue
			}
			for _, f := range scriptlet.Read(s) {
				fmt.Fprintf(&b, "%s %s: %s\n", s.Name, f.Class, f.Command)
			}
		}
		if d := cmp.Diff(want, b.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", file, d)
		}
	}
}
