package deb

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/distro"
	"smith/internal/distro/deb/apt"
	"smith/internal/event"
	"smith/internal/lock"
	"smith/internal/network/fetch"
	"smith/internal/source"
	"smith/record"
	"smith/test/debmirror"
	"smith/test/fixture"
)

// small is a package that needs no other, and a file of it.
const (
	small     = "media-types"
	smallFile = "/etc/mime.types"
)

// newMirror serves a package and what it needs. It is not yet published.
func newMirror(t *testing.T, name string) *debmirror.Mirror {
	t.Helper()
	debs, err := fixture.Packages(t.Context(), os.Stderr, name)
	if errors.Is(err, fixture.ErrNoTool) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return debmirror.New(t, debs...)
}

// heard collects warnings.
type heard struct {
	event.Silent
	mu       sync.Mutex
	warnings []string
}

func (h *heard) Warn(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.warnings = append(h.warnings, text)
}

// options ask a mirror for the small package.
func options(t *testing.T, m *debmirror.Mirror, key string) Options {
	t.Helper()
	st := storetest.New(t)
	return Options{
		Options: distro.Options{
			Requests: []distro.Request{{Text: small, Where: "smith.yaml:1"}},
			Root:     t.TempDir(), Dir: t.TempDir(),
			Network: fetch.Options{Pause: time.Millisecond, Stall: 5 * time.Second},
			Store:   st, Events: &heard{},
		},
		Repositories: []Repository{{Mirrors: []string{m.URL}, Suites: []string{"test"}, Components: []string{"main"}, Keys: []string{key}, Where: "smith.yaml:2"}},
	}
}

var amd64 = ocispec.Platform{OS: "linux", Architecture: "amd64"}

// open opens what is offered, looks for a file, and closes it.
func open(o Options) (*source.Offer, error) { return openFor(o, smallFile) }

func openFor(o Options, file string) (*source.Offer, error) {
	offer, err := New(o).Open(context.Background(), amd64)
	if err != nil {
		return nil, err
	}
	at, err := offer.Tree.Resolve(file)
	if err == nil {
		_, err = at.Node.Digest()
	}
	return offer, errors.Join(err, offer.Close())
}

// wants wants an error that holds a text, or none.
func wants(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%v\nwant …%s…", err, want)
	}
}

