package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store/storetest"
	"smith/internal/event"
)

// content is what the tests fetch: larger than any buffer on the way.
var content = sync.OnceValue(func() []byte {
	data := make([]byte, 2<<20)
	rand.New(rand.NewSource(1)).Read(data)
	return data
})

func client(t *testing.T, change func(*Options)) *Client {
	t.Helper()
	s := storetest.New(t)
	o := Options{Store: s, Events: event.Silent{}, Pause: time.Millisecond, Stall: 5 * time.Second}
	if change != nil {
		change(&o)
	}
	return New(o)
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL + "/file"
}

// good serves the content, parts of it too.
func good(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", `"1"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content()))
}

// first answers the first n requests with bad and the others as good does.
func first(n int32, bad http.HandlerFunc) http.HandlerFunc {
	var count atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if count.Add(1) <= n {
			bad(w, r)
			return
		}
		good(w, r)
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// dropped breaks the connection off in the middle.
func dropped(w http.ResponseWriter, _ *http.Request) {
	if w.Header().Get("ETag") == "" {
		w.Header().Set("ETag", `"1"`)
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(content())))
	w.Write(content()[:1<<20])
	panic(http.ErrAbortHandler)
}

func other(w http.ResponseWriter, _ *http.Request) { w.Write(otherContent()) }

func otherContent() []byte {
	data := bytes.Clone(content())
	data[7]++
	return data
}

func get(c *Client, addresses ...string) error {
	data := content()
	e, err := c.Get(context.Background(), File{
		Name: "a 1.0", Addresses: addresses, Digest: digest.FromBytes(data), Size: int64(len(data)),
	})
	if err != nil {
		return err
	}
	defer e.Close()
	got, err := io.ReadAll(io.NewSectionReader(e, 0, e.Size()))
	if err == nil && !bytes.Equal(got, data) {
		return errors.New("the entry holds other bytes")
	}
	return err
}

