package rpm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/distro"
	"smith/internal/distro/rpm/yumconfig"
	"smith/internal/event"
	"smith/internal/lock"
	"smith/internal/network/fetch"
	"smith/internal/tree"
	"smith/test/debmirror"
)

// specFile makes three packages without a compiler: app needs lib by what it
// provides, other needs nothing.
const specFile = `
Name: app
Version: 1
Release: %{?again}%{!?again:2}
Summary: app
License: x
BuildArch: noarch
%{?module:ModularityLabel: %{module}}
Requires: virtual >= 3
%description
app
%package -n lib
Summary: lib
Provides: virtual = 3, /bin/sh, /sbin/ldconfig
%description -n lib
lib
%package -n other
Summary: other
%description -n other
other
%post
echo app
%post -n lib -p /sbin/ldconfig
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/lib
printf '#!/bin/sh\necho app\n' > %{buildroot}/usr/bin/app
chmod 4755 %{buildroot}/usr/bin/app
echo data > %{buildroot}/usr/share/lib/data
echo other > %{buildroot}/usr/share/other
ln -s lib/data %{buildroot}/usr/share/link
%files
/usr/bin/app
%files -n lib
/usr/share/lib/data
/usr/share/link
%files -n other
%config /usr/share/other
`

// A workshop makes and signs packages and repositories.
type workshop struct{ dir string }

var workshops struct {
	once sync.Once
	w    *workshop
	err  error
}

// newWorkshop returns the workshop with its repository "good": signed packages
// and metadata, and "unsigned", the same without signatures. It is made once.
func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	for _, tool := range []string{"rpmbuild", "rpmsign", "createrepo_c", "gpg"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed (test/install.sh)", tool)
		}
	}
	workshops.once.Do(func() {
		dir, err := os.MkdirTemp("", "rpm") //nolint:usetesting // for all tests, and short: gpg-agent's socket lies in it
		if err != nil {
			workshops.err = err
			return
		}
		workshops.w = &workshop{dir}
		workshops.err = workshops.w.make()
	})
	if workshops.err != nil {
		t.Fatal(workshops.err)
	}
	return workshops.w
}

func TestMain(m *testing.M) {
	code := m.Run()
	if w := workshops.w; w != nil {
		if err := w.run("gpgconf", "--kill", "gpg-agent"); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.RemoveAll(w.dir)
	}
	os.Exit(code)
}

