// Package debmirror is a repository of Debian packages for tests: real
// packages, indexed by Debian's own tools, signed with a key made for the test,
// served over loopback. It can be told to lie.
package debmirror

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A Mirror is a repository in a folder, and a server of it.
type Mirror struct {
	// URL is the base address: URL + "/dists/…".
	URL string
	// Dir holds the files.
	Dir string

	mu       sync.Mutex
	lies     []lie
	requests []string
}

// A lie answers requests for paths with a suffix; next is the true answer.
type lie struct {
	suffix string
	answer func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

// New serves the given .deb files. Nothing is indexed before Publish. The test
// is skipped where Debian's tools are not installed, and fails there with
// CI=true.
func New(t testing.TB, debs ...string) *Mirror {
	t.Helper()
	for _, tool := range []string{"apt-ftparchive", "dpkg-scanpackages", "xz", "zstd", "bzip2"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	m := &Mirror{Dir: t.TempDir()}
	for _, deb := range debs {
		data, err := os.ReadFile(deb)
		if err != nil {
			t.Fatal(err)
		}
		m.write(t, "pool/"+filepath.Base(deb), data)
	}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	m.URL = server.URL
	return m
}

// ServeHTTP answers as a mirror does, or lies.
func (m *Mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.requests = append(m.requests, r.URL.Path)
	var answer func(http.ResponseWriter, *http.Request, http.Handler)
	for _, l := range m.lies {
		if strings.HasSuffix(r.URL.Path, l.suffix) {
			answer = l.answer
		}
	}
	m.mu.Unlock()
	// Two releases can be of one second, and the older one come last.
	if data, err := os.ReadFile(filepath.Join(m.Dir, filepath.FromSlash(r.URL.Path))); err == nil && !strings.HasSuffix(r.URL.Path, ".deb") {
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(data)))
	}
	files := http.FileServer(http.Dir(m.Dir))
	if answer != nil {
		answer(w, r, files)
		return
	}
	files.ServeHTTP(w, r)
}

// Lie changes the answers for paths with a suffix.
func (m *Mirror) Lie(suffix string, answer func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lies = append(m.lies, lie{suffix, answer})
}

// Requests returns the paths that were asked for since the last call.
func (m *Mirror) Requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.requests
	m.requests = nil
	return all
}

// A Release is how a suite is published. The zero value of all but Key is a
// release of now without an end, with Packages.xz and folders by-hash.
type Release struct {
	// Suite is "test" where it is "".
	Suite string
	// Key signs; nil leaves the release unsigned.
	Key *openpgp.Entity
	// Detached writes Release.gpg and no InRelease.
	Detached bool
	// Date is when it is made, Valid how long it counts.
	Date  time.Time
	Valid time.Duration
	// Form is the suffix of the list of packages, such as ".gz"; "plain" is none.
	Form string
	// NoHash leaves the folders by-hash out.
	NoHash bool
	// Contents publishes lists of what the packages hold, as Edit leaves them.
	Contents bool
	Edit     func(list []byte) []byte
	// ForSuite publishes them once for the whole suite, as Ubuntu does, not for
	// each component.
	ForSuite bool
	// Fields are further lines of the release.
	Fields string
}

// Publish indexes what is in pool/ as suite/main for amd64 and arm64, and
// signs it.
func (m *Mirror) Publish(t testing.TB, r Release) {
	t.Helper()
	if r.Suite == "" {
		r.Suite = "test"
	}
	if r.Date.IsZero() {
		r.Date = time.Now().Add(-time.Minute)
	}
	dist := "dists/" + r.Suite
	if err := os.RemoveAll(filepath.Join(m.Dir, dist)); err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		list := m.run(t, m.Dir, "apt-ftparchive", "-a", arch, "packages", "pool")
		m.list(t, r, dist+"/main/binary-"+arch+"/Packages", list)
		if r.Contents {
			contents := m.run(t, m.Dir, "apt-ftparchive", "-a", arch, "contents", "pool")
			if r.Edit != nil {
				contents = r.Edit(contents)
			}
			folder := dist + "/main"
			if r.ForSuite {
				folder = dist
			}
			m.list(t, r, folder+"/Contents-"+arch, contents)
		}
	}
	args := []string{
		"-o", "APT::FTPArchive::Release::Codename=" + r.Suite, "-o", "APT::FTPArchive::Release::Suite=" + r.Suite,
		"-o", "APT::FTPArchive::Release::Origin=test", "-o", "APT::FTPArchive::Release::Architectures=amd64 arm64",
		"release", dist,
	}
	m.sign(t, r, dist, m.run(t, m.Dir, "apt-ftparchive", args...))
}

// PublishFlat indexes pool/ as a flat repository in a folder, with
// dpkg-scanpackages.
func (m *Mirror) PublishFlat(t testing.TB, folder string, r Release) {
	t.Helper()
	if r.Date.IsZero() {
		r.Date = time.Now().Add(-time.Minute)
	}
	m.list(t, r, folder+"/Packages", m.run(t, m.Dir, "dpkg-scanpackages", "-m", "pool"))
	m.sign(t, r, folder, m.run(t, m.Dir, "apt-ftparchive", "release", folder))
}

