package registry

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"smith/internal/oci/image"
	"smith/internal/oci/registry/registrytest"
	"smith/internal/reference"
)

// large is the size of the blob that breaks.
const large = 1_000_000

// Breaks that are survived, in both directions.
func TestSurvived(t *testing.T) {
	faults := map[string]func(t *testing.T) registrytest.Fault{
		"dropped at each tenth": func(*testing.T) registrytest.Fault { return registrytest.Tenths(large) },
		"429":                   func(*testing.T) registrytest.Fault { return registrytest.Answers(http.StatusTooManyRequests, 1, "0") },
		"500 thrice": func(*testing.T) registrytest.Fault {
			return registrytest.Answers(http.StatusInternalServerError, 3, "")
		},
		"503":                func(*testing.T) registrytest.Fault { return registrytest.Answers(http.StatusServiceUnavailable, 2, "") },
		"no ranges":          noRanges,
		"location a path":    func(*testing.T) registrytest.Fault { return location("") },
		"location no scheme": func(*testing.T) registrytest.Fault { return location("host") },
		"lost answers":       lostAnswers,
	}
	for _, name := range registrytest.Names {
		t.Run(name, func(t *testing.T) {
			host := registrytest.Start(t, name)
			for what, fault := range faults {
				t.Run(what, func(t *testing.T) {
					proxy := registrytest.Break(t, host, fault(t))
					images := []*image.Image{sample(t, 7, large, "linux/amd64"), sample(t, 8, 1000, "linux/arm64")}
					target := remoteName(t, proxy, image.NameOf(what)+"/app:1")
					c := testClient(t)
					if _, err := c.Write(t.Context(), target, image.Of(images...), image.OCI); err != nil {
						t.Fatal(err)
					}
					got, err := pull(t, testClient(t), target)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(contents(t, images), contents(t, got)); diff != "" {
						t.Errorf("%.1000s", diff)
					}
				})
			}
		})
	}
}

// noRanges drops connections, and knows nothing of Range.
func noRanges(*testing.T) registrytest.Fault {
	cut := registrytest.Tenths(large)
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		cut(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Range")
			next.ServeHTTP(w, r)
		}))
	}
}

// location changes the Location of answers: to a path, or to one with the host
// but no scheme.
func location(form string) registrytest.Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&relocating{w, r.Host, form}, r)
	}
}

type relocating struct {
	http.ResponseWriter
	host, form string
}

func (l *relocating) WriteHeader(status int) {
	if at := l.Header().Get("Location"); at != "" {
		if i := strings.Index(at, "/v2/"); i >= 0 {
			at = at[i:]
		}
		if l.form == "host" {
			at = l.host + at
		}
		l.Header().Set("Location", at)
	}
	l.ResponseWriter.WriteHeader(status)
}

// lostAnswers does what is asked and drops the connection once for each
// request that sends something.
func lostAnswers(*testing.T) registrytest.Fault {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		lose := r.Method != http.MethodGet && r.Method != http.MethodHead && !seen[r.Method]
		seen[r.Method] = true
		mu.Unlock()
		if !lose {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
}

// With a registry that reports how far it got, an upload goes on there.
// docker-registry does so between two pieces only: a session whose piece broke
// off is another than its Location says, and is dropped ("upload resumed at
// wrong offset"). There the blob starts again.
func TestUploadGoesOn(t *testing.T) {
	for name, goesOn := range map[string]bool{"docker-registry": false, "ociregistry": true} {
		t.Run(name, func(t *testing.T) {
			var sent int64
			var mu sync.Mutex
			cut := registrytest.Tenths(large)
			proxy := registrytest.Break(t, registrytest.Start(t, name), func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				cut(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body := &countedBody{ReadCloser: r.Body}
					r.Body = body
					defer func() {
						mu.Lock()
						sent += body.n
						mu.Unlock()
					}()
					next.ServeHTTP(w, r)
				}))
			})
			c := testClient(t)
			if _, err := c.Write(t.Context(), remoteName(t, proxy, "team/app:1"), image.Of(sample(t, 1, large, "linux/amd64")), image.OCI); err != nil {
				t.Fatal(err)
			}
			if (sent < large*3/2) != goesOn {
				t.Errorf("%d bytes were sent for a blob of %d", sent, large)
			}
		})
	}
}

type countedBody struct {
	io.ReadCloser
	n int64
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	return n, err
}

// What a registry asks for with Retry-After is waited for.
func TestRetryAfterIsWaitedFor(t *testing.T) {
	proxy := registrytest.Break(t, registrytest.Start(t, "ociregistry"), registrytest.Answers(http.StatusTooManyRequests, 1, "1"))
	c := testClient(t)
	begin := time.Now()
	if _, err := c.Open(t.Context(), remoteName(t, proxy, "team/app:1")); status(err) != http.StatusNotFound {
		t.Errorf("after the wait: %v", err)
	}
	if waited := time.Since(begin); waited < time.Second {
		t.Errorf("it came back after %s", waited)
	}
}