func TestLies(t *testing.T) {
	now := time.Now()
	key, other := debmirror.NewKey(t, now.Add(-48*time.Hour)), debmirror.NewKey(t, now.Add(-48*time.Hour))
	public := debmirror.Armoured(t, key)
	type lies = func(w http.ResponseWriter, r *http.Request, next http.Handler)
	for name, test := range map[string]struct {
		release debmirror.Release
		suffix  string
		lie     lies
		change  func(*Repository)
		err     string // "" where it is survived
	}{
		"good":              {release: debmirror.Release{Key: key}},
		"detached":          {release: debmirror.Release{Key: key, Detached: true}},
		"gz":                {release: debmirror.Release{Key: key, Form: ".gz"}},
		"zst":               {release: debmirror.Release{Key: key, Form: ".zst"}},
		"bz2, no by-hash":   {release: debmirror.Release{Key: key, Form: ".bz2", NoHash: true}},
		"plain":             {release: debmirror.Release{Key: key, Form: "plain"}},
		"changed release":   {debmirror.Release{Key: key}, "InRelease", debmirror.Changed, nil, "the document is not the one that was signed"},
		"wrong key":         {release: debmirror.Release{Key: other}, err: "it is signed by the key " + debmirror.Fingerprint(other) + ", which is not among the trusted ones: if you trust that key, put it into a file and name the file with signed-by"},
		"unsigned":          {release: debmirror.Release{}, err: "it is not signed: it has neither InRelease nor Release.gpg; trusted: true uses it all the same"},
		"unsigned, trusted": {release: debmirror.Release{}, change: func(r *Repository) { r.Trusted = true }},
		"signed, trusted":   {release: debmirror.Release{Key: other}, change: func(r *Repository) { r.Trusted = true }},
		"expired":           {release: debmirror.Release{Key: key, Date: now.Add(-2 * time.Hour), Valid: time.Hour}, err: "its release expired on"},
		"expired snapshot":  {release: debmirror.Release{Key: key, Date: now.Add(-2 * time.Hour), Valid: time.Hour}, change: func(r *Repository) { r.AnyDate = true }},
		"of the future":     {release: debmirror.Release{Key: key, Date: now.Add(time.Hour)}, err: "is this machine's clock right?"},
		"changed list":      {debmirror.Release{Key: key, NoHash: true}, "Packages.xz", debmirror.Changed, nil, "the server has other bytes than the index or lock says: it is sha256:"},
		"truncated list":    {debmirror.Release{Key: key, NoHash: true}, "Packages.xz", debmirror.Truncated, nil, "the server has other bytes than the index or lock says: it is "},
		"no list":           {debmirror.Release{Key: key, NoHash: true}, "Packages.xz", debmirror.Absent, nil, "Packages.xz: the server answers 404 Not Found"},
		"changed package":   {debmirror.Release{Key: key}, ".deb", debmirror.Changed, nil, "the server has other bytes than the index or lock says: it is sha256:"},
		"truncated package": {debmirror.Release{Key: key}, ".deb", debmirror.Truncated, nil, "the server has other bytes than the index or lock says: it is "},
		"busy":              {debmirror.Release{Key: key}, "", debmirror.Busy(3), nil, ""},
		"always busy":       {debmirror.Release{Key: key}, "InRelease", debmirror.Busy(100), nil, "InRelease: the server answers 503 Service Unavailable (asked 4 times)"},
		"dropped":           {debmirror.Release{Key: key}, ".deb", debmirror.Dropped(3), nil, ""},
		"slow":              {debmirror.Release{Key: key}, "", debmirror.Slow, nil, ""},
		"no component": {
			release: debmirror.Release{Key: key}, change: func(r *Repository) { r.Components = []string{"contrib"} },
			err: small,
		},
		"no suite": {
			release: debmirror.Release{Key: key}, change: func(r *Repository) { r.Suites = []string{"tset"} },
			err: "/dists/tset/InRelease: the server answers 404 Not Found: file does not exist; is the suite called tset?",
		},
		"no key": {
			release: debmirror.Release{Key: key}, change: func(r *Repository) { r.Keys = []string{"absent.gpg"} },
			err: "smith.yaml:2: repository: signed-by: there is no file absent.gpg, here or in /usr/share/keyrings, /etc/apt/keyrings, /etc/apt/trusted.gpg.d",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMirror(t, small)
			m.Publish(t, test.release)
			if test.lie != nil {
				m.Lie(test.suffix, test.lie)
			}
			o := options(t, m, public)
			if test.change != nil {
				test.change(&o.Repositories[0])
			}
			_, err := open(o)
			wants(t, err, test.err)
		})
	}
}

// What a release has in place of what is asked for is told.
func TestNoComponent(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, small)
	m.Publish(t, debmirror.Release{Key: key})
	for _, test := range []struct{ component, architecture, want string }{
		{"mian", "amd64", `has no packages for amd64 in component "mian"; it has main`},
		{"main", "s390x", `has no packages for s390x in component "main"; it has some for amd64, arm64`},
	} {
		o := options(t, m, debmirror.Armoured(t, key))
		o.Repositories[0].Components = []string{test.component}
		_, err := New(o).Open(t.Context(), ocispec.Platform{OS: "linux", Architecture: test.architecture})
		wants(t, err, "no package on offer is called "+small)
		if w := o.Events.(*heard).warnings; len(w) != 1 || !strings.HasSuffix(w[0], test.want) {
			t.Errorf("%q", w)
		}
	}
}

