package apt

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/google/go-cmp/cmp"

	"smith/internal/event"
	"smith/internal/golden"
	"smith/internal/network/fetch"
)

func TestConf(t *testing.T) {
	c := Conf{}
	var included []string
	c.Parse(`// a comment
Acquire::Check-Valid-Until "false"; # another
APT { Architecture "arm64"; NeverAutoRemove { "^linux"; }; /* three
lines */ Install-Recommends "0"; };
Acquire { http::Proxy "http://proxy.example.org:3128/"; http { Timeout "5"; }; };
acquire::http::PROXY::mirror.example.org DIRECT;
DPkg::Post-Invoke { "rm -f /x; true"; };
Dir::Etc "x/" { SourceList "y"; parts "z"; };
#include "a.conf";
 #includes is a comment, and so is #clear
APT::Gone::A "1"; APT::Gone "2"; APT::Goner "3";
#clear APT::Gone;
broken "
`, func(name string) { included = append(included, name) })
	want := Conf{
		"acquire::check-valid-until": "false", "apt::architecture": "arm64", "apt::install-recommends": "0",
		"acquire::http::proxy": "http://proxy.example.org:3128/", "acquire::http::timeout": "5",
		"acquire::http::proxy::mirror.example.org": "DIRECT", "apt::goner": "3",
		"dir::etc": "x/", "dir::etc::sourcelist": "y", "dir::etc::parts": "z",
	}
	if !slices.Equal(included, []string{"a.conf"}) {
		t.Errorf("included %q", included)
	}
	if d := cmp.Diff(want, c); d != "" {
		t.Error(d)
	}
	if c.Get("ACQUIRE::HTTP::Timeout") != "5" {
		t.Error("names count in any case of letters")
	}
}

func FuzzConf(f *testing.F) {
	f.Add(`A { B "c"; }; D::E f;`)
	f.Fuzz(func(_ *testing.T, text string) { Conf{}.Parse(text, nil) })
}

// warnings collects what is warned of.
type warnings struct {
	event.Silent
	texts []string
}

func (w *warnings) Warn(text string) { w.texts = append(w.texts, text) }

