// Package registrytest runs registries for tests, real ones: Debian's
// docker-registry as a process, and two of other makers in memory; and a proxy
// that breaks what passes it. All of them listen on loopback.
package registrytest

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
)

// Names are the registries that Start knows.
var Names = []string{"docker-registry", "ociregistry", "go-containerregistry"}

// Start runs a registry without TLS or logins and returns its host. The test is
// skipped where its program is not installed, and fails with CI=true.
func Start(t testing.TB, name string) string {
	t.Helper()
	if h := Handler(name); h != nil {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	Need(t, name)
	s, err := StartDocker(t.Context(), t.TempDir(), Settings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s.Host
}

// Handler returns a registry that keeps everything in memory, nil for a name
// that is not one's.
func Handler(name string) http.Handler {
	switch name {
	case "ociregistry":
		// It has a race where a client comes back before it knows that the last
		// connection broke.
		return oneByOne(ociserver.New(ocimem.New(), nil))
	case "go-containerregistry":
		return ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)), ggcr.WithReferrersSupport(true))
	}
	return nil
}

// Need ends a test whose program is not installed.
func Need(t testing.TB, program string) {
	t.Helper()
	_, err := exec.LookPath(program)
	switch {
	case err == nil:
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true":
		t.Skipf("%s is not installed", program)
	default:
		t.Fatal(err)
	}
}

func oneByOne(h http.Handler) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		h.ServeHTTP(w, r)
	})
}