func (w *workshop) run(name string, args ...string) error {
	command := exec.CommandContext(context.Background(), name, args...)
	command.Dir = w.dir
	command.Env = append(os.Environ(), "HOME="+w.dir, "GNUPGHOME="+w.dir)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

func (w *workshop) path(name string) string { return filepath.Join(w.dir, name) }

func (w *workshop) make() error {
	if err := os.WriteFile(w.path("app.spec"), []byte(specFile), 0o600); err != nil {
		return err
	}
	rpmbuild := func(dir string, more ...string) error {
		args := append([]string{
			"-bb", "--nodeps", "--define", "_topdir " + w.path("top"), "--define", "_rpmdir " + w.path(dir), "--define", "_dbpath " + w.path("db"),
			"--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
		}, more...)
		return w.run("rpmbuild", append(args, w.path("app.spec"))...)
	}
	steps := []func() error{
		func() error { return rpmbuild("unsigned") },
		func() error { return rpmbuild("modular", "--define", "module nodejs:20:1:a") },
		func() error { return os.CopyFS(w.path("good"), os.DirFS(w.path("unsigned"))) },
		func() error { return os.CopyFS(w.path("stranger"), os.DirFS(w.path("unsigned"))) },
		func() error { return rpmbuild("newer", "--define", "again 3") },
		func() error { return w.key("us") },
		func() error { return w.key("stranger") },
		func() error { return w.sign("good", "us") },
		func() error { return w.sign("newer", "us") },
		func() error { return w.sign("stranger", "stranger") },
	}
	for revision, dir := range []string{"unsigned", "good", "stranger", "newer", "modular"} {
		steps = append(steps, func() error { return w.index(dir, revision) })
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *workshop) key(name string) error {
	if err := w.run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", name+"@example.org", "rsa2048", "sign", "never"); err != nil {
		return err
	}
	return w.run("gpg", "--armor", "--output", w.path(name+".asc"), "--export", name+"@example.org")
}

func (w *workshop) sign(dir, key string) error {
	files, err := filepath.Glob(w.path(dir) + "/*.rpm")
	if err != nil {
		return err
	}
	args := []string{"--define", "_gpg_name " + key + "@example.org", "--define", "__gpg /usr/bin/gpg", "--addsign"}
	return w.run("rpmsign", append(args, files...)...)
}

// index makes the metadata of a repository, as of some second, and signs it.
func (w *workshop) index(dir string, second int) error {
	if err := w.run("createrepo_c", "-q", "--no-database", "--revision", strconv.Itoa(second), "--set-timestamp-to-revision", w.path(dir)); err != nil {
		return err
	}
	return w.run("gpg", "--batch", "--armor", "-u", "us@example.org", "--detach-sign", w.path(dir+"/repodata/repomd.xml"))
}

// serve serves a repository; lie may answer in its place.
func (w *workshop) serve(t *testing.T, dir string, lie func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	files := http.FileServer(http.Dir(w.path(dir)))
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if lie == nil || !lie(out, r) {
			files.ServeHTTP(out, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// options are those of a source of app from one repository.
func (w *workshop) options(t *testing.T, repository yumconfig.Repository, requests ...string) Options {
	t.Helper()
	st := storetest.New(t)
	repository.ID, repository.Where, repository.Priority = "r", "smith.yaml:3", 99
	o := Options{
		Options: distro.Options{
			Store: st, Dir: w.dir, Events: event.Silent{}, Network: fetch.Options{Attempts: 4, Pause: time.Millisecond},
		},
		Repositories: []yumconfig.Repository{repository},
	}
	for _, r := range requests {
		o.Requests = append(o.Requests, distro.Request{Text: r, File: strings.HasSuffix(r, ".rpm"), Where: "smith.yaml:2"})
	}
	return o
}

var amd64 = ocispec.Platform{OS: "linux", Architecture: "amd64"}

// list opens a source and returns its files: mode, path, and origin.
func list(t *testing.T, o Options) ([]string, error) {
	t.Helper()
	offer, err := New(o).Open(t.Context(), amd64)
	if err != nil {
		return nil, err
	}
	var lines []string
	err = offer.Tree.Walk(func(n *tree.Node) error {
		if n.Kind != tree.Dir {
			lines = append(lines, fmt.Sprintf("%o %s%s <- %s", n.Mode, n.Path(), strings.TrimSuffix(" -> "+n.Link, " -> "), n.Origin.Label()))
		}
		return nil
	})
	return lines, errors.Join(err, offer.Close())
}

var appFiles = []string{
	"777 /bin -> usr/bin <- merged /usr", "4755 /usr/bin/app <- app 1-2 noarch",
	"644 /usr/share/lib/data <- lib 1-2 noarch", "777 /usr/share/link -> lib/data <- lib 1-2 noarch",
}

func TestOffersWhatIsNeeded(t *testing.T) {
	w := newWorkshop(t)
	good := w.serve(t, "good", nil)
	list3 := w.serve(t, "good", func(out http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/list" {
			fmt.Fprintln(out, "# mirrors\nhttp://127.0.0.1:1/gone/\n"+good)
		}
		return r.URL.Path == "/list"
	})
	// Its metadata is elsewhere: <location xml:base="…" href="…"/>.
	elsewhere := w.serve(t, "good", func(out http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, ".rpm") {
			return false
		}
		data, err := os.ReadFile(w.path("good" + r.URL.Path))
		if err != nil || !strings.HasSuffix(r.URL.Path, "repomd.xml") {
			http.NotFound(out, r)
			return true
		}
		_, err = out.Write(bytes.ReplaceAll(data, []byte("<location "), []byte(`<location xml:base="`+good+`" `)))
		return err == nil
	})
	tests := map[string]struct {
		repository yumconfig.Repository
		requests   []string
	}{
		"by name":        {yumconfig.Repository{BaseURLs: []string{good}, Keys: []string{"us.asc"}, GPGCheck: true}, []string{"app"}},
		"by version":     {yumconfig.Repository{BaseURLs: []string{good}, Keys: []string{"us.asc"}, GPGCheck: true}, []string{"app-1-2.noarch"}},
		"by file":        {yumconfig.Repository{BaseURLs: []string{good}, Keys: []string{"us.asc"}, GPGCheck: true}, []string{"/usr/bin/app"}},
		"from a folder":  {yumconfig.Repository{BaseURLs: []string{"file://" + w.path("good")}, Keys: []string{"us.asc"}, GPGCheck: true}, []string{"app"}},
		"signed whole":   {yumconfig.Repository{BaseURLs: []string{good}, Keys: []string{"us.asc"}, GPGCheck: true, RepoGPGCheck: true}, []string{"app"}},
		"key by address": {yumconfig.Repository{BaseURLs: []string{good}, Keys: []string{"file://" + w.path("us.asc")}, GPGCheck: true}, []string{"app"}},
		"elsewhere":      {yumconfig.Repository{BaseURLs: []string{elsewhere}, Keys: []string{"us.asc"}, GPGCheck: true}, []string{"app"}},
		"a list":         {yumconfig.Repository{Mirrorlist: list3 + "list", Keys: []string{"us.asc"}, GPGCheck: true}, []string{"app"}},
		"unchecked":      {yumconfig.Repository{BaseURLs: []string{w.serve(t, "unsigned", nil)}}, []string{"app"}},
		"a file":         {yumconfig.Repository{BaseURLs: []string{good}, Keys: []string{"us.asc"}, GPGCheck: true}, []string{"unsigned/app-1-2.noarch.rpm"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := list(t, w.options(t, tt.repository, tt.requests...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(appFiles, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRefusesALyingMirror asks servers that each do one thing wrong.
func TestRefusesALyingMirror(t *testing.T) {
	w := newWorkshop(t)
	instead := func(part string, with func(data []byte) []byte) func(http.ResponseWriter, *http.Request) bool {
		return func(out http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, part) {
				return false
			}
			data, err := os.ReadFile(w.path("good" + r.URL.Path))
			if err != nil {
				return false
			}
			if data = with(data); data == nil {
				http.NotFound(out, r)
				return true
			}
			_, err = out.Write(data)
			return err == nil
		}
	}
	flip := func(data []byte) []byte { data[len(data)-20] ^= 1; return data }
	gone := func([]byte) []byte { return nil }
	older := func([]byte) []byte {
		files, _ := filepath.Glob(w.path("newer/repodata/*primary.xml*"))
		data, _ := os.ReadFile(files[0])
		return data
	}
	checked := yumconfig.Repository{Keys: []string{"us.asc"}, GPGCheck: true}
	whole := yumconfig.Repository{Keys: []string{"us.asc"}, GPGCheck: true, RepoGPGCheck: true}
	tests := map[string]struct {
		repository yumconfig.Repository
		dir        string
		lie        func(http.ResponseWriter, *http.Request) bool
		want       string
	}{
		"a package changed":          {checked, "good", instead(".rpm", flip), "other bytes than the index"},
		"metadata changed":           {checked, "good", instead("primary", flip), "other bytes than the index"},
		"metadata of another day":    {checked, "good", instead("primary", older), "other bytes than the index"},
		"unsigned packages":          {checked, "unsigned", nil, "it is not signed, and smith.yaml:3 wants that (gpgcheck)"},
		"packages of a stranger":     {checked, "stranger", nil, "the key is not known: name the file that holds it with gpgkey (smith.yaml:3)"},
		"repomd.xml changed":         {whole, "good", instead("repomd.xml", func(d []byte) []byte { return bytes.Replace(d, []byte(">1<"), []byte(">2<"), 1) }), "not the one that was signed"},
		"no signature of it":         {whole, "good", instead("repomd.xml.asc", gone), "404"},
		"it names what is not there": {checked, "good", instead("primary", gone), "404"},
		"a package is not there":     {checked, "good", instead("lib-1-2", gone), "404"},
		"no repository at all":       {checked, "good", instead("repomd.xml", gone), "404"},
		"repomd.xml is a page":       {checked, "good", instead("repomd.xml", func([]byte) []byte { return []byte("<html>log in</html>") }), "not a repomd.xml file"},
		"metadata truncated":         {checked, "good", lie("primary", debmirror.Truncated), "other bytes than the index"},
		"a package truncated":        {checked, "good", lie(".rpm", debmirror.Truncated), "other bytes than the index"},
		"repomd.xml truncated":       {checked, "good", lie("repomd.xml", debmirror.Truncated), "cannot read repomd.xml"},
		"always busy":                {checked, "good", lie("repomd.xml", debmirror.Busy(100)), "503 Service Unavailable (asked 4 times)"},
		"a module without metadata":  {yumconfig.Repository{}, "modular", nil, "app 1-2 noarch: it belongs to the module nodejs:20:1:a, of which smith.yaml:3 has no metadata"},
		"no keys":                    {yumconfig.Repository{GPGCheck: true}, "good", nil, "set gpgkey, or gpgcheck: false"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.repository.BaseURLs = []string{w.serve(t, tt.dir, tt.lie)}
			_, err := list(t, w.options(t, tt.repository, "app"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// lie answers as a mirror for Debian packages would where it lies.
func lie(suffix string, with func(http.ResponseWriter, *http.Request, http.Handler)) func(http.ResponseWriter, *http.Request) bool {
	w := workshops.w
	return func(out http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, suffix) {
			return false
		}
		with(out, r, http.FileServer(http.Dir(w.path("good"))))
		return true
	}
}

// TestOutlastsABadNetwork gets all the same what comes slowly or in pieces, and
// what another mirror has.
func TestOutlastsABadNetwork(t *testing.T) {
	w := newWorkshop(t)
	good := w.serve(t, "good", nil)
	for name, mirrors := range map[string][]string{
		"busy at first":       {w.serve(t, "good", lie("", debmirror.Busy(3)))},
		"dropped connections": {w.serve(t, "good", lie(".rpm", debmirror.Dropped(3)))},
		"slow":                {w.serve(t, "good", lie("", debmirror.Slow))},
		"one has no metadata": {w.serve(t, "good", lie("primary", debmirror.Absent)), good},
		"one changes it":      {w.serve(t, "good", lie("primary", debmirror.Changed)), good},
		"one has no packages": {w.serve(t, "good", lie(".rpm", debmirror.Absent)), good},
		"one changes them":    {w.serve(t, "good", lie(".rpm", debmirror.Changed)), good},
		"one is a page":       {w.serve(t, "good", lie("repomd.xml", debmirror.Changed)), good},
		"one is not there":    {"http://127.0.0.1:1/", good},
	} {
		for kind, repository := range map[string]yumconfig.Repository{
			"baseurl":    {BaseURLs: mirrors},
			"mirrorlist": {Mirrorlist: w.page(t, strings.Join(mirrors, "\n"))},
			"metalink":   {Metalink: w.page(t, w.metalink(t, mirrors...))},
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				repository.Keys, repository.GPGCheck, repository.RepoGPGCheck = []string{"us.asc"}, true, true
				got, err := list(t, w.options(t, repository, "app"))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(appFiles, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// page serves a text, and metalink writes one that vouches for "good".
func (w *workshop) page(t *testing.T, text string) string {
	return w.serve(t, "good", func(out http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(out, text)
		return true
	})
}

func (w *workshop) metalink(t *testing.T, mirrors ...string) string {
	t.Helper()
	data, err := os.ReadFile(w.path("good/repodata/repomd.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<metalink><files><file name="repomd.xml"><verification><hash type="md5">x</hash><hash type="sha256">%x</hash></verification>`+
		`<resources><url protocol="rsync" preference="99">rsync://x/repodata/repomd.xml</url>`, sha256.Sum256(data))
	for i, mirror := range mirrors {
		fmt.Fprintf(&b, `<url protocol="http" preference="%d">%srepodata/repomd.xml</url>`, 100-i, mirror)
	}
	b.WriteString(`</resources></file></files></metalink>`)
	return b.String()
}

// warnings keeps them.
type warnings struct {
	event.Silent
	all []string
}

func (w *warnings) Warn(text string) { w.all = append(w.all, text) }

// TestRollback does not believe metadata that is older than what was seen, be it
// signed.
func TestRollback(t *testing.T) {
	w := newWorkshop(t)
	current := "newer"
	mirror := w.serve(t, "good", func(out http.ResponseWriter, r *http.Request) bool {
		data, err := os.ReadFile(w.path(current + r.URL.Path))
		if err != nil {
			return false
		}
		_, err = out.Write(data)
		return err == nil
	})
	heard := &warnings{}
	o := w.options(t, yumconfig.Repository{BaseURLs: []string{mirror}, Keys: []string{"us.asc"}, GPGCheck: true, RepoGPGCheck: true}, "app")
	o.Events = heard
	version := func() string {
		t.Helper()
		files, err := list(t, o)
		if err != nil {
			t.Fatal(err)
		}
		_, origin, _ := strings.Cut(files[1], " <- ")
		return origin
	}
	for _, current = range []string{"newer", "good"} {
		if got := version(); got != "app 1-3 noarch" {
			t.Errorf("%s: %s", current, got)
		}
	}
	if len(heard.all) != 1 || !strings.Contains(heard.all[0], "seen before: going on with the newer one from the cache") {
		t.Errorf("%q", heard.all)
	}
	// Another mirror has the newer one; without a signature nobody knows.
	heard.all = nil
	o.Repositories[0].BaseURLs = append(o.Repositories[0].BaseURLs, w.serve(t, "newer", nil))
	if got := version(); got != "app 1-3 noarch" || len(heard.all) > 0 {
		t.Errorf("%s, %q", got, heard.all)
	}
	o.Repositories[0].RepoGPGCheck = false
	if got := version(); got != "app 1-2 noarch" {
		t.Error(got)
	}
}

// TestMetalink takes what the metalink vouches for, from the mirror that has it.
func TestMetalink(t *testing.T) {
	w := newWorkshop(t)
	old, current := w.serve(t, "newer", nil), w.serve(t, "good", nil)
	link := w.page(t, w.metalink(t, old, current))
	got, err := list(t, w.options(t, yumconfig.Repository{Metalink: link, Keys: []string{"us.asc"}, GPGCheck: true}, "app"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(appFiles, got); diff != "" {
		t.Error(diff)
	}
	link = w.page(t, w.metalink(t, old))
	_, err = list(t, w.options(t, yumconfig.Repository{Metalink: link, Keys: []string{"us.asc"}, GPGCheck: true}, "app"))
	if want := "smith.yaml:3: " + old + "repodata/repomd.xml is not what the metalink vouches for: the mirror is out of date"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestOpensOnlyWhatIsLookedAt fetches no package whose files nobody asks for.
func TestOpensOnlyWhatIsLookedAt(t *testing.T) {
	w := newWorkshop(t)
	var mu sync.Mutex
	var fetched []string
	address := w.serve(t, "good", func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasSuffix(r.URL.Path, ".rpm") {
			fetched = append(fetched, filepath.Base(r.URL.Path))
		}
		return false
	})
	o := w.options(t, yumconfig.Repository{BaseURLs: []string{address}, Keys: []string{"us.asc"}, GPGCheck: true}, "app", "other")
	offer, err := New(o).Open(t.Context(), amd64)
	if err != nil {
		t.Fatal(err)
	}
	defer offer.Close()
	if _, err := offer.Tree.Lookup("/usr/share/lib/data"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(fetched, []string{"lib-1-2.noarch.rpm"}) {
		t.Errorf("fetched %v", fetched)
	}
	for _, in := range offer.Packages.Complete(offer.Inputs) {
		if (in.Key != "") != (in.Package.Name == "lib") {
			t.Errorf("%s: key %q", in.Package, in.Key)
		}
	}
}

// TestLocked takes what the lock has, offline, whatever the repository became.
func TestLocked(t *testing.T) {
	w := newWorkshop(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.path("good"))); err != nil {
		t.Fatal(err)
	}
	o := w.options(t, yumconfig.Repository{BaseURLs: []string{"file://" + dir}, Keys: []string{"us.asc"}, GPGCheck: true}, "app")
	one, err := New(o).Lock(t.Context(), amd64)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range one.Packages {
		if p.Key == "" || p.SHA256 == "" || !strings.HasPrefix(p.URL, "file://") {
			t.Errorf("locked as %+v", p)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "repodata")); err != nil {
		t.Fatal(err)
	}
	o.Locked = map[string]*lock.Platform{"linux/amd64": one}
	got, err := list(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(appFiles, got); diff != "" {
		t.Error(diff)
	}
	o.Requests[0].Text = "lib"
	if _, err := list(t, o); err == nil || !strings.Contains(err.Error(), "the spec now asks for lib") {
		t.Error(err)
	}
}

// TestLockedLogin fetches what a lock has with the login of its repository, also
// from a mirror that only a list names.
func TestLockedLogin(t *testing.T) {
	w := newWorkshop(t)
	guarded := w.serve(t, "good", func(out http.ResponseWriter, r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		if user == "u" && password == "p" {
			return false
		}
		http.Error(out, "log in", http.StatusUnauthorized)
		return true
	})
	mirrors := w.serve(t, "good", func(out http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprintln(out, guarded)
		return true
	})
	login := fetch.Connection{User: "u", Password: "p"}
	for name, repository := range map[string]yumconfig.Repository{
		"its own address": {BaseURLs: []string{guarded}},
		"a listed mirror": {Mirrorlist: mirrors},
	} {
		t.Run(name, func(t *testing.T) {
			repository.Keys, repository.GPGCheck, repository.Connection = []string{"us.asc"}, true, login
			o := w.options(t, repository, "app")
			one, err := New(o).Lock(t.Context(), amd64)
			if err != nil {
				t.Fatal(err)
			}
			o = w.options(t, repository, "app") // with an empty cache
			o.Locked = map[string]*lock.Platform{"linux/amd64": one}
			got, err := list(t, o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(appFiles, got); diff != "" {
				t.Error(diff)
			}
			o = w.options(t, repository, "app")
			o.Repositories[0].Connection = fetch.Connection{}
			o.Locked = map[string]*lock.Platform{"linux/amd64": one}
			if _, err := list(t, o); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("without the login: %v", err)
			}
		})
	}
}

// TestKeeps takes the versions of an earlier lock while they are on offer.
func TestKeeps(t *testing.T) {
	w := newWorkshop(t)
	good := yumconfig.Repository{BaseURLs: []string{"file://" + w.path("good")}, Keys: []string{"us.asc"}, GPGCheck: true, Priority: 99, Where: "good"}
	newer := good
	newer.BaseURLs = []string{"file://" + w.path("newer")}
	o := w.options(t, good, "app")
	o.Repositories = []yumconfig.Repository{newer, good}
	versions := func() string {
		one, err := New(o).Lock(t.Context(), amd64)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, p := range one.Packages {
			all = append(all, p.Name+" "+p.Version)
		}
		return strings.Join(all, ", ")
	}
	if got := versions(); got != "app 1-3, lib 1-3" {
		t.Error(got)
	}
	o.Keep = map[string]*lock.Platform{"linux/amd64": {Packages: []lock.Package{
		{Name: "app", Version: "1-2", Architecture: "noarch"}, {Name: "lib", Version: "1-1", Architecture: "noarch"},
	}}}
	if got := versions(); got != "app 1-2, lib 1-3" {
		t.Error(got)
	}
}

// TestMock takes repositories from a configuration of mock.
func TestMock(t *testing.T) {
	w := newWorkshop(t)
	config := w.path("a.cfg")
	text := "config_opts['target_arch'] = 'x86_64'\nconfig_opts['dnf.conf'] = '''[r]\nbaseurl=" + w.serve(t, "good", nil) +
		"\ngpgkey=file://" + w.path("us.asc") + "\ngpgcheck=1\n'''\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := w.options(t, yumconfig.Repository{}, "app")
	o.Repositories, o.Mock = nil, "a.cfg"
	got, err := list(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(appFiles, got); diff != "" {
		t.Error(diff)
	}
	if _, err := New(o).Open(t.Context(), ocispec.Platform{OS: "linux", Architecture: "arm64"}); err == nil || !strings.Contains(err.Error(), "for x86_64") {
		t.Error(err)
	}
	if offer, err := New(o).Open(t.Context(), ocispec.Platform{}); err != nil || offer.Platform.Architecture != "amd64" {
		t.Errorf("%v, %v", offer, err)
	}
}

func TestExplains(t *testing.T) {
	w := newWorkshop(t)
	r := yumconfig.Repository{BaseURLs: []string{"file://" + w.path("good")}, Keys: []string{"us.asc"}, GPGCheck: true}
	for request, want := range map[string]string{
		"nothing":      "smith.yaml:2: no package is called nothing or provides it",
		"App":          "no package is called App or provides it; app exists",
		"app >= 2":     "app",
		"@group":       "groups of packages are not supported",
		"a b":          "neither a package nor a relation",
		"none.rpm":     "none.rpm",
		"app.spec.rpm": "no such file",
	} {
		if _, err := list(t, w.options(t, r, request)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", request, err, want)
		}
	}
}
