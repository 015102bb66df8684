package registrytest

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A Fault answers a request in place of the registry, or changes what passes
// between both: next passes it on.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Break runs a proxy before a registry at a host and returns its own host.
func Break(t testing.TB, host string, fault Fault) string {
	t.Helper()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: host})
			p.Out.Host = p.In.Host // so that Location leads through the proxy
		},
		ErrorLog:     log.New(io.Discard, "", 0),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { drop() },
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fault(w, r, proxy) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// drop ends the connection of the request that is served.
func drop() { panic(http.ErrAbortHandler) }

// isBlob says whether a request reads a blob.
func isBlob(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/sha256:")
}

// sends says whether a request sends a piece of a blob.
func sends(r *http.Request) bool {
	return (r.Method == http.MethodPatch || r.Method == http.MethodPut) && strings.Contains(r.URL.Path, "/blobs/uploads/") && r.ContentLength > 0
}

// Tenths drops the connection at each tenth of a blob of a size, once each, in
// both directions.
func Tenths(size int64) Fault {
	var mu sync.Mutex
	cuts := map[bool][]int64{}
	for i := range int64(9) {
		at := size * (i + 1) / 10
		cuts[true], cuts[false] = append(cuts[true], at), append(cuts[false], at)
	}
	// next takes the first cut behind an offset.
	next := func(upload bool, offset int64) (int64, bool) {
		mu.Lock()
		defer mu.Unlock()
		for i, at := range cuts[upload] {
			if at > offset {
				cuts[upload] = slices.Delete(cuts[upload], i, i+1)
				return at - offset, true
			}
		}
		return 0, false
	}
	return func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
		switch {
		case sends(r) && r.ContentLength > size/20:
			if left, ok := next(true, number(r.Header.Get("Content-Range"), "")); ok {
				r.Body = &cutBody{r.Body, left}
			}
		case isBlob(r):
			w = &cutting{ResponseWriter: w, cut: func(length int64) (int64, bool) {
				if length < size/20 {
					return 0, false
				}
				return next(false, number(r.Header.Get("Range"), "bytes="))
			}}
		}
		registry.ServeHTTP(w, r)
	}
}

// number reads the first number of a range, 0 where there is none.
func number(text, prefix string) int64 {
	first, _, _ := strings.Cut(strings.TrimPrefix(text, prefix), "-")
	n, _ := strconv.ParseInt(first, 10, 64)
	return n
}

// A cutBody breaks after so many bytes.
type cutBody struct {
	io.ReadCloser
	left int64
}

// Read is io.Reader's.
func (c *cutBody) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// A cutting response drops the connection after so many bytes.
type cutting struct {
	http.ResponseWriter
	cut  func(length int64) (int64, bool)
	left int64
	on   bool
}

// WriteHeader is http.ResponseWriter's.
func (c *cutting) WriteHeader(status int) {
	length, _ := strconv.ParseInt(c.Header().Get("Content-Length"), 10, 64)
	c.left, c.on = c.cut(length)
	c.ResponseWriter.WriteHeader(status)
}

// Write is http.ResponseWriter's.
func (c *cutting) Write(p []byte) (int, error) {
	if !c.on || int64(len(p)) < c.left {
		n, err := c.ResponseWriter.Write(p)
		c.left -= int64(n)
		return n, err
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	drop()
	return 0, nil
}

// Answers gives the first requests of each kind and address, all uploads being
// one, an error instead: a status, and a Retry-After where it is not "".
func Answers(status, times int, retryAfter string) Fault {
	var mu sync.Mutex
	seen := map[string]int{}
	return func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
		mu.Lock()
		address, _, _ := strings.Cut(r.URL.Path, "/uploads/")
		key := r.Method + " " + address
		seen[key]++
		fail := seen[key] <= times
		mu.Unlock()
		if !fail {
			registry.ServeHTTP(w, r)
			return
		}
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	}
}

// Challenge lets requests pass with a token only, which is too old after so
// many of them. It hands out tokens to who asks with the login.
func Challenge(user, password string, uses int) Fault {
	var mu sync.Mutex
	left := map[string]int{}
	return func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
		if u, p, _ := r.BasicAuth(); r.URL.Path == "/token" && (u != user || p != password) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mu.Lock()
		token := fmt.Sprintf("secret-token-%d", len(left))
		if r.URL.Path == "/token" {
			left["Bearer "+token] = uses
			mu.Unlock()
			fmt.Fprintf(w, `{"token":%q}`, token)
			return
		}
		given := r.Header.Get("Authorization")
		good := left[given] > 0
		if good {
			left[given]--
		}
		mu.Unlock()
		if !good {
			w.Header().Set("Www-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		registry.ServeHTTP(w, r)
	}
}

// Blob answers requests for blobs of at least a size with other bytes: change
// gets those of the registry.
func Blob(size int, change func(w http.ResponseWriter, data []byte)) Fault {
	return func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
		if !isBlob(r) {
			registry.ServeHTTP(w, r)
			return
		}
		whole := r.Clone(r.Context())
		whole.Header.Del("Range")
		got := httptest.NewRecorder()
		registry.ServeHTTP(got, whole)
		if got.Body.Len() < size {
			w.WriteHeader(got.Code)
			_, _ = w.Write(got.Body.Bytes())
			return
		}
		change(w, got.Body.Bytes())
	}
}