// testKey returns a key and its public form, armoured.
func testKey(t testing.TB) (*openpgp.Entity, string) {
	t.Helper()
	key, err := openpgp.NewEntity("test", "", "test@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	if err == nil {
		err = key.Serialize(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return key, out.String() + "\n"
}

// etc writes files of a configuration and returns their root.
func etc(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, "etc/apt", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// shownSources is one line for each source.
func shownSources(h *Host, root string) string {
	var out strings.Builder
	for _, s := range h.Sources {
		addresses := strings.Join(s.Mirrors, "|")
		if s.List != "" {
			addresses += "list " + s.List
		}
		fmt.Fprintf(&out, "%s %s %s %v %v", filepath.ToSlash(strings.TrimPrefix(s.Where, root)), addresses, s.Suite, s.Components, s.Architectures)
		if s.Keys != nil {
			fmt.Fprintf(&out, " %d keys", len(s.Keys.Fingerprints()))
		}
		for text, set := range map[string]bool{" trusted": s.Trusted, " any date": s.AnyDate, " no clock": s.NoClock} {
			if set {
				out.WriteString(text)
			}
		}
		if s.ByHash != "" {
			out.WriteString(" by-hash=" + s.ByHash)
		}
		if s.MaxValid > 0 {
			fmt.Fprint(&out, " at most ", s.MaxValid)
		}
		out.WriteString("\n")
	}
	return out.String()
}

func TestReadHost(t *testing.T) {
	_, one := testKey(t)
	key, two := testKey(t)
	indented := strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(one), "\n\n", "\n.\n"), "\n", "\n ")
	root := etc(t, map[string]string{
		"sources.list": "deb http://a.example.org/debian stable main contrib # a comment\n" +
			"deb-src http://a.example.org/debian stable main\n\n# deb http://b.example.org x y\n" +
			"deb [arch=amd64,arm64 trusted=yes] https://me:secret@b.example.org/repo ./\n" +
			fmt.Sprintf("deb [ signed-by=%X by-hash=force check-valid-until=no ] http://c.example.org/$(ARCH) sid/ \n", key.PrimaryKey.Fingerprint) +
			"deb cdrom:[Debian]/ stable main\n",
		"sources.list.d/b.sources": "Types: deb deb-src\nURIs: http://d.example.org/x http://e.example.org/\nSuites: s s-updates\nComponents: main\n" +
			"Architectures: amd64\nValid-Until-Max: 60\nSigned-By: " + indented + "\n\nTypes: deb\nEnabled: no\nURIs: http://f.example.org\nSuites: s\nComponents: main\n",
		"sources.list.d/c.list.save": "deb nonsense",
		"sources.list.d/d.list":      "deb mirror+file:MIRRORS s main\n",
		"sources.list.d/e.list":      "deb mirror+https://me:secret@lists.example.org/debian.txt s main\ndeb mirror://lists.example.org/old s main\n",
		"trusted.gpg.d/one.asc":      one,
		"trusted.gpg.d/two.asc":      two,
		"trusted.gpg.d/none.gpg":     "no key",
		"apt.conf.d/50proxy":         `Acquire::http::Proxy "http://proxy.example.org/";`,
		"auth.conf.d/x.conf":         "machine a.example.org login a password hidden",
		"mirrors":                    "http://slow.example.org/debian\tpriority:2\n\n# none\nhttp://fast.example.org/debian priority:1\n",
	})
	list := filepath.Join(root, "etc/apt/sources.list.d/d.list")
	text := "deb mirror+file:" + filepath.Join(root, "etc/apt/mirrors") + " s main\n"
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &warnings{}
	h, err := ReadHost(root, "amd64", w)
	if err != nil {
		t.Fatal(err)
	}
	want := `/etc/apt/sources.list:1 http://a.example.org/debian/ stable [main contrib] [] 2 keys
/etc/apt/sources.list:5 https://b.example.org/repo/ ./ [] [amd64 arm64] trusted
/etc/apt/sources.list:6 http://c.example.org/amd64/ sid/ [] [] 1 keys any date by-hash=force
/etc/apt/sources.list.d/b.sources http://d.example.org/x/ s [main] [amd64] 1 keys at most 1m0s
/etc/apt/sources.list.d/b.sources http://d.example.org/x/ s-updates [main] [amd64] 1 keys at most 1m0s
/etc/apt/sources.list.d/b.sources http://e.example.org/ s [main] [amd64] 1 keys at most 1m0s
/etc/apt/sources.list.d/b.sources http://e.example.org/ s-updates [main] [amd64] 1 keys at most 1m0s
/etc/apt/sources.list.d/d.list:1 http://fast.example.org/debian/|http://slow.example.org/debian/ s [main] [] 2 keys
/etc/apt/sources.list.d/e.list:1 list https://lists.example.org/debian.txt s [main] [] 2 keys
/etc/apt/sources.list.d/e.list:2 list http://lists.example.org/old s [main] [] 2 keys
`
	if d := cmp.Diff(want, shownSources(h, root)); d != "" {
		t.Error(d)
	}
	if len(w.texts) != 2 || !strings.Contains(w.texts[0], "trusted without a signature") || !strings.Contains(w.texts[1], "cdrom: addresses are") {
		t.Errorf("%q", w.texts)
	}
	if len(h.Logins) != 3 || strings.Contains(fmt.Sprint(h.Sources, w.texts), "secret") {
		t.Errorf("%d logins", len(h.Logins))
	}
}

// Where apt's files lie is a setting, and settings include others.
func TestReadHostElsewhere(t *testing.T) {
	root := etc(t, map[string]string{
		"apt.conf.d/10a":         "#include \"/etc/apt/more/\";\nDir::Etc::SourceParts \"/dev/null\";\nDir::Etc::trustedparts \"/etc/apt/keys\";\n",
		"apt.conf":               "Acquire::Check-Date \"false\";",
		"more/b.conf":            "Dir::Etc::SourceList \"other.list\";\n#include \"/etc/apt/last\";",
		"last":                   "Dir::Etc::preferences \"/etc/apt/pins\"; Dir::Etc::preferencesparts \"-\";",
		"pins":                   "Package: a\nPin: version 1\nPin-Priority: 7\n",
		"preferences.d/no":       "Package: a\nPin: version 1\nPin-Priority: 8\n",
		"sources.list":           "deb http://no.example.org/ s main\n",
		"sources.list.d/no.list": "deb http://no.example.org/ s main\n",
		"other.list":             "deb http://a.example.org/ s main\ndeb [check-date=yes date-max-future=60] http://b.example.org/ s main\n",
	})
	h, err := ReadHost(root, "amd64", &warnings{})
	if err != nil {
		t.Fatal(err)
	}
	want := `/etc/apt/other.list:1 http://a.example.org/ s [main] [] 0 keys no clock
/etc/apt/other.list:2 http://b.example.org/ s [main] [] 0 keys
`
	if d := cmp.Diff(want, shownSources(h, root)); d != "" {
		t.Error(d)
	}
	if h.Sources[1].MaxFuture != time.Minute {
		t.Errorf("a clock may be %v behind", h.Sources[1].MaxFuture)
	}
	p, err := h.Preferences()
	if err != nil || len(p.pins) != 1 || p.pins[0].priority != 7 {
		t.Errorf("%+v, %v", p, err)
	}
	loop := etc(t, map[string]string{"apt.conf": `#include "/etc/apt/apt.conf";`, "sources.list": "deb http://a.example.org/ s main\n"})
	if _, err := ReadHost(loop, "amd64", &warnings{}); err == nil || !strings.Contains(err.Error(), "more than 10 files include each other") {
		t.Error(err)
	}
}

// Whether a date counts depends on the source.
func TestCheckDate(t *testing.T) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	old := &Release{Date: now.Add(-2 * time.Hour), ValidUntil: now.Add(-time.Hour)}
	future := &Release{Date: now.Add(time.Minute)}
	expired := func(on string) string {
		return "its release expired on " + on + ": the mirror is out of date, or somebody holds it back; for a snapshot, which is out of date by nature, write check-valid-until: false"
	}
	const early = "its release is of the future, Wed, 01 Jan 2025 00:01:00 UTC: is this machine's clock right?"
	for name, test := range map[string]struct {
		source  Source
		release *Release
		want    string
	}{
		"expired":              {Source{}, old, expired("Tue, 31 Dec 2024 23:00:00 UTC")},
		"any date":             {Source{AnyDate: true}, old, ""},
		"counts longer":        {Source{MinValid: 3 * time.Hour}, old, ""},
		"counts less long":     {Source{MaxValid: time.Minute}, &Release{Date: now.Add(-time.Hour)}, expired("Tue, 31 Dec 2024 23:01:00 UTC")},
		"of the future":        {Source{}, future, early},
		"future, any date":     {Source{AnyDate: true}, future, early},
		"future, slow clock":   {Source{MaxFuture: time.Hour}, future, ""},
		"future, no clock":     {Source{NoClock: true}, future, ""},
		"expired and no clock": {Source{NoClock: true}, old, ""},
	} {
		err := test.source.checkDate(test.release, now)
		if (err == nil) != (test.want == "") || err != nil && err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

func TestReadHostMistakes(t *testing.T) {
	for name, test := range map[string]struct{ file, text, want string }{
		"none":          {"apt.conf", "", "/etc/apt names no repository of packages that can be used; name some in smith.yaml with the key repositories"},
		"words":         {"sources.list", "deb\n", "/etc/apt/sources.list:1: \"deb\" is not TYPE [OPTIONS] URI SUITE COMPONENT…"},
		"no components": {"sources.list", "\ndeb http://a.example.org stable\n", `/etc/apt/sources.list:2: suite "stable": a suite has components; a directory, which ends in /, has none`},
		"flat":          {"sources.list", "deb http://a.example.org ./ main\n", `/etc/apt/sources.list:1: suite "./": a suite has components; a directory, which ends in /, has none`},
		"paragraph":     {"sources.list.d/a.sources", "Types: deb\n", "/etc/apt/sources.list.d/a.sources: a paragraph lacks URIs or Suites"},
		"no field":      {"sources.list.d/a.sources", "deb http", `/etc/apt/sources.list.d/a.sources: line 1: "deb http" is no field: want NAME: VALUE`},
		"key":           {"sources.list", "deb [signed-by=/absent] http://a.example.org s main\n", "/etc/apt names no repository of packages that can be used; name some in smith.yaml with the key repositories"},
	} {
		root := etc(t, map[string]string{test.file: test.text})
		_, err := ReadHost(root, "amd64", &warnings{})
		if err == nil || strings.ReplaceAll(err.Error(), root, "") != test.want {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	root := t.TempDir()
	want := "this machine (" + runtime.GOOS + ") has no apt sources: " + root + "/etc/apt does not exist; name repositories in smith.yaml: " +
		"repositories: [{deb: http://mirror.example.org/debian, suites: [stable], components: [main], signed-by: FILE}]"
	if _, err := ReadHost(root, "amd64", event.Silent{}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func FuzzSources(f *testing.F) {
	f.Add("deb [a=b] http://a b c\n")
	f.Add("Types: deb\nURIs: http://a\nSuites: b\nComponents: c\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(name, text string) ([]entry, error){parseLines, parseParagraphs} {
			entries, err := parse("x", text)
			if err != nil {
				continue
			}
			for _, e := range entries {
				sources, err := e.sources(Conf{}, "amd64")
				for _, s := range sources {
					if err == nil && (len(s.Mirrors) != 1 || s.Suite == "") {
						t.Errorf("%+v", s)
					}
				}
			}
		}
	})
}

func TestReadRelease(t *testing.T) {
	const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	r, err := readRelease([]byte("Origin: Debian\nSuite: stable\nCodename: bookworm\nDate: Sat,  1 Jun 2024 08:53:33 UTC\n" +
		"Valid-Until: Sat, 08 Jun 2024 08:53:33 +0000\nNotAutomatic: yes\nAcquire-By-Hash: yes\nArchitectures: all amd64\n" +
		"MD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 0 main/old\nSHA256:\n " + sum + " 0 main/binary-amd64/Packages\n " +
		sum + " 7 main/binary-amd64/Packages.gz\n " + sum + " 7 main/binary-all/Packages.xz\n"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"main/binary-amd64/Packages.gz", "main/binary-all/Packages.xz"}, r.lists("main", "amd64")); d != "" {
		t.Error(d)
	}
	if !r.NotAutomatic || !r.byHash || r.files["main/old"].size != 0 || r.ValidUntil.Sub(r.Date) != 7*24*time.Hour {
		t.Errorf("%+v", r)
	}
	for text, want := range map[string]string{
		"":                                     "the release is empty",
		"Date: never\n":                        `the release's Date: "never" is not a date`,
		"Date: Sat, 1 Jun 2024 08:53:33 UTC\n": "the release names no file with a digest of SHA-256 or SHA-512",
		"Date: Sat, 1 Jun 2024 08:53:33 UTC\nSHA256:\n abc 1 a\n": `the release's SHA256: "abc 1 a" is not of the form DIGEST SIZE NAME`,
	} {
		if _, err := readRelease([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func FuzzReadRelease(f *testing.F) {
	f.Add([]byte("Date: Sat, 1 Jun 2024 08:53:33 UTC\nSHA256:\n abc 1 a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := readRelease(text); err == nil && (len(r.files) == 0 || r.Date.IsZero()) {
			t.Errorf("%+v", r)
		}
	})
}

func FuzzParseMirrors(f *testing.F) {
	f.Add("http://a.example.org/debian\tpriority:2\n#\nhttp://b.example.org/ priority:1 type:index\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseMirrors(text)
		if (err == nil) != (len(all) > 0) || slices.Contains(all, "") {
			t.Errorf("%q, %v", all, err)
		}
	})
}

// APT_CONFIG names a file that apt reads before all others, and that may say
// where these are; Acquire::https says how servers are talked to.
func TestAptConfig(t *testing.T) {
	if _, err := os.Stat("/etc/apt"); err != nil {
		t.Skip("this machine has no apt: ", err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("sources.list", "deb [trusted=yes] https://mirror.example.org/debian stable main\n")
	t.Setenv("APT_CONFIG", write("own.conf", `Dir::Etc "`+dir+`";
Dir::Etc::Parts "/dev/null";
Acquire::https { CaInfo "/ca.pem"; SslCert "/client.pem"; mirror.example.org { SslKey "/key.pem"; }; other.example.org { Verify-Peer "false"; }; crl.example.org { CRLFile "/crl"; }; };
`))
	h, err := ReadHost("/", "amd64", &warnings{})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Sources) != 1 || h.Sources[0].Mirrors[0] != "https://mirror.example.org/debian/" {
		t.Errorf("%v", h.Sources)
	}
	got, err := h.Connection("https://mirror.example.org/debian/")
	if want := (fetch.Connection{CAFile: "/ca.pem", CertFile: "/client.pem", KeyFile: "/key.pem"}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := h.Connection("https://other.example.org/"); err != nil || !got.Insecure {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := h.Connection("http://mirror.example.org/"); err != nil || got != (fetch.Connection{}) {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = h.Connection("https://crl.example.org/")
	golden.New(t).Error("CRLFile", err)
}