func TestGet(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		err     string // "" for success
	}{
		"good":                 {good, ""},
		"busy, then good":      {first(2, status(http.StatusServiceUnavailable)), ""},
		"too many, then good":  {first(3, status(http.StatusTooManyRequests)), ""},
		"dropped, then good":   {first(2, dropped), ""},
		"stale cache, then OK": {first(1, other), ""},
		"dropped, then changed": {first(1, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"0"`)
			dropped(w, r)
		}), ""},
		"always busy": {status(http.StatusServiceUnavailable), "the server answers 503 Service Unavailable (asked 4 times)"},
		"always dropped": {
			func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			"EOF (asked 4 times)",
		},
		"absent":    {status(http.StatusNotFound), "the server answers 404 Not Found: file does not exist"},
		"forbidden": {status(http.StatusUnauthorized), "the server answers 401 Unauthorized; a user and password for the host can stand in ~/.netrc or in apt's auth.conf.d"},
		"other":     {other, "the server has other bytes than the index or lock says: it is " + digest.FromBytes(otherContent()).String() + ", not " + digest.FromBytes(content()).String()},
		"truncated": {
			func(w http.ResponseWriter, _ *http.Request) { w.Write(content()[:1000]) },
			"the server has other bytes than the index or lock says: it is 1000 bytes, not 2097152",
		},
		"too large": {
			func(w http.ResponseWriter, _ *http.Request) { w.Write(append(bytes.Clone(content()), 'x')) },
			"the server has other bytes than the index or lock says: it is larger than 2097152 bytes",
		},
		"ranges answered wrongly": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				dropped(w, r)
			}
			w.Header().Set("Content-Range", "bytes 5-6/7")
			w.WriteHeader(http.StatusPartialContent)
		}, "the server sends another part than was asked for (asked 4 times)"},
		"shorter now": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				dropped(w, r)
			}
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}, "the server has fewer bytes than it had (asked 4 times)"},
		"redirected to a file": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		}, `the server redirects to a "file" address`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, test.handler)
			switch err := get(client(t, nil), url); {
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err != "" && (err == nil || err.Error() != "cannot fetch a 1.0: "+url+": "+test.err):
				t.Errorf("got %v, want cannot fetch a 1.0: %s: %s", err, url, test.err)
			}
		})
	}
}

// check wants an error that holds a text, or none.
func check(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%v\nwant …%s…", err, want)
	}
}

func TestGetResumes(t *testing.T) {
	var mu sync.Mutex // the first handler may still be at its end
	var ranges []string
	var sent int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		ranges = append(ranges, r.Header.Get("Range")+" "+r.Header.Get("If-Range"))
		if len(ranges) == 1 {
			dropped(w, r)
		}
		before := &counter{ResponseWriter: w}
		good(before, r)
		sent = before.n
	})
	check(t, get(client(t, nil), url), "")
	mu.Lock()
	defer mu.Unlock()
	if len(ranges) != 2 || !strings.HasPrefix(ranges[1], "bytes=") || !strings.HasSuffix(ranges[1], `- "1"`) {
		t.Errorf("the requests' ranges: %q", ranges)
	}
	if sent == 0 || sent >= 2<<20 {
		t.Errorf("the second answer had %d bytes", sent)
	}
}

type counter struct {
	http.ResponseWriter
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.ResponseWriter.Write(p)
}

func TestGetStalled(t *testing.T) {
	var count atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if count.Add(1) > 1 {
			good(w, r)
			return
		}
		w.Write(content()[:1000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	check(t, get(client(t, func(o *Options) { o.Stall = 100 * time.Millisecond }), url), "")
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	err := get(client(t, func(o *Options) { o.Stall, o.Attempts = 20*time.Millisecond, 2 }), silent)
	if want := "cannot fetch a 1.0: " + silent + ": the server is silent (asked 2 times)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestGetMirrors(t *testing.T) {
	c := client(t, nil)
	absent, bad := serve(t, status(http.StatusNotFound)), serve(t, other)
	err := get(c, absent, bad)
	check(t, err, "cannot fetch a 1.0: "+absent+": the server answers 404")
	check(t, err, "; "+bad+": the server has other bytes")
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrMismatch) {
		t.Errorf("%v does not say what it is", err)
	}
	check(t, get(c, absent, bad, serve(t, good)), "")
	check(t, get(c), "") // from the cache now
}

func TestGetFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b")
	if err := os.WriteFile(path, content(), 0o600); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
	offline := func(o *Options) { o.Offline = true }
	check(t, get(client(t, offline), address), "")
	check(t, get(client(t, offline), address+"x"), "no such file")
	check(t, get(client(t, nil), "file:///"), "not a regular file")
	check(t, get(client(t, nil), "ftp://example.org/a"), `cannot fetch by "ftp"`)
	check(t, get(client(t, offline), "http://127.0.0.1:1/a"), "--offline asks no network")
}

func TestGetCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("a"))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	_, err := client(t, nil).Get(ctx, File{Name: "a", Addresses: []string{url}, Digest: digest.FromString("a")})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestLoginStaysWithItsHost(t *testing.T) {
	var seen []string
	record := func(r *http.Request) { seen = append(seen, r.URL.Path+" "+r.Header.Get("Authorization")) }
	elsewhere := serve(t, func(w http.ResponseWriter, r *http.Request) { record(r); good(w, r) })
	here := serve(t, func(w http.ResponseWriter, r *http.Request) {
		record(r)
		http.Redirect(w, r, elsewhere+"?token=secret", http.StatusFound)
	})
	host := strings.TrimSuffix(strings.TrimPrefix(here, "http://"), "/file")
	c := client(t, func(o *Options) { o.Logins = ParseNetrc([]byte("machine " + host + " login me password secret")) })
	check(t, get(c, here), "")
	if len(seen) != 2 || seen[0] != "/file Basic bWU6c2VjcmV0" || seen[1] != "/file " {
		t.Errorf("%q", seen)
	}
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	away := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://me:secret@127.0.0.1:1/?token=secret", http.StatusFound)
	})
	c := client(t, func(o *Options) { o.Attempts = 1 })
	for _, address := range []string{away, "http://me:secret@127.0.0.1:1/a?token=secret", "http://me:secret@[/", "ftp://me:secret@example.org/"} {
		err := get(c, address)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
		if _, err = c.Page(context.Background(), address); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}

func TestCertificates(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(good))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of the refused certificate
	s.StartTLS()
	defer s.Close()
	want := "cannot fetch a 1.0: " + s.URL + ": tls: failed to verify certificate: x509: certificate signed by unknown authority; -k does not check certificates"
	if err := get(client(t, nil), s.URL); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	check(t, get(client(t, func(o *Options) { o.Insecure = true }), s.URL), "")
}

func TestPage(t *testing.T) {
	text, answers := "one", []int64{}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+text+`"`)
		before := &counter{ResponseWriter: w}
		http.ServeContent(before, r, "", time.Time{}, strings.NewReader(text))
		answers = append(answers, before.n)
	})
	c := client(t, nil)
	want := func(c *Client, data string, changed bool) {
		t.Helper()
		p, err := c.Page(context.Background(), url)
		if err != nil || string(p.Data) != data || p.Changed != changed {
			t.Errorf("%+v, %v", p, err)
		}
	}
	want(c, "one", true)
	want(c, "one", false)
	text = "two"
	want(c, "two", true)
	if fmt.Sprint(answers) != "[3 0 3]" {
		t.Errorf("the server sent bytes: %v", answers)
	}
	o := c.Options
	o.Offline = true
	want(New(o), "two", false)
	_, err := New(o).Page(context.Background(), url+"x")
	if !errors.Is(err, ErrOffline) {
		t.Error(err)
	}
	_, err = c.Page(context.Background(), serve(t, status(http.StatusNotFound)))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestNetrc(t *testing.T) {
	n := ParseNetrc([]byte("# machine c.example.org login x password y\nmacdef init\nmachine d login x\n\n" +
		"machine a.example.org login me password one\nmachine a.example.org/deep\n\tlogin me\n\tpassword two\n" +
		"machine https://b.example.org:8443/p login me account x password three\ndefault login anonymous password me"))
	auth := ParseAuthConf([]byte("machine a.example.org login me password four machine http://a.example.org/x login me password five"))
	for _, test := range []struct {
		n            Netrc
		url, wantAny string
	}{
		{n, "https://a.example.org/x", "one"},
		{n, "http://A.example.org:80/x", "one"},
		{n, "https://b.example.org:8443/p/q", "three"},
		{n, "https://b.example.org:8443/pq", "me"},
		{n, "http://b.example.org:8443/p", "me"},
		{n, "https://c.example.org/", "me"},
		{n[:1], "https://d/", ""},
		{auth, "https://a.example.org/", "four"},
		{auth, "http://a.example.org/", ""},
		{auth, "http://a.example.org/x/y", "five"},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if _, got, _ := test.n.Login(u); got != test.wantAny {
			t.Errorf("%s: %q, want %q", test.url, got, test.wantAny)
		}
	}
}

func FuzzParseNetrc(f *testing.F) {
	f.Add("machine a login b password c\ndefault login d")
	f.Add("macdef x\n\nmachine https://a/b login")
	f.Fuzz(func(t *testing.T, text string) {
		u := &url.URL{Scheme: "https", Host: "a"}
		if user, _, ok := ParseNetrc([]byte(text)).Login(u); ok && user == "" {
			t.Error("a login without a user")
		}
	})
}

// resumed counts the bytes that it does not send of the content, since they were
// there already.
type resumed struct{ spared atomic.Int64 }

func (s *resumed) handler(w http.ResponseWriter, r *http.Request) {
	var from int64
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
		s.spared.Add(from)
	}
	good(w, r)
}

