package registry

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"

	"smith/internal/cache/store/storetest"
	"smith/internal/oci/image"
	"smith/internal/oci/registry/registrytest"
	"smith/internal/reference"
)

const (
	user     = "builder"
	password = "pass/word:s3cret"
)

// secrets are the forms in which the password could get somewhere.
var secrets = []string{password, "secret-token", base64.StdEncoding.EncodeToString([]byte(user + ":" + password))}

// keepsSecrets looks for the password in what was said, and in all that the
// client keeps.
func keepsSecrets(t *testing.T, c *Client, said ...error) {
	t.Helper()
	text := c.options.Events.(*heard).String()
	for _, err := range said {
		text += fmt.Sprint(err)
	}
	err := filepath.WalkDir(c.options.Store.Dir(), func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		text += string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("%q is told or kept", s)
		}
	}
}

// thereAndBack writes images and reads them.
func thereAndBack(t *testing.T, c *Client, target reference.Reference, images []*image.Image) {
	t.Helper()
	if _, err := c.Write(t.Context(), target, image.Of(images...), image.OCI); err != nil {
		t.Fatal(err)
	}
	got, err := pull(t, c, target)
	if err != nil {
		t.Fatal(err)
	}
	contents(t, got)
}

// Tokens grow old in the middle of uploads and downloads; each time a new one
// is asked for, and what was sent is sent again.
func TestTokensAreRefreshed(t *testing.T) {
	for _, name := range registrytest.Names {
		t.Run(name, func(t *testing.T) {
			proxy := registrytest.Break(t, registrytest.Start(t, name), registrytest.Challenge(user, password, 8))
			c := testClient(t)
			target := remoteName(t, proxy, "team/app:1")
			_, anonymous := c.Write(t.Context(), target, image.Of(sample(t, 1, 1000, "linux/amd64")), image.OCI)
			if status(anonymous) != http.StatusUnauthorized || !strings.Contains(anonymous.Error(), "smith login") {
				t.Errorf("without a login: %v", anonymous)
			}
			c.Use(proxy, reference.Login{User: user, Password: "wrong-" + password})
			_, wrong := c.Open(t.Context(), target)
			if status(wrong) != http.StatusUnauthorized {
				t.Errorf("with a wrong one: %v", wrong)
			}
			c.Use(proxy, reference.Login{User: user, Password: password})
			thereAndBack(t, c, target, []*image.Image{sample(t, 1, large, "linux/amd64")})
			keepsSecrets(t, c, anonymous, wrong)
		})
	}
}

// A registry may want a token and give one to anybody.
func TestAnonymousTokens(t *testing.T) {
	for _, name := range registrytest.Names {
		t.Run(name, func(t *testing.T) {
			proxy := registrytest.Break(t, registrytest.Start(t, name), registrytest.Challenge("", "", 8))
			c, target := testClient(t), remoteName(t, proxy, "team/app:1")
			thereAndBack(t, c, target, []*image.Image{sample(t, 1, large, "linux/amd64")})
		})
	}
}

// A blob that lies at another host is read from there, and a login stays here.
func TestRedirectGetsNoLogin(t *testing.T) {
	var mu sync.Mutex
	var leaked []string
	demand := false
	registry := registrytest.Start(t, "ociregistry")
	elsewhere := registrytest.Break(t, registry, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		leaked = append(leaked, r.Header.Values("Authorization")...)
		mu.Unlock()
		if demand {
			w.Header().Set("Www-Authenticate", `Basic realm="give it to me"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
	challenge := registrytest.Challenge(user, password, 100)
	proxy := registrytest.Break(t, registry, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		challenge(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
				http.Redirect(w, r, "http://"+elsewhere+r.URL.Path+"?signature=secret-token-of-the-store", http.StatusTemporaryRedirect)
				return
			}
			next.ServeHTTP(w, r)
		}))
	})
	c := testClient(t)
	c.Use(proxy, reference.Login{User: user, Password: password})
	target := remoteName(t, proxy, "team/app:1")
	thereAndBack(t, c, target, []*image.Image{sample(t, 1, large, "linux/amd64")})
	demand = true
	fresh := testClient(t)
	fresh.Use(proxy, reference.Login{User: user, Password: password})
	_, err := pull(t, fresh, target)
	if err == nil || !strings.Contains(err.Error(), "redirected to "+elsewhere) {
		t.Errorf("a host elsewhere that wants a login: %v", err)
	}
	if len(leaked) > 0 {
		t.Errorf("the other host was told %q", leaked)
	}
	keepsSecrets(t, c, err)
	keepsSecrets(t, fresh)
}

// A registry that sends a blob to another host does not get its login there.
func TestUploadElsewhereGetsNoLogin(t *testing.T) {
	var mu sync.Mutex
	var leaked []string
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		leaked = append(leaked, r.Header.Values("Authorization")...)
		mu.Unlock()
		w.Header().Set("Www-Authenticate", `Basic realm="give it to me"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(thief.Close)
	challenge := registrytest.Challenge(user, password, 100)
	proxy := registrytest.Break(t, registrytest.Start(t, "ociregistry"), func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		challenge(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				w.Header().Set("Location", thief.URL+"/v2/x/blobs/uploads/1")
				w.WriteHeader(http.StatusAccepted)
				return
			}
			next.ServeHTTP(w, r)
		}))
	})
	c := testClient(t)
	c.Use(proxy, reference.Login{User: user, Password: password})
	_, err := c.Write(t.Context(), remoteName(t, proxy, "team/app:1"), image.Of(sample(t, 1, large, "linux/amd64")), image.OCI)
	mu.Lock() // a second blob's request may still be under way
	defer mu.Unlock()
	if err == nil || len(leaked) > 0 {
		t.Errorf("it ends with %v, and the other host was told %q", err, leaked)
	}
	keepsSecrets(t, c, err)
}

