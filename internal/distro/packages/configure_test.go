package packages

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"smith/internal/golden"
	"smith/internal/tree"
	"smith/record"
)

// configured shows what the scripts of packages make for an image that holds
// some paths.
func configured(t *testing.T, s *Set, paths ...string) string {
	t.Helper()
	image := tree.New()
	for _, name := range paths {
		at, err := s.Tree().Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		n := at.Node.Copy()
		n.Origin = &record.Origin{Kind: record.KindPackage, Package: record.Package{Name: n.Origin.Name, Version: "1", Architecture: "all"}}
		if err := image.Insert(name, n); err != nil {
			t.Fatal(err)
		}
	}
	c, err := s.Configure(image)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.Made)) {
		at, err := c.Tree.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s", name)
		if at.Node.Kind == tree.Symlink {
			fmt.Fprintf(&b, " -> %s", at.Node.Link)
		} else {
			data, err := at.Node.ReadAll(100)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, " %q", data)
		}
		fmt.Fprintf(&b, " <- %s\n", c.Made[name].Label())
	}
	for _, a := range c.Accounts {
		switch {
		case a.User != nil:
			fmt.Fprintf(&b, "user %s\n", a.User.Name)
		case a.Group != nil:
			fmt.Fprintf(&b, "group %s\n", a.Group.Name)
		}
	}
	fmt.Fprintf(&b, "names %v\ndirectories %v\nfiles %v", c.Names, c.Directories, c.Files)
	return b.String()
}

func TestConfigure(t *testing.T) {
	texts := golden.New(t)
	s, err := newSet(t,
		&fake{
			name: "web", text: "/usr/sbin/web 1\n/usr/share/web/conf c\n/usr/share/web/d/a a\n/usr/share/web/d/b b\n/var/lib/web/\n/var/log/web/\n/etc/web/\n/etc/there old\n",
			postinst: "cp /usr/share/web/conf /etc/web/\ncp -r /usr/share/web/d /etc/web\nln -s ../conf /etc/web/link\nln -s /nowhere /etc/web/dangling\ntouch /etc/web/empty\n" +
				"echo new > /etc/there\nadduser --system --group webuser\nchown webuser:adm /var/log/web\nmkdir -p /var/cache/web\nln -s /usr/sbin/other /usr/sbin/foreign\n",
		},
		&fake{name: "other", text: "/usr/sbin/other 1\n", postinst: "touch /etc/other\n"},
	)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := openAll(s.members); err != nil {
		t.Fatal(err)
	}
	texts.Add("nothing", configured(t, s))
	texts.Add("web", configured(t, s, "/usr/sbin/web"))
	texts.Add("both", configured(t, s, "/usr/sbin/web", "/usr/sbin/other"))
}

// What a2enmod(8) and phpenmod(8) make.
func TestEnable(t *testing.T) {
	texts := golden.New(t)
	s, err := newSet(t,
		&fake{
			name: "apache2", text: "/etc/apache2/mods-available/mpm_event.load x\n/etc/apache2/mods-available/mpm_prefork.load x\n/etc/apache2/mods-available/dir.load x\n" +
				"/etc/apache2/mods-available/dir.conf x\n/etc/apache2/mods-available/mime.load x\n/etc/apache2/conf-available/charset.conf x\n/etc/apache2/sites-available/000-default.conf x\n",
			postinst: "a2enmod -m -q mpm_event\nfor m in dir mime none ../../etc; do a2enmod -m -q $m; done\na2enconf charset\na2ensite 000-default\n",
		},
		&fake{name: "modphp", text: "/usr/lib/modphp 1\n", postinst: "apache2_switch_mpm prefork\n"},
		&fake{name: "phpfpm", text: "/usr/lib/php/8.2/sapi/fpm 1\n", postinst: "for m in $(phpquery -M); do php_invoke enmod 8.2 fpm $m; done\n"},
		&fake{name: "phpcli", text: "/usr/lib/php/8.2/sapi/cli 1\n"},
		&fake{
			name: "mbstring", text: "/usr/share/mb/mbstring.ini ;priority=30\n",
			postinst: "ucf /usr/share/mb/mbstring.ini /etc/php/8.2/mods-available/mbstring.ini\nphp_invoke enmod 8.2 ALL mbstring\n",
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := openAll(s.members); err != nil {
		t.Fatal(err)
	}
	apache := []string{"/etc/apache2/mods-available/mpm_event.load", "/etc/apache2/mods-available/mpm_prefork.load", "/etc/apache2/mods-available/dir.load", "/etc/apache2/mods-available/dir.conf"}
	php := []string{"/usr/lib/php/8.2/sapi/fpm", "/usr/share/mb/mbstring.ini"}
	texts.Add("apache2", configured(t, s, apache...))
	texts.Add("php", configured(t, s, php...))
	if err := s.build(); err != nil {
		t.Fatal(err)
	}
	texts.Add("apache2 with its module of PHP", configured(t, s, append(apache, "/usr/lib/modphp")...))
	texts.Add("both SAPIs", configured(t, s, append(php, "/usr/lib/php/8.2/sapi/cli")...))
}

// dpkg-divert(1): the package that diverts a path has it.
func TestDivert(t *testing.T) {
	texts := golden.New(t)
	const diverts = "dpkg-divert --package zutils --divert /bin/zcat.gzip --rename /bin/zcat\n"
	for name, script := range map[string]string{"diverted": diverts, "not diverted": "true\n"} {
		s, err := newSet(t, &fake{name: "gzip", text: "/bin/zcat gzip\n"}, &fake{name: "zutils", text: "/usr/bin/zcat zutils\n", postinst: script})
		if err != nil {
			t.Fatal(err)
		}
		at, err := s.Tree().Lookup("/bin/zcat")
		if name == "not diverted" {
			texts.Error(name, err)
			continue
		}
		if err != nil || at.Node.Origin.Package.Name+at.Node.Origin.Name != "zutils" {
			t.Fatalf("%v %v", at.Node, err)
		}
		defer s.Close()
	}
}

func TestDependsOn(t *testing.T) {
	got := dependsOn(tree.NewFile([]byte("# a comment\n# Depends: authn_core  dir\nLoadModule x\n"), 0o644))
	if want := []string{"authn_core", "dir"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