// What came of a file before all mirrors failed, or smith was stopped, is not
// fetched again.
func TestResumeLater(t *testing.T) {
	stopped := func(c *Client, address string) {
		ctx, cancel := context.WithCancel(t.Context())
		c.Events = stopping{cancel}
		_, err := c.Get(ctx, File{Name: "a", Addresses: []string{address}, Digest: digest.FromBytes(content()), Size: int64(len(content()))})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stopped: %v", err)
		}
		c.Events = event.Silent{}
	}
	failed := func(c *Client, address string) {
		if err := get(c, address); err == nil || !strings.Contains(err.Error(), "EOF") {
			t.Errorf("dropped: %v", err)
		}
	}
	for name, test := range map[string]struct {
		first  func(c *Client, address string)
		server http.HandlerFunc
		spared func(n int64) bool
	}{
		"dropped": {failed, dropped, func(n int64) bool { return n == 1<<20 }},
		"stopped": {stopped, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(content())))
			w.Write(content()[:3<<19])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, func(n int64) bool { return n >= 1<<20 && n < 2<<20 }},
		"little": {failed, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(content())))
			w.Write(content()[:minPartial-1])
			panic(http.ErrAbortHandler)
		}, func(n int64) bool { return n == 0 }},
		"other bytes": {failed, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(content())))
			w.Write(make([]byte, 1<<20))
			panic(http.ErrAbortHandler)
		}, func(n int64) bool { return n == 1<<20 }},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, func(o *Options) { o.Attempts = 1 })
			test.first(c, serve(t, test.server))
			later := New(Options{Store: c.Store, Events: event.Silent{}, Pause: time.Millisecond})
			s := &resumed{}
			if err := get(later, serve(t, s.handler)); err != nil {
				t.Fatal(err)
			}
			if n := s.spared.Load(); !test.spared(n) {
				t.Errorf("%d of %d bytes were not fetched again", n, len(content()))
			}
			if _, err := c.Store.Open(partials, digest.FromBytes(content()).String()); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the part is left: %v", err)
			}
		})
	}
}