// Breaks that end in an error that says what is wrong, whole but for the name of
// the image.
func TestRefused(t *testing.T) {
	host := registrytest.Start(t, "go-containerregistry")
	good := remoteName(t, host, "team/app:1")
	images := []*image.Image{sample(t, 7, large, "linux/amd64")}
	if _, err := testClient(t).Write(t.Context(), good, image.Of(images...), image.OCI); err != nil {
		t.Fatal(err)
	}
	blob := "blob " + images[0].Layers[0].Descriptor.Digest.String()
	cases := map[string]struct {
		fault registrytest.Fault
		want  string
	}{
		"wrong digest": {registrytest.Blob(large, func(w http.ResponseWriter, data []byte) {
			data = bytes.Clone(data)
			data[large/2] ^= 1
			_, _ = w.Write(data)
		}), blob + " is damaged: its bytes have another digest"},
		"cut short": {registrytest.Blob(large, func(w http.ResponseWriter, data []byte) {
			w.Header().Set("Content-Length", strconv.Itoa(large/2))
			_, _ = w.Write(data[:large/2])
		}), "after 500000 of 1001984 bytes: the registry ends the blob too early"},
		"endless": {registrytest.Blob(large, func(w http.ResponseWriter, _ []byte) {
			junk := make([]byte, 1<<16)
			for {
				if _, err := w.Write(junk); err != nil {
					return
				}
			}
		}), blob + " is longer than the 1001984 bytes that its descriptor says"},
		"wrong range": {func() registrytest.Fault {
			cut := registrytest.Tenths(large)
			return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Header.Get("Range") != "" {
					w.Header().Set("Content-Range", "bytes 5-9/1000000")
					w.WriteHeader(http.StatusPartialContent)
					return
				}
				cut(w, r, next)
			}
		}(), `asked for the bytes from 100000 on, the registry sends those of "bytes 5-9/1000000"`},
		"not let in":       {registrytest.Answers(http.StatusUnauthorized, 1000, ""), "the registry answers 401: Unauthorized; smith login HOST keeps a login for it"},
		"not there":        {registrytest.Answers(http.StatusNotFound, 1000, ""), "the registry answers 404: Not Found; it has no such image, or shows it after smith login only"},
		"always 500":       {registrytest.Answers(http.StatusInternalServerError, 1000, ""), "the registry answers 500: Internal Server Error"},
		"429 for too long": {registrytest.Answers(http.StatusTooManyRequests, 1000, "9999"), "the registry answers 429: Too Many Requests; it wants to be asked later"},
		"manifest of 100 MB": {manifest(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", strconv.Itoa(100<<20))
			_, _ = io.CopyN(w, zeros{}, 100<<20)
		}), "its manifest has 104857600 bytes, more than the 8388608 allowed"},
		"endless manifest": {manifest(func(w http.ResponseWriter) {
			_, _ = io.Copy(w, zeros{})
		}), "its manifest has more than the 8388608 bytes allowed"},
		"manifest with another digest": {manifest(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
			_, _ = io.WriteString(w, "{}")
		}), "its manifest should have digest sha256:" + strings.Repeat("0", 64) + ", the bytes that came have " + digest.FromString("{}").String()},
		"schema 1": {manifest(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.v1+prettyjws")
			_, _ = io.WriteString(w, `{"schemaVersion":1}`)
		}), "its manifest is of Docker's schema 1, which no tool writes since 2017; push the image anew"},
		"no manifest": {manifest(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `<html>`)
		}), `it is no image: its manifest is of the type "text/html"`},
		"redirected in circles": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}, "the registry: the server redirects more than ten times"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			name := remoteName(t, registrytest.Break(t, host, c.fault), "team/app:1")
			got, err := pull(t, testClient(t), name)
			for _, img := range got {
				for _, b := range img.Blobs() {
					if err == nil {
						_, err = read(t.Context(), b)
					}
				}
			}
			if err == nil || strings.TrimPrefix(err.Error(), "cannot read image "+name.String()+": ") != c.want {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// manifest answers for manifests.
func manifest(answer func(http.ResponseWriter)) registrytest.Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/manifests/") {
			answer(w)
			return
		}
		next.ServeHTTP(w, r)
	}
}

