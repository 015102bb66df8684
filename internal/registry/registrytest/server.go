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
	switch name {
	case "docker-registry":
		Need(t, dockerRegistry)
		s, err := StartDocker(t.Context(), t.TempDir(), Settings{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Stop)
		return s.Host
	case "ociregistry":
		// It has a race where a client comes back before it knows that the last
		// connection broke.
		return serve(t, oneByOne(ociserver.New(ocimem.New(), nil)))
	case "go-containerregistry":
		return serve(t, ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)), ggcr.WithReferrersSupport(true)))
	}
	t.Fatalf("there is no registry %s", name)
	return ""
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

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}