// Keys are given in the spec, or in a file, armoured or not, beside it or where
// distributions keep theirs.
func TestKeys(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, small)
	m.Publish(t, debmirror.Release{Key: key})
	armoured := debmirror.Armoured(t, key)
	var binary bytes.Buffer
	if err := key.Serialize(&binary); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ root, file, data, written string }{
		"in the spec":       {"", "", "", armoured},
		"armoured, beside":  {"", "my.asc", armoured, "my.asc"},
		"binary, below":     {"", "keys/my.gpg", binary.String(), "keys/my.gpg"},
		"binary, installed": {"root", "usr/share/keyrings/my-archive-keyring.gpg", binary.String(), "my-archive-keyring.gpg"},
		"armoured, local":   {"root", "etc/apt/keyrings/my.asc", armoured, "my.asc"},
	} {
		o := options(t, m, test.written)
		if test.file != "" {
			file := filepath.Join(map[string]string{"": o.Dir, "root": o.Root}[test.root], test.file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(test.data), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := open(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A release that is older than the one seen before is not believed.
func TestRollback(t *testing.T) {
	now := time.Now()
	key := debmirror.NewKey(t, now.Add(-48*time.Hour))
	m, mirror := newMirror(t, small), newMirror(t, small)
	o := options(t, m, debmirror.Armoured(t, key))
	h := o.Events.(*heard)
	m.Publish(t, debmirror.Release{Key: key, Date: now.Add(-time.Hour)})
	mirror.Publish(t, debmirror.Release{Key: key, Date: now.Add(-time.Hour)})
	_, err := open(o)
	wants(t, err, "")

	m.Publish(t, debmirror.Release{Key: key, Date: now.Add(-2 * time.Hour)})
	_, err = open(o)
	wants(t, err, "")
	if len(h.warnings) != 1 || !strings.Contains(h.warnings[0], "seen before: going on with the newer one from the cache") {
		t.Errorf("%q", h.warnings)
	}
	// The other mirror has the newer one.
	h.warnings = nil
	o.Repositories[0].Mirrors = append(o.Repositories[0].Mirrors, mirror.URL)
	_, err = open(o)
	wants(t, err, "")
	if len(h.warnings) != 0 {
		t.Errorf("%q", h.warnings)
	}
}

func TestMirrors(t *testing.T) {
	now := time.Now()
	key := debmirror.NewKey(t, now)
	bad, good := newMirror(t, small), newMirror(t, small)
	bad.Publish(t, debmirror.Release{Key: key})
	good.Publish(t, debmirror.Release{Key: key, Suite: "other"})
	bad.Lie(".deb", debmirror.Absent)
	bad.Lie("InRelease", debmirror.Changed)
	o := options(t, bad, debmirror.Armoured(t, key))
	o.Repositories[0].Mirrors = append(o.Repositories[0].Mirrors, good.URL)
	_, err := open(o)
	wants(t, err, "the document is not the one that was signed")
	wants(t, err, "404 Not Found")
	good.Publish(t, debmirror.Release{Key: key, Fields: "X: y\n"})
	_, err = open(o)
	wants(t, err, "")
}

// A suite that calls itself otherwise is warned of.
func TestSuiteMismatch(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, small)
	m.Publish(t, debmirror.Release{Key: key, Suite: "other"})
	if err := os.Rename(filepath.Join(m.Dir, "dists/other"), filepath.Join(m.Dir, "dists/test")); err != nil {
		t.Fatal(err)
	}
	o := options(t, m, debmirror.Armoured(t, key))
	_, err := open(o)
	wants(t, err, "")
	if w := o.Events.(*heard).warnings; len(w) != 1 || !strings.HasSuffix(w[0], "the release calls itself other (other), not test") {
		t.Errorf("%q", w)
	}
}

func TestFlat(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, small)
	m.PublishFlat(t, "flat", debmirror.Release{Key: key})
	o := options(t, m, debmirror.Armoured(t, key))
	o.Repositories[0].Suites, o.Repositories[0].Components = []string{"flat/"}, nil
	_, err := open(o)
	wants(t, err, "")
}

// A folder of packages without a release is taken where it is trusted, and
// only there.
func TestFlatWithoutRelease(t *testing.T) {
	for name, form := range map[string]string{"xz": "", "gz": ".gz", "plain": "plain"} {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t, small)
			m.PublishFlat(t, "flat", debmirror.Release{Form: form, NoHash: true})
			if err := os.Remove(filepath.Join(m.Dir, "flat/Release")); err != nil {
				t.Fatal(err)
			}
			o := options(t, m, debmirror.Armoured(t, debmirror.NewKey(t, time.Now())))
			r := &o.Repositories[0]
			r.Suites, r.Components = []string{"flat/"}, nil
			_, err := open(o)
			wants(t, err, "InRelease: the server answers 404 Not Found: file does not exist; trusted: true accepts a directory without a release")
			r.Trusted = true
			for range 2 {
				offer, err := open(o)
				wants(t, err, "")
				if in := offer.Inputs[0]; in.Key != "" || in.Note != "no key vouches for it" {
					t.Errorf("%+v", in)
				}
				o.Network.Offline = true
			}
			o.Network.Offline = false
			m.Lie("Packages.xz", debmirror.Absent)
			m.Lie("Packages.gz", debmirror.Absent)
			m.Lie("Packages", debmirror.Absent)
			_, err = open(o)
			wants(t, err, "/flat/ has neither a release nor a list of packages")
		})
	}
	// Under dists/ it is no list of packages that is missing.
	m := newMirror(t, small)
	m.Publish(t, debmirror.Release{})
	if err := os.Remove(filepath.Join(m.Dir, "dists/test/Release")); err != nil {
		t.Fatal(err)
	}
	o := options(t, m, "")
	o.Repositories[0].Trusted = true
	_, err := open(o)
	wants(t, err, "InRelease: the server answers 404 Not Found")
}