// Without TLS a registry is asked only where the user says so, or on this
// machine.
func TestPlainWhereAsked(t *testing.T) {
	c := testClient(t)
	plain := registrytest.Start(t, "ociregistry")
	for name, want := range map[string]string{
		"registry.example.org/team/app:1":        "https://registry.example.org/v2/team/app",
		"https://registry.example.org/team/app":  "https://registry.example.org/v2/team/app",
		"http://registry.example.org/team/app:1": "http://registry.example.org/v2/team/app",
		"docker.io/library/debian":               "https://registry-1.docker.io/v2/library/debian",
		plain + "/team/app:1":                    "http://" + plain + "/v2/team/app",
	} {
		r, _, err := reference.ParseRemote(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.open(t.Context(), r.Split()).base; got != want {
			t.Errorf("%s is at %s, want %s", name, got, want)
		}
	}
}

// secured returns a client for a docker-registry with TLS.
func secured(t *testing.T, o Options) *Client {
	t.Helper()
	c := testClient(t)
	o.Store, o.Events = c.options.Store, c.options.Events
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.wait.unit = 1
	return c
}

func TestTLSAndPasswords(t *testing.T) {
	registrytest.Need(t, "docker-registry")
	r, err := registrytest.StartDocker(t.Context(), t.TempDir(), registrytest.Settings{TLS: true, User: user, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	images := []*image.Image{sample(t, 1, 1000, "linux/amd64")}
	login := reference.Login{User: user, Password: password}
	target := remoteName(t, r.Host, "team/app:1")
	for _, c := range []struct {
		name  string
		o     Options
		login reference.Login
		want  string
	}{
		{"certificate known", Options{CA: r.CA}, login, ""},
		{"unchecked", Options{Insecure: true}, login, ""},
		{"unknown", Options{}, login, "certificate signed by unknown authority"},
		{"wrong password", Options{CA: r.CA}, reference.Login{User: user, Password: "no"}, "401"},
		{"no login", Options{CA: r.CA}, reference.Login{}, "smith login"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := secured(t, c.o)
			if c.login != (reference.Login{}) {
				client.Use(r.Host, c.login)
			}
			_, err := client.Write(t.Context(), target, image.Of(images...), image.OCI)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
			keepsSecrets(t, client, err)
		})
	}
}

func TestClientCertificate(t *testing.T) {
	registrytest.Need(t, "docker-registry")
	r, err := registrytest.StartDocker(t.Context(), t.TempDir(), registrytest.Settings{TLS: true, ClientCerts: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	images := []*image.Image{sample(t, 1, 1000, "linux/amd64")}
	target := remoteName(t, r.Host, "team/app:1")
	if _, err := secured(t, Options{CA: r.CA}).Write(t.Context(), target, image.Of(images...), image.OCI); err == nil {
		t.Error("the registry takes it without a certificate")
	}
	if _, err := secured(t, Options{CA: r.CA, Cert: r.Cert, Key: r.Key}).Write(t.Context(), target, image.Of(images...), image.OCI); err != nil {
		t.Error(err)
	}
	if _, err := New(Options{Cert: r.Cert}); err == nil {
		t.Error("a certificate without its key is taken")
	}
}

func TestTokenServer(t *testing.T) {
	registrytest.Need(t, "docker-registry")
	tokens, err := registrytest.StartTokens(t.TempDir(), user, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tokens.Stop)
	r, err := registrytest.StartDocker(t.Context(), t.TempDir(), registrytest.Settings{Token: tokens})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	c := testClient(t)
	c.Use(r.Host, reference.Login{User: user, Password: password})
	images := []*image.Image{sample(t, 1, large, "linux/amd64"), sample(t, 2, 1000, "linux/arm64")}
	target := remoteName(t, r.Host, "team/app:1")
	if _, err := c.Write(t.Context(), target, image.Of(images...), image.OCI); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(t.Context(), remoteName(t, r.Host, "other/app:1"), image.Of(images...), image.Docker); err != nil {
		t.Fatal(err)
	}
	if got, err := pull(t, c, target); err != nil || len(got) != 2 {
		t.Errorf("%d images come back (%v)", len(got), err)
	}
	if tokens.Tokens.Load() == 0 {
		t.Error("no token was asked for")
	}
	keepsSecrets(t, c)
}

// A helper may know an identity token in place of a password, as those of some
// clouds do.
func TestIdentityToken(t *testing.T) {
	registrytest.Need(t, "docker-registry")
	tokens, err := registrytest.StartTokens(t.TempDir(), user, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tokens.Stop)
	r, err := registrytest.StartDocker(t.Context(), t.TempDir(), registrytest.Settings{Token: tokens})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	c := testClient(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.json":                  fmt.Sprintf(`{"credHelpers":{%q:"of-a-cloud"}}`, r.Host),
		"docker-credential-of-a-cloud": fmt.Sprintf("#!/bin/sh\nread host\necho '{\"ServerURL\":\"'$host'\",\"Username\":\"<token>\",\"Secret\":\"%s\"}'\n", password),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	target := remoteName(t, r.Host, "team/app:1")
	if _, err := c.Write(t.Context(), target, image.Of(sample(t, 1, large, "linux/amd64")), image.OCI); err != nil {
		t.Fatal(err)
	}
	if _, err := pull(t, c, target); err != nil || tokens.Tokens.Load() == 0 {
		t.Errorf("%d tokens, %v", tokens.Tokens.Load(), err)
	}
	keepsSecrets(t, c)
}

// entry64 is how a config file of Docker's has a user and password.
func entry64(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

func TestKeychain(t *testing.T) {
	home := t.TempDir()
	for name, text := range map[string]string{
		".docker/config.json": fmt.Sprintf(`{"auths":{"a.example.org":{"auth":%q},"https://index.docker.io/v1/":{"auth":%q},"old.example.org":{"username":"u","password":"p"},"bad.example.org":{"auth":%q}},
			"credHelpers":{"helped.example.org":"of-a-test","gone.example.org":"that-is-not-installed"}}`,
			entry64("docker", "1"), entry64("hub", "2"), base64.StdEncoding.EncodeToString([]byte("no-colon-"+user))),
		".config/containers/auth.json": fmt.Sprintf(`{"auths":{"a.example.org/team":{"auth":%q},"a.example.org/team/app":{"auth":%q}}}`, entry64("team", "3"), entry64("app", "4")),
		"bin/docker-credential-of-a-test": `#!/bin/sh
read host
[ "$1 $host" = "get helped.example.org" ] || { echo "credentials not found in native keychain"; exit 1; }
echo '{"ServerURL":"helped.example.org","Username":"<token>","Secret":"5"}'
`,
	} {
		file := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	noLogins(t)
	t.Setenv("DOCKER_CONFIG", filepath.Join(home, ".docker"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	t.Setenv("PATH", filepath.Join(home, "bin")+":"+os.Getenv("PATH"))
	t.Setenv("DOCKER_AUTH_CONFIG", fmt.Sprintf(`{"auths":{"ci.example.org":{"auth":%q}}}`, entry64("ci", "6")))
	keys, err := loadKeychain()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]auth.Credential{
		"a.example.org/other":         {Username: "docker", Password: "1"},
		"docker.io/library/debian":    {Username: "hub", Password: "2"},
		"old.example.org/app":         {Username: "u", Password: "p"},
		"a.example.org/team/x":        {Username: "team", Password: "3"},
		"a.example.org/team/app":      {Username: "app", Password: "4"},
		"helped.example.org/app":      {RefreshToken: "5"},
		"ci.example.org/app":          {Username: "ci", Password: "6"},
		"gone.example.org/app":        {},
		"unknown.example.org/app":     {},
		"a.example.org.evil.test/app": {},
	} {
		host, repository, _ := strings.Cut(name, "/")
		if got, err := keys.find(t.Context(), host, repository); err != nil || got != want {
			t.Errorf("%s: the login is %v (%v), want %v", name, got, err, want)
		}
	}
	if _, err := keys.find(t.Context(), "bad.example.org", "app"); err == nil || strings.Contains(err.Error(), "no-colon-") {
		t.Errorf("of an entry that cannot be read: %v", err)
	}
}

// Docker Hub has several names. A login is found under each of them, in each file
// and variable, and logout removes all.
func TestDockerHubNames(t *testing.T) {
	want := auth.Credential{Username: "hub", Password: "2"}
	for _, key := range []string{"https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"} {
		text := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, key, entry64("hub", "2"))
		for _, place := range []string{"DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE", "auth.json", "config.json"} {
			t.Run(place+" "+strings.ReplaceAll(key, "/", "_"), func(t *testing.T) {
				c := testClient(t)
				dir := t.TempDir()
				file := filepath.Join(dir, "containers", "auth.json")
				switch place {
				case "DOCKER_AUTH_CONFIG":
					t.Setenv(place, text)
				case "REGISTRY_AUTH_FILE":
					t.Setenv(place, file)
				case "auth.json":
					t.Setenv("XDG_CONFIG_HOME", dir)
				case "config.json":
					file = filepath.Join(dir, place)
					t.Setenv("DOCKER_CONFIG", dir)
				}
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				keys, err := loadKeychain()
				if err != nil {
					t.Fatal(err)
				}
				name, _, err := reference.ParseRemote("index.docker.io/library/debian:12")
				if err != nil {
					t.Fatal(err)
				}
				if got, err := keys.find(t.Context(), name.Split().Host, name.Split().Repository); err != nil || got != want {
					t.Errorf("the login is %v (%v), want %v", got, err, want)
				}
				if place == "DOCKER_AUTH_CONFIG" || place == "auth.json" {
					return // where Login does not write
				}
				if err := c.Logout(t.Context(), "registry-1.docker.io"); err != nil {
					t.Error(err)
				}
				if left, err := os.ReadFile(file); err != nil || strings.Contains(string(left), key) {
					t.Errorf("after logout: %s %v", left, err)
				}
			})
		}
	}
}

// A login that the registry takes is kept for its owner only, one that it does
// not take is not kept, and logging out forgets it.
func TestLogin(t *testing.T) {
	registrytest.Need(t, "docker-registry")
	r, err := registrytest.StartDocker(t.Context(), t.TempDir(), registrytest.Settings{TLS: true, User: user, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	noLogins(t)
	file := filepath.Join(t.TempDir(), "auth.json")
	t.Setenv("REGISTRY_AUTH_FILE", file)
	st := storetest.New(t)
	client := func() *Client {
		c, err := New(Options{CA: r.CA, Store: st, Events: &heard{}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := client()
	if err := c.Login(t.Context(), r.Host, reference.Login{User: user, Password: "no"}); err == nil {
		t.Error("a wrong password is taken")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a wrong password is kept")
	}
	if err := c.Login(t.Context(), r.Host, reference.Login{User: user, Password: password}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of logins has mode %v (%v)", info.Mode(), err)
	}
	if _, err := client().Write(t.Context(), remoteName(t, r.Host, "team/app:1"), image.Of(sample(t, 1, 10, "linux/amd64")), image.OCI); err != nil {
		t.Errorf("with the login that was kept: %v", err)
	}
	if err := c.Logout(t.Context(), r.Host); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(file); strings.Contains(string(data), entry64(user, password)) {
		t.Error("the login is there after logging out")
	}
	if _, err := client().Open(t.Context(), remoteName(t, r.Host, "team/app:1")); status(err) != http.StatusUnauthorized {
		t.Errorf("after logging out: %v", err)
	}
	if err := c.Logout(t.Context(), r.Host); err == nil || err.Error() != "cannot log out of "+r.Host+": there is no login for it in "+file {
		t.Errorf("logging out again: %v", err)
	}
	keepsSecrets(t, c)
}

// A foreign layer that the registry does not have is read where its descriptor
// says, and is not sent to a registry.
func TestForeignLayer(t *testing.T) {
	layer := tarOf(t, randomFor(5), 1000)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(layer) }))
	t.Cleanup(store.Close)
	img := sample(t, 5, 1000, "linux/amd64")
	l := &img.Layers[0]
	l.Descriptor.MediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar"
	l.Descriptor.URLs = []string{"ftp://example.org/x", store.URL}
	img.Manifest.Layers[0] = l.Descriptor
	host := registrytest.Start(t, "ociregistry")
	c := testClient(t)
	target := remoteName(t, "http://"+host, "team/app:1")
	written, err := c.Write(t.Context(), target, image.Of(img), image.Docker)
	if err != nil {
		t.Skipf("the registry wants foreign layers too: %v", err)
	}
	if written.Uploaded.Blobs != 5 {
		t.Errorf("%d blobs were sent, want 5: all but the foreign layer", written.Uploaded.Blobs)
	}
	opened, err := c.Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	got, err := opened.Image(t.Context(), ocispec.Platform{})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := read(t.Context(), got.Layers[0].Blob); err != nil || string(data) != string(layer) {
		t.Errorf("the foreign layer: %v", err)
	}
}
