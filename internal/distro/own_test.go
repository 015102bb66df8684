package distro

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"smith/internal/golden"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// known is a set of packages written in lines.
type known struct {
	source.Packages
	list  []source.Package
	files map[string][]string
}

func (k *known) List(context.Context) ([]source.Package, error) { return k.list, nil }

func (k *known) Files(_ context.Context, p source.Package) ([]string, error) {
	return k.files[p.Digest], nil
}

// newKnown reads packages, a line each: "name source [calls for,…]: paths". Those
// whose names end in "!" are asked for.
func newKnown(text string) *known {
	k := &known{files: map[string][]string{}}
	var calls [][]string
	for line := range strings.Lines(text) {
		head, paths, _ := strings.Cut(strings.TrimSpace(line), ":")
		words := strings.Fields(head)
		name, asked := strings.CutSuffix(words[0], "!")
		p := source.Package{Package: record.Package{Name: name}, Digest: name, Source: words[1], Asked: asked, Request: len(k.list), Where: fmt.Sprintf("smith.yaml:%d", len(k.list)+1)}
		k.list = append(k.list, p)
		k.files[name] = slices.Sorted(slices.Values(strings.Fields(paths)))
		calls = append(calls, strings.Split(strings.Join(words[2:], ""), ","))
	}
	for i := range k.list {
		for _, name := range calls[i] {
			if j := slices.IndexFunc(k.list, func(p source.Package) bool { return p.Name == name }); j >= 0 {
				k.list[i].Relations = append(k.list[i].Relations, source.Relation{Kind: source.Depends, Text: name, By: []int{j}})
			}
		}
	}
	return k
}

// tree returns all files, programs executable; units are read from the given
// texts.
func (k *known) tree(t *testing.T, units map[string]string) *tree.Tree {
	t.Helper()
	all := tree.New()
	for _, files := range k.files {
		for _, name := range files {
			n := tree.NewFile([]byte(units[name]), 0o644)
			if isProgramPath(name) {
				n.Mode = 0o755
			}
			if err := all.Insert(name, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// What an image is made of by the names of packages alone, and what it runs.
func TestOwn(t *testing.T) {
	unit := func(program string) string { return "[Service]\nExecStart=" + program + "\n" }
	texts := golden.New(t)
	for _, tt := range []struct {
		name, packages string
		units          map[string]string
	}{
		{"configuration in a sibling", `nginx! nginx nginx-common,libc6: /usr/sbin/nginx /usr/share/doc/nginx/copyright
			nginx-common nginx: /etc/nginx/nginx.conf /etc/init.d/nginx /usr/share/nginx/index.html
			libc6 glibc: /usr/lib/x86_64-linux-gnu/libc.so.6`, nil},
		{"a client beside a server", `openssh-server! openssh openssh-client,openssh-sftp-server: /usr/sbin/sshd /etc/pam.d/sshd
			openssh-client openssh: /usr/bin/scp /usr/bin/ssh /etc/ssh/ssh_config
			openssh-sftp-server openssh: /usr/lib/openssh/sftp-server`, nil},
		{"libraries of the same source", `ffmpeg! ffmpeg libavcodec59: /usr/bin/ffmpeg /usr/bin/ffprobe
			libavcodec59 ffmpeg: /usr/lib/x86_64-linux-gnu/libavcodec.so.59 /usr/lib/x86_64-linux-gnu/ffmpeg/module.so`, nil},
		{"a sibling that nothing calls for", `tool! suite: /usr/bin/tool
			other suite: /etc/other.conf`, nil},
		{"a server in a sibling", `mariadb-server! mariadb mariadb-client,mariadb-server-core: /usr/bin/mariadbd-safe /usr/bin/mysqld_multi
			mariadb-client mariadb: /usr/bin/mariadb /usr/bin/mysql
			mariadb-server-core mariadb: /usr/sbin/mariadbd /usr/share/mysql/errmsg.sys`, nil},
		{"a metapackage", `default-jre-headless! java-common openjdk-17-jre-headless,java-common: /usr/share/doc/default-jre-headless/copyright
			java-common java-common: /usr/sbin/update-java-alternatives
			openjdk-17-jre-headless openjdk-17: /usr/lib/jvm/java-17/bin/java /usr/lib/jvm/java-17/bin/keytool /usr/lib/jvm/java-17/lib/modules`, nil},
		{"the first that has a server", `varnish! varnish: /usr/sbin/varnishd /usr/bin/varnishadm
			gcc! gcc-defaults: /usr/bin/gcc /usr/bin/c99-gcc`, nil},
		{"another case", `r-base-core! r-base: /usr/bin/R /usr/bin/Rscript
			sed! sed: /usr/bin/sed`, nil},
		{"an underscore", `node_exporter! node_exporter: /usr/bin/node /usr/bin/node_exporter`, nil},
		{"a unit", `postgresql-15! postgresql-15: /usr/lib/postgresql/15/bin/initdb /usr/lib/postgresql/15/bin/postgres /usr/lib/systemd/system/postgresql.service
			ca-certificates! ca-certificates: /usr/sbin/update-ca-certificates`, map[string]string{
			"/usr/lib/systemd/system/postgresql.service": unit("/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql"),
		}},
		{"units of helpers", `apache2! apache2 apache2-bin: /usr/sbin/apachectl /usr/lib/systemd/system/apache-htcacheclean.service /usr/lib/systemd/system/apache2.service
			apache2-bin apache2: /usr/sbin/apache2 /usr/bin/htcacheclean /usr/lib/apache2/modules/mod_a.so`, map[string]string{
			"/usr/lib/systemd/system/apache-htcacheclean.service": unit("/usr/bin/htcacheclean -d 1"),
			"/usr/lib/systemd/system/apache2.service":             unit("/usr/sbin/apache2 -k start"),
		}},
		{"several programs", `poppler-utils! poppler: /usr/bin/pdfinfo /usr/bin/pdftotext /usr/include/poppler.h`, nil},
		{"no program", `libfoo-dev! foo: /usr/include/foo.h /usr/lib/x86_64-linux-gnu/libfoo.a`, nil},
	} {
		k := newKnown(tt.packages)
		all, err := Own(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, h := range all {
			fmt.Fprintf(&b, "%s of %s (%s): %s\n", h.Name, h.For.Name, h.For.Where, strings.Join(h.Files, " "))
		}
		fmt.Fprintf(&b, "runs: %s\nby names: %s", strings.Join(Main(all, k.tree(t, tt.units)), " "), strings.Join(Main(all, nil), " "))
		texts.Add(tt.name, b.String())
	}
}

// Programs that are links to others are other names of them.
func TestWithoutAliases(t *testing.T) {
	files := tree.New()
	for name, n := range map[string]*tree.Node{
		"/usr/bin/ping":  tree.NewFile(nil, 0o755),
		"/usr/bin/ping4": {Kind: tree.Symlink, Link: "ping"},
		"/usr/bin/vi":    {Kind: tree.Symlink, Link: "/usr/bin/gone"},
	} {
		if err := files.Insert(name, n); err != nil {
			t.Fatal(err)
		}
	}
	got := withoutAliases(files, []string{"/usr/bin/ping", "/usr/bin/ping4", "/usr/bin/vi"})
	if want := []string{"/usr/bin/ping", "/usr/bin/vi"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}