// The machine's apt may know a list of mirrors, which stands elsewhere
// (apt-transport-mirror(1)).
func TestMirrorList(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, small)
	m.Publish(t, debmirror.Release{Key: key})
	o := options(t, m, "")
	write := func(path, text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	o.Repositories = nil
	write(filepath.Join(o.Root, "etc/apt/trusted.gpg.d/key.asc"), debmirror.Armoured(t, key))
	write(filepath.Join(o.Root, "etc/apt/sources.list"), "deb mirror+"+m.URL+"/mirrors.txt test main\n")
	list := filepath.Join(m.Dir, "mirrors.txt")
	_, err := open(o)
	wants(t, err, "/mirrors.txt: the server answers 404 Not Found")
	write(list, "# nothing\nfile:"+m.Dir+"\nnonsense\n")
	_, err = open(o)
	wants(t, err, "/mirrors.txt test: "+m.URL+"/mirrors.txt: no mirror in the list can be used")
	write(list, m.URL+"/absent priority:1\n"+m.URL+"\n")
	offer, err := open(o)
	wants(t, err, "")
	if in := offer.Inputs[0]; !strings.HasPrefix(in.URL, m.URL+"/") {
		t.Errorf("%+v", in)
	}
	m.Requests()
	o.Network.Offline = true
	_, err = open(o)
	wants(t, err, "")
	if r := m.Requests(); len(r) > 0 {
		t.Errorf("%v", r)
	}
}

// The second time next to nothing is transferred, and with --offline nothing.
func TestTransfers(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, small)
	m.Publish(t, debmirror.Release{Key: key})
	o := options(t, m, debmirror.Armoured(t, key))
	_, err := open(o)
	wants(t, err, "")
	if n := len(m.Requests()); n < 3 {
		t.Errorf("%d requests", n)
	}
	_, err = open(o)
	wants(t, err, "")
	if d := cmp.Diff([]string{"/dists/test/InRelease"}, m.Requests()); d != "" {
		t.Error(d)
	}
	o.Network.Offline = true
	_, err = open(o)
	wants(t, err, "")
	if r := m.Requests(); len(r) > 0 {
		t.Errorf("%v", r)
	}
	o.Requests = append(o.Requests, distro.Request{Text: "nobody", Where: "smith.yaml:1"})
	_, err = open(o)
	wants(t, err, "nobody")
}