// list writes a list of packages, compressed.
func (m *Mirror) list(t testing.TB, r Release, name string, list []byte) {
	t.Helper()
	m.write(t, name, list)
	file := filepath.Join(m.Dir, name)
	switch r.Form {
	case "plain":
	case "", ".xz":
		m.run(t, m.Dir, "xz", file)
	case ".gz":
		m.run(t, m.Dir, "gzip", file)
	case ".zst":
		m.run(t, m.Dir, "zstd", "-q", "--rm", file)
	case ".bz2":
		m.run(t, m.Dir, "bzip2", file)
	}
	if r.NoHash {
		return
	}
	for _, form := range []string{"", ".xz", ".gz", ".zst", ".bz2"} {
		if data, err := os.ReadFile(file + form); err == nil {
			sum := strings.Fields(string(m.run(t, m.Dir, "sha256sum", file+form)))[0]
			m.write(t, filepath.Dir(name)+"/by-hash/SHA256/"+sum, data)
		}
	}
}

// sign completes the text of a release, and signs it.
func (m *Mirror) sign(t testing.TB, r Release, folder string, text []byte) {
	t.Helper()
	var head strings.Builder
	const form = "Mon, 02 Jan 2006 15:04:05 MST"
	fmt.Fprintf(&head, "Date: %s\n", r.Date.UTC().Format(form))
	if r.Valid > 0 {
		fmt.Fprintf(&head, "Valid-Until: %s\n", r.Date.Add(r.Valid).UTC().Format(form))
	}
	if !r.NoHash {
		head.WriteString("Acquire-By-Hash: yes\n")
	}
	head.WriteString(r.Fields)
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "Date:") && !strings.Contains(line, "by-hash/") {
			head.WriteString(line)
		}
	}
	release := []byte(head.String())
	config := &packet.Config{Time: func() time.Time { return r.Date }}
	switch {
	case r.Key == nil:
		m.write(t, folder+"/Release", release)
	case r.Detached:
		m.write(t, folder+"/Release", release)
		var signature bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&signature, r.Key, bytes.NewReader(release), config); err != nil {
			t.Fatal(err)
		}
		m.write(t, folder+"/Release.gpg", signature.Bytes())
	default:
		var signed bytes.Buffer
		w, err := clearsign.Encode(&signed, r.Key.PrivateKey, config)
		if err == nil {
			_, err = w.Write(release)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		m.write(t, folder+"/InRelease", append(signed.Bytes(), '\n'))
	}
}

func (m *Mirror) write(t testing.TB, name string, data []byte) {
	t.Helper()
	path := filepath.Join(m.Dir, filepath.FromSlash(name))
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (m *Mirror) run(t testing.TB, dir, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, errors.Bytes())
	}
	return out
}

// NewKey makes a key that was made an hour before a time.
func NewKey(t testing.TB, at time.Time) *openpgp.Entity {
	t.Helper()
	config := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return at.Add(-time.Hour) }}
	key, err := openpgp.NewEntity("test", "", "test@example.org", config)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Armoured is the public form of a key.
func Armoured(t testing.TB, key *openpgp.Entity) string {
	t.Helper()
	var out bytes.Buffer
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
	return out.String() + "\n"
}

// Fingerprint is how errors name a key.
func Fingerprint(key *openpgp.Entity) string { return fmt.Sprintf("%X", key.PrimaryKey.Fingerprint) }

// Busy answers 503 a number of times, then truly.
func Busy(times int) func(http.ResponseWriter, *http.Request, http.Handler) {
	return first(times, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
}

// Dropped breaks the connection off in the middle a number of times.
func Dropped(times int) func(http.ResponseWriter, *http.Request, http.Handler) {
	return first(times, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rest := r.Clone(r.Context())
		rest.Header.Del("Range")
		record := httptest.NewRecorder()
		next.ServeHTTP(record, rest)
		body := record.Body.Bytes()
		w.Header().Set("Last-Modified", record.Header().Get("Last-Modified"))
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	})
}

// Changed answers with a byte changed.
func Changed(w http.ResponseWriter, r *http.Request, next http.Handler) {
	rewritten(w, r, next, func(body []byte) []byte {
		body[len(body)/2] ^= 1
		return body
	})
}

// Truncated answers with half of the bytes, as if they were all.
func Truncated(w http.ResponseWriter, r *http.Request, next http.Handler) {
	rewritten(w, r, next, func(body []byte) []byte { return body[:len(body)/2] })
}

// Slow answers truly, a little at a time.
func Slow(w http.ResponseWriter, r *http.Request, next http.Handler) {
	record := httptest.NewRecorder()
	next.ServeHTTP(record, r)
	w.WriteHeader(record.Code)
	for record.Body.Len() > 0 {
		_, _ = w.Write(record.Body.Next(record.Body.Len()/4 + 1))
		w.(http.Flusher).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

// Absent answers that there is no such file.
func Absent(w http.ResponseWriter, r *http.Request, _ http.Handler) { http.NotFound(w, r) }

func rewritten(w http.ResponseWriter, r *http.Request, next http.Handler, change func([]byte) []byte) {
	rest := r.Clone(r.Context())
	rest.Header = http.Header{}
	record := httptest.NewRecorder()
	next.ServeHTTP(record, rest)
	w.WriteHeader(record.Code)
	_, _ = io.Copy(w, bytes.NewReader(change(record.Body.Bytes())))
}

func first(times int, lie func(http.ResponseWriter, *http.Request, http.Handler)) func(http.ResponseWriter, *http.Request, http.Handler) {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		lies := times > 0
		times--
		mu.Unlock()
		if lies {
			lie(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}
