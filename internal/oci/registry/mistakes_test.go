package registry

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/golden"
	"smith/internal/oci/image"
	"smith/internal/oci/registry/registrytest"
)

// A mistake is an error and the whole text that it must have.
type mistake struct {
	err  error
	want string
}

func say(t *testing.T, all []mistake) {
	t.Helper()
	for _, m := range all {
		if m.err == nil || m.err.Error() != m.want {
			t.Errorf("\n got %v\nwant %s", m.err, m.want)
		}
	}
}

// What is said of logins that cannot be read, kept or forgotten: never what
// they are.
func TestMistakesInLogins(t *testing.T) {
	noLogins(t)
	dir := os.Getenv("DOCKER_CONFIG")
	file := filepath.Join(dir, "config.json")
	keep := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "docker-credential-broken"), []byte("#!/bin/sh\necho locked\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	find := func(host string) error {
		keys, err := loadKeychain()
		if err == nil {
			_, err = keys.find(t.Context(), host, "app")
		}
		return err
	}
	logout := func() error { return (&Client{}).Logout(t.Context(), "a.example.org") }
	all := []mistake{{logout(), "cannot log out of a.example.org: there is no login for it in " + file}}
	keep("{")
	all = append(all,
		mistake{find("a.example.org"), "cannot read the logins in " + file + ": it is not in the form of Docker's config.json"},
		mistake{logout(), "cannot log out of a.example.org: cannot read the logins in " + file + ": it is not in the form of Docker's config.json"},
	)
	keep(`{"auths":{"bad.example.org":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("no-colon")) + `"}},"credHelpers":{"locked.example.org":"broken"}}`)
	all = append(all,
		mistake{find("bad.example.org"), "cannot read the login for bad.example.org in " + file + ": write it with smith login"},
		mistake{find("locked.example.org"), "cannot find a login for locked.example.org: locked"},
	)
	t.Setenv("DOCKER_AUTH_CONFIG", "x")
	all = append(all, mistake{find("a.example.org"), "cannot read the logins in DOCKER_AUTH_CONFIG: they are not in the form of Docker's config.json"})
	t.Setenv("DOCKER_CONFIG", "")
	t.Setenv("HOME", "")
	all = append(all, mistake{logout(), "cannot log out of a.example.org: cannot find a place for the login: $HOME is not defined; name a folder with DOCKER_CONFIG"})
	say(t, all)
}

// What is said of certificates that cannot be used.
func TestMistakesInCertificates(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	made := func(o Options) error {
		o.Store, o.Events = storetest.New(t), &heard{}
		_, err := New(o)
		return err
	}
	say(t, []mistake{
		{made(Options{CA: text + "-none"}), "cannot read the certificates of registries: open " + text + "-none: no such file or directory"},
		{made(Options{CA: text}), "cannot read the certificates of registries: " + text + " holds none in PEM form"},
		{made(Options{Cert: text}), "a client certificate needs both its file and its key's: --cert and --key"},
		{made(Options{Cert: text, Key: text}), "cannot read the client certificate: tls: failed to find any PEM data in certificate input"},
	})
}

// What is said of a registry whose certificate nobody vouches for.
func TestMistakesInTrust(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	host := server.Listener.Addr().String()
	_, err := testClient(t).Open(t.Context(), remoteName(t, "https://"+host, "app:1"))
	say(t, []mistake{{err, "cannot read image " + host + "/app:1: " + host +
		": tls: failed to verify certificate: x509: certificate signed by unknown authority; --ca names a file with those that vouch for it"}})
}

// What is said of registries that send an upload where it cannot go.
func TestMistakesInLocations(t *testing.T) {
	move := func(location string) error {
		here, err := url.Parse("https://registry.example.org/v2/")
		if err != nil {
			t.Fatal(err)
		}
		return (&upload{}).move(&http.Response{Request: &http.Request{URL: here}, Header: http.Header{"Location": {location}}})
	}
	say(t, []mistake{
		{move(""), "the registry does not say where the blob is to go: it sends no usable Location"},
		{move("http://a b/"), "the registry does not say where the blob is to go: it sends no usable Location"},
		{move("http://elsewhere.example.org/"), "the registry sends the blob to elsewhere.example.org without TLS"},
	})
}

// What is said of images that are not written.
func TestMistakesInImages(t *testing.T) {
	host := registrytest.Start(t, "go-containerregistry")
	c := testClient(t)
	img := sample(t, 1, 10, "linux/amd64")
	name := remoteName(t, host, "team/app:1")
	write := func(name string, images ...*image.Image) error {
		_, err := c.Write(t.Context(), remoteName(t, host, name), image.Of(images...), image.OCI)
		return err
	}
	if err := write("team/app:1", img); err != nil {
		t.Fatal(err)
	}
	sum := digest.FromString("x")
	say(t, []mistake{
		{write("team/app:1"), "cannot write " + name.String() + ": there is no image to write"},
		{write("team/app@"+sum.String(), img), "cannot write " + host + "/team/app@" + sum.String() + ": the image has digest " + img.Descriptor.Digest.String() + ", not the one that the name asks for"},
	})
}

// An image is whole without what is attached to it: whatever a registry answers,
// the image is read, with one warning.
func TestAttachmentsAreOptional(t *testing.T) {
	host := registrytest.Start(t, "go-containerregistry")
	img := sample(t, 1, 10, "linux/amd64")
	if _, err := testClient(t).Write(t.Context(), remoteName(t, host, "team/app:1"), image.Of(img), image.OCI); err != nil {
		t.Fatal(err)
	}
	large := `{"manifests":[{"artifactType":"application/vnd.smith.record+json","digest":"` + digest.FromString("x").String() + `","size":9999999}]}`
	texts := golden.New(t)
	for _, tt := range []struct {
		name   string
		status int
		header http.Header
		body   string
		noTag  bool // the registry lacks the fallback tag too
	}{
		{"unauthorized", http.StatusUnauthorized, nil, "", false},
		{"forbidden", http.StatusForbidden, nil, "", false},
		{"forbidden, without the tag", http.StatusForbidden, nil, "", true},
		{"not acceptable", http.StatusNotAcceptable, nil, "", false},
		{"too many requests", http.StatusTooManyRequests, nil, "", false},
		{"internal error", http.StatusInternalServerError, nil, "", false},
		{"redirect to a web page", http.StatusSeeOther, http.Header{"Location": {"/login"}}, "", false},
		{"not JSON", http.StatusOK, nil, "<html>", false},
		{"an artifact that is too large", http.StatusOK, nil, large, false},
	} {
		fault := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			tag := tt.noTag && strings.Contains(r.URL.Path, "/manifests/sha256-")
			if !strings.Contains(r.URL.Path, "/referrers/") && r.URL.Path != "/login" && !tag {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
			maps.Copy(w.Header(), tt.header)
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		}
		at := registrytest.Break(t, host, fault)
		c := testClient(t)
		opened, err := c.Open(t.Context(), remoteName(t, at, "team/app:1"))
		if err != nil {
			t.Fatal(err)
		}
		bare := *img
		bare.Attachments = nil
		if err := opened.Attach(t.Context(), &bare); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		warnings := strings.ReplaceAll(strings.ReplaceAll(c.options.Events.(*heard).String(), at, "HOST"), img.Descriptor.Digest.String(), "DIGEST")
		texts.Add(tt.name, fmt.Sprintf("%d attachments; %s", len(bare.Attachments), warnings))
	}
}