// A password goes to its host, and into no error.
func TestLogin(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, small)
	m.Publish(t, debmirror.Release{Key: key})
	m.Lie("", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if _, password, _ := r.BasicAuth(); password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
	o := options(t, m, debmirror.Armoured(t, key))
	netrc := filepath.Join(t.TempDir(), "netrc")
	t.Setenv("NETRC", netrc)
	_, err := open(o)
	wants(t, err, "401 Unauthorized; a user and password for the host can stand in ~/.netrc")
	if err := os.WriteFile(netrc, []byte("machine 127.0.0.1 login me password secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	offer, err := open(o)
	wants(t, err, "")
	for _, in := range offer.Inputs {
		if strings.Contains(in.URL+in.Name+in.Package.String()+in.Note, "secret") {
			t.Errorf("%+v", in)
		}
	}
}

func TestLocked(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, small)
	m.Publish(t, debmirror.Release{Key: key})
	o := options(t, m, debmirror.Armoured(t, key))
	l, err := New(o).Lock(t.Context(), amd64)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range l.Packages {
		if p.Key != debmirror.Fingerprint(key) || p.Size == 0 || !strings.HasPrefix(p.URL, m.URL+"/pool/") {
			t.Errorf("%+v", p)
		}
	}
	for _, path := range m.Requests() {
		if strings.HasSuffix(path, ".deb") {
			t.Errorf("a lock fetched %s", path)
		}
	}
	locked := o
	locked.Locked = map[string]*lock.Platform{"linux/amd64": l}
	locked.Store = options(t, m, "").Store
	offer, err := open(locked)
	wants(t, err, "")
	for _, path := range m.Requests() {
		if !strings.HasSuffix(path, ".deb") {
			t.Errorf("a locked build asked for %s", path)
		}
	}
	if len(offer.Inputs) != len(l.Packages) {
		t.Errorf("%d inputs", len(offer.Inputs))
	}
	locked.Requests = []distro.Request{{Text: "bash"}}
	_, err = open(locked)
	wants(t, err, "smith.lock is out of date: the spec now asks for bash, the spec no longer asks for "+small+"")
	_, err = New(locked).Open(t.Context(), ocispec.Platform{OS: "linux", Architecture: "arm64"})
	wants(t, err, "smith.lock is out of date: it has no packages for linux/arm64")
}

// Mirrors delete what is superseded; archives keep it.
func TestSuperseded(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, small)
	m.Publish(t, debmirror.Release{Key: key})
	o := options(t, m, debmirror.Armoured(t, key))
	l, err := New(o).Lock(t.Context(), amd64)
	if err != nil {
		t.Fatal(err)
	}
	o.Locked = map[string]*lock.Platform{"linux/amd64": l}
	i := slices.IndexFunc(l.Packages, func(p lock.Package) bool { return p.Name == small })
	gone := l.Packages[i]
	kept := filepath.Join(o.Dir, "kept", lock.KeptAs(gone))
	if err := errors.Join(os.MkdirAll(filepath.Dir(kept), 0o755), os.Rename(filepath.Join(m.Dir, "pool", filepath.Base(gone.URL)), kept)); err != nil {
		t.Fatal(err)
	}
	_, err = open(o)
	wants(t, err, "cannot fetch "+small+" "+gone.Version+": "+gone.URL+": the server answers 404 Not Found")
	wants(t, err, small+" "+gone.Version+" is on offer now: smith lock --update "+small+" takes it; or name a place that keeps old packages with archives")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/archive/20250520T000000Z/pool/" + filepath.Base(gone.URL), "/by/" + gone.SHA256, "/files/" + small + "_" + gone.Version:
			http.ServeFile(w, r, kept)
		case "/other/" + gone.SHA256:
			http.ServeFile(w, r, os.Args[0])
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for name, test := range map[string]struct {
		archives []string
		err      string
	}{
		"a folder":         {[]string{"kept"}, ""},
		"a snapshot":       {[]string{server.URL + "/archive/20250520T000000Z/"}, ""},
		"by digest":        {[]string{server.URL + "/by/{sha256}"}, ""},
		"by name":          {[]string{server.URL + "/files/{name}_{version}"}, ""},
		"the second":       {[]string{"nothing", server.URL + "/{file}", "kept"}, ""},
		"none has it":      {[]string{"nothing", server.URL + "/{file}"}, server.URL + "/" + filepath.Base(gone.URL) + ": the server answers 404 Not Found"},
		"other bytes":      {[]string{server.URL + "/other/{sha256}"}, "the server has other bytes than the index or lock says"},
		"another snapshot": {[]string{server.URL + "/archive/20240101T000000Z"}, "/archive/20240101T000000Z/pool/"},
	} {
		o.Archives, o.Store = test.archives, options(t, m, "").Store
		_, err := open(o)
		if wants(t, err, test.err); t.Failed() {
			t.Fatal(name)
		}
	}
	// Nothing but the folder is needed where there is no network.
	o.Archives, o.Store, o.Network.Offline = []string{"kept"}, options(t, m, "").Store, true
	m.Requests()
	_, err = open(o)
	wants(t, err, "")
	if r := m.Requests(); len(r) > 0 {
		t.Errorf("%v", r)
	}
}