// A registry that says nothing any more is given up, whatever it was asked.
func TestSilence(t *testing.T) {
	host := registrytest.Start(t, "ociregistry")
	for name, kind := range map[string]string{"reading": http.MethodGet, "sending": http.MethodPatch} {
		t.Run(name, func(t *testing.T) {
			over := make(chan struct{})
			silent := registrytest.Break(t, host, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Method == kind {
					<-over
					return
				}
				next.ServeHTTP(w, r)
			})
			t.Cleanup(func() { close(over) }) // before the proxy is closed
			c := testClient(t)
			hurry(c, 200*time.Millisecond)
			target := remoteName(t, silent, name+"/app:1")
			_, err := c.Write(t.Context(), target, image.Of(sample(t, 1, large, "linux/amd64")), image.OCI)
			if kind == http.MethodGet {
				_, err = c.Open(t.Context(), target)
			}
			if err == nil || !strings.Contains(err.Error(), "timeout") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// After an upload that fails nothing has the tag, and what had it has it still.
func TestNoHalfImageIsTagged(t *testing.T) {
	for _, name := range registrytest.Names {
		t.Run(name, func(t *testing.T) {
			host := registrytest.Start(t, name)
			old, fresh := remoteName(t, host, "team/app:old"), remoteName(t, host, "team/app:new")
			c := testClient(t)
			before, err := c.Write(t.Context(), old, image.Of(sample(t, 1, 1000, "linux/amd64")), image.OCI)
			if err != nil {
				t.Fatal(err)
			}
			faults := map[string]registrytest.Fault{
				"blobs fail":     refuse(http.MethodPatch, "/blobs/"),
				"manifests fail": refuse(http.MethodPut, "/manifests/sha256:"),
				"the tag fails":  refuse(http.MethodPut, "/manifests/old", "/manifests/new"),
			}
			seed := uint64(2)
			for what, fault := range faults {
				seed += 2 // what one fault lets pass is there for the next
				images := []*image.Image{sample(t, seed, large, "linux/amd64"), sample(t, seed+1, large, "linux/arm64")}
				proxy := registrytest.Break(t, host, fault)
				for _, target := range []reference.Reference{remoteName(t, proxy, "team/app:old"), remoteName(t, proxy, "team/app:new")} {
					if _, err := c.Write(t.Context(), target, image.Of(images...), image.OCI); err == nil {
						t.Errorf("%s: it is called written", what)
					}
				}
			}
			after, err := c.Open(t.Context(), old)
			if err != nil || after.Digest() != before.Digest {
				t.Errorf("the old tag has another image (%v)", err)
			}
			if _, err := c.Open(t.Context(), fresh); status(err) != http.StatusNotFound {
				t.Errorf("the new tag is there: %v", err)
			}
		})
	}
}

// refuse answers requests of a method whose path holds one of the texts with
// an error that is meant to stay.
func refuse(method string, paths ...string) registrytest.Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		for _, p := range paths {
			if r.Method == method && strings.Contains(r.URL.Path, p) {
				w.WriteHeader(http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(w, r)
	}
}

// A blob that is damaged here is not blamed on the registry, nor sent for ever.
func TestDamagedHere(t *testing.T) {
	host := registrytest.Start(t, "ociregistry")
	img := sample(t, 1, large, "linux/amd64")
	other := image.NewBlob("", []byte("x"))
	img.Layers[0].Open = other.Open
	c := testClient(t)
	_, err := c.Write(t.Context(), remoteName(t, host, "team/app:1"), image.Of(img), image.OCI)
	if err == nil {
		t.Fatal("it is called written")
	}
	if _, err := c.Open(t.Context(), remoteName(t, host, "team/app:1")); status(err) != http.StatusNotFound {
		t.Errorf("the tag is there: %v", err)
	}
}

// A registry from before OCI gets Docker's form, and a warning is told.
func TestOCIRefused(t *testing.T) {
	proxy := registrytest.Break(t, registrytest.Start(t, "docker-registry"), func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut && strings.Contains(r.Header.Get("Content-Type"), "vnd.oci.") {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		next.ServeHTTP(w, r)
	})
	c := testClient(t)
	target := remoteName(t, proxy, "team/app:1")
	written, err := c.Write(t.Context(), target, image.Of(sample(t, 1, 1000, "linux/amd64"), sample(t, 2, 1000, "linux/arm64")), image.OCI)
	if err != nil || written.Form != image.Docker {
		t.Fatalf("written in the form %v: %v", written, err)
	}
	if said := c.options.Events.(*heard).String(); !strings.Contains(said, "does not take OCI images") || !strings.Contains(said, "takes no attachments") {
		t.Errorf("what is said: %s", said)
	}
	opened, err := c.Open(t.Context(), target)
	if err != nil || opened.root.MediaType != image.DockerList {
		t.Errorf("it is a %v (%v)", opened, err)
	}
}

// An upload's status says how far a registry got.
func TestReceived(t *testing.T) {
	for text, want := range map[string]int64{"0-99": 100, "bytes=0-99": 100, "0-0": 0, "": -1, "5-9": -1, "0-": -1, "0--5": -1, "0-99999999999999999999": -1} {
		got, known := received(&http.Response{Header: http.Header{"Range": {text}}})
		if known && got != want || !known && want != -1 {
			t.Errorf("%q: %d bytes (%v), want %d", text, got, known, want)
		}
	}
}
