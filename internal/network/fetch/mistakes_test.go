package fetch

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// What is said of files that cannot be fetched.
func TestMistakes(t *testing.T) {
	directory := t.TempDir()
	short := filepath.Join(directory, "short")
	if err := os.WriteFile(short, []byte("short"), 0o644); err != nil {
		t.Fatal(err)
	}
	proxied := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) })
	for address, want := range map[string]string{
		"":                                "cannot fetch x: no repository names an address for it",
		"ftp://user:secret@example.org/x": `cannot fetch x: ftp://example.org/x: cannot fetch by "ftp": http, https and file are known`,
		"https:///x":                      "cannot fetch x: https:///x names no host",
		"http://exa mple.org/":            "cannot fetch x: an address that is not a URL",
		"file://elsewhere/x":              `cannot fetch x: file://elsewhere/x: a file: address names the host "elsewhere": write file:///…`,
		"file://" + directory:             "cannot fetch x: file://" + directory + ": not a regular file",
		"file://" + directory + "/none":   "cannot fetch x: file://" + directory + "/none: no such file or directory",
		"http://127.0.0.1:1/x":            "cannot fetch x: http://127.0.0.1:1/x: connection refused",
		proxied:                           "cannot fetch x: " + proxied + ": the server answers 407 Proxy Authentication Required; the proxy's address in http_proxy can hold a user and password",
	} {
		c := client(t, func(o *Options) { o.Attempts = 1 })
		f := File{Name: "x", Digest: digest.FromString("x"), Size: 1}
		if address != "" {
			f.Addresses = []string{address}
		}
		_, err := c.Get(t.Context(), f)
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", address, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%v tells a password", err)
		}
	}
	c := client(t, func(o *Options) { o.Offline = true })
	if _, err := c.Page(t.Context(), "https://example.org/x"); !errors.Is(err, ErrOffline) || err.Error() != "cannot fetch https://example.org/x: not in the cache, and --offline asks no network" {
		t.Errorf("got %v", err)
	}
	if _, err := c.Page(t.Context(), "http://exa mple.org/"); err == nil || err.Error() != "cannot fetch an address that is not a URL" {
		t.Errorf("got %v", err)
	}
	if _, err := c.Get(t.Context(), File{Name: "x", Digest: "sha256:1"}); err == nil || !strings.HasPrefix(err.Error(), `cannot fetch x: its digest "sha256:1" is none: `) {
		t.Errorf("got %v", err)
	}
}