// A lock has one address of a package; the repository's other mirrors have it
// too.
func TestLockedMirrors(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m, other := newMirror(t, small), newMirror(t, small)
	m.Publish(t, debmirror.Release{Key: key})
	o := options(t, m, debmirror.Armoured(t, key))
	o.Repositories[0].Mirrors = append(o.Repositories[0].Mirrors, other.URL+"/")
	l, err := New(o).Lock(t.Context(), amd64)
	if err != nil {
		t.Fatal(err)
	}
	o.Locked = map[string]*lock.Platform{"linux/amd64": l}
	m.Lie(".deb", debmirror.Absent)
	_, err = open(o)
	wants(t, err, "")
	if r := other.Requests(); len(r) != len(l.Packages) {
		t.Errorf("%v", r)
	}
	o.Store = options(t, m, "").Store
	o.Repositories[0].Mirrors = o.Repositories[0].Mirrors[:1]
	_, err = open(o)
	wants(t, err, "404 Not Found")
}

// A version that only a file offers, and no file holds, is an error.
func TestChosenOfNoFile(t *testing.T) {
	v := &apt.Version{Name: "a", Version: "1", Architecture: "amd64", Offers: []*apt.Offer{{Packages: apt.Files{}}}}
	_, err := newFamily(Options{}).chosen(v, nil)
	wants(t, err, "a 1: none of the files that are asked for holds it")
}

// A .deb of the user's is taken with what it needs from the repositories; a
// lock knows it again.
func TestLocalFile(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, "tini")
	o := options(t, m, debmirror.Armoured(t, key))
	found, err := filepath.Glob(filepath.Join(m.Dir, "pool", "tini_*"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	local := filepath.Join(o.Dir, "local.deb")
	if err := os.Rename(found[0], local); err != nil {
		t.Fatal(err)
	}
	m.Publish(t, debmirror.Release{Key: key})
	o.Requests = []distro.Request{{Text: "./local.deb", File: true, Where: "smith.yaml:1"}}
	offer, err := openFor(o, "/usr/bin/tini")
	wants(t, err, "")
	l, err := New(o).Lock(t.Context(), amd64)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(l.Packages, func(p lock.Package) bool { return p.Name == "tini" })
	if p := l.Packages[i]; p.URL != "./local.deb" || p.Key != "" || p.Size == 0 {
		t.Errorf("%+v", p)
	}
	i = slices.IndexFunc(offer.Inputs, func(in record.Input) bool { return in.Package.Name == "tini" })
	if in := offer.Inputs[i]; in.URL != "" || in.Note != "the file local.deb" {
		t.Errorf("%+v", in)
	}
	o.Locked = map[string]*lock.Platform{"linux/amd64": l}
	_, err = openFor(o, "/usr/bin/tini")
	wants(t, err, "")
	o.Locked = nil
	_, err = New(o).Open(t.Context(), ocispec.Platform{OS: "linux", Architecture: "arm64"})
	wants(t, err, "smith.yaml:1: ./local.deb is a package for amd64, and the image is for arm64")
	o.Requests[0].Text = "./absent.deb"
	_, err = openFor(o, "/usr/bin/tini")
	wants(t, err, "no such file")
}

// A request may name another architecture than the image's.
func TestForeignArchitecture(t *testing.T) {
	key := debmirror.NewKey(t, time.Now())
	m := newMirror(t, "tini")
	m.Publish(t, debmirror.Release{Key: key})
	o := options(t, m, debmirror.Armoured(t, key))
	o.Requests[0].Text = "tini:amd64"
	offer, err := New(o).Open(t.Context(), ocispec.Platform{OS: "linux", Architecture: "arm64"})
	if err != nil {
		t.Fatal(err)
	}
	defer offer.Close()
	if at, err := offer.Tree.Resolve("/usr/bin/tini"); err != nil || at.Node.Origin.Package.Architecture != "amd64" {
		t.Errorf("%v, %v", at, err)
	}
}