// stopping stops a download when half of the content has come.
type stopping struct{ stop func() }

func (s stopping) Step(event.Stage, string, int64) event.Step { return &halfway{stop: s.stop} }
func (stopping) Note(string)                                  {}
func (stopping) Warn(string)                                  {}

type halfway struct {
	size int64
	stop func()
}

func (h *halfway) Advance(n int64) {
	if h.size += n; h.size >= 1<<20 {
		h.stop()
	}
}
func (h *halfway) Done() {}

// What one mirror left, another goes on with.
func TestResumeAtAnother(t *testing.T) {
	c := client(t, func(o *Options) { o.Attempts = 1 })
	s := &resumed{}
	if err := get(c, serve(t, dropped), serve(t, s.handler)); err != nil || s.spared.Load() != 1<<20 {
		t.Errorf("%d bytes were not fetched again, %v", s.spared.Load(), err)
	}
}

// The proxy is the one of the environment, which package http reads once: so
// this runs in a process of its own.
func TestProxyOfEnvironment(t *testing.T) {
	const host = "http://mirror.example.org"
	if os.Getenv("SMITH_TEST_PROXY") != "" {
		if err := get(client(t, nil), host+"/file"); err != nil {
			t.Error(err)
		}
		return
	}
	var asked atomic.Value
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.String())
		good(w, r)
	})
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyOfEnvironment$")
	cmd.Env = append(os.Environ(), "SMITH_TEST_PROXY=1", "no_proxy=", "http_proxy="+strings.TrimSuffix(proxy, "/file"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := asked.Load(); got != host+"/file" {
		t.Errorf("the proxy was asked for %v", got)
	}
}
