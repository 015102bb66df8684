package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	"smith/internal/reference"
)

// dockerHubKey is what "docker login" and "smith login" call Docker Hub in a file
// of logins.
const dockerHubKey = "https://index.docker.io/v1/"

// hostKeys returns the names under which a file may keep the login for a
// registry, the most usual first.
func hostKeys(host string) []string {
	if host == reference.DockerHub {
		return append([]string{dockerHubKey}, reference.DockerHubHosts()...)
	}
	return []string{host}
}

// A keychain is where logins are looked up: the environment's
// DOCKER_AUTH_CONFIG, Podman's file (containers-auth.json(5)), Docker's
// config.json with its credential helpers and stores; the first that knows the
// registry counts.
type keychain struct{ rings []keyring }

// A keyring is one of them.
type keyring struct {
	name  string
	store credentials.Store
	// exact are the keys of Podman's file, which may be longer than a host:
	// example.org/team. The library would take that for the whole host's. nil
	// for a file of Docker's.
	exact map[string]bool
}

func loadKeychain() (*keychain, error) {
	k := &keychain{}
	if text := os.Getenv("DOCKER_AUTH_CONFIG"); text != "" {
		store, err := credentials.NewMemoryStoreFromDockerConfig([]byte(text))
		if err != nil {
			return nil, errors.New("cannot read the logins in DOCKER_AUTH_CONFIG: they are not in the form of Docker's config.json")
		}
		k.rings = append(k.rings, keyring{name: "DOCKER_AUTH_CONFIG", store: store})
	}
	for _, file := range podmanFiles() {
		if err := k.add(file, true); err != nil {
			return nil, err
		}
	}
	file, err := dockerFile()
	if err != nil {
		return k, nil //nolint:nilerr // without a home there is no such file
	}
	return k, k.add(file, false)
}

func (k *keychain) add(file string, podman bool) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	ring := keyring{name: file}
	if err == nil {
		ring.store, err = credentials.NewStore(file, credentials.StoreOptions{})
	}
	if err == nil && podman {
		ring.exact, err = exactKeys(data)
	}
	if err != nil {
		return fmt.Errorf("cannot read the logins in %s: it is not in the form of Docker's config.json", file)
	}
	k.rings = append(k.rings, ring)
	return nil
}

// exactKeys returns the keys that a file has a login for. Where it names a
// store for all of them, they are not known, and nil.
func exactKeys(data []byte) (map[string]bool, error) {
	var file struct {
		Auths       map[string]json.RawMessage `json:"auths"`
		CredHelpers map[string]string          `json:"credHelpers"`
		CredsStore  string                     `json:"credsStore"`
	}
	if err := json.Unmarshal(data, &file); err != nil || file.CredsStore != "" {
		return nil, err
	}
	keys := map[string]bool{}
	for key := range file.Auths {
		if at, found := strings.CutPrefix(key, "https://"); found && key != dockerHubKey {
			key, _, _ = strings.Cut(at, "/") // Docker's old form
		}
		keys[key] = true
	}
	for host := range file.CredHelpers {
		keys[host] = true
	}
	return keys, nil
}

// podmanFiles are where Podman keeps logins.
func podmanFiles() []string {
	if file := os.Getenv("REGISTRY_AUTH_FILE"); file != "" {
		return []string{file}
	}
	var files []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		files = append(files, filepath.Join(dir, "containers", "auth.json"))
	} else if runtime.GOOS == "linux" {
		files = append(files, fmt.Sprintf("/run/containers/%d/auth.json", os.Getuid()))
	}
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" {
		files = append(files, filepath.Join(dir, "containers", "auth.json"))
	} else if home, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(home, ".config", "containers", "auth.json"))
	}
	return files
}

func dockerFile() (string, error) {
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		return filepath.Join(dir, "config.json"), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".docker", "config.json"), err
}

// find returns the login for a repository, empty where none is known. A
// helper that is not installed knows none.
func (k *keychain) find(ctx context.Context, host, repository string) (auth.Credential, error) {
	for _, ring := range k.rings {
		for _, key := range ring.keys(host, repository) {
			found, err := ring.store.Get(ctx, key)
			switch {
			case errors.Is(err, exec.ErrNotFound):
				continue
			case err != nil && strings.Contains(err.Error(), "auth field"):
				// The error repeats what it could not read.
				return auth.EmptyCredential, fmt.Errorf("cannot read the login for %s in %s: write it with smith login", host, ring.name)
			case err != nil:
				return auth.EmptyCredential, fmt.Errorf("cannot find a login for %s: %w", host, err)
			case found != auth.EmptyCredential:
				return found, nil
			}
		}
	}
	return auth.EmptyCredential, nil
}

// keys are the names under which a keyring may keep a login, the closest first.
func (r keyring) keys(host, repository string) []string {
	hosts := hostKeys(host)
	if r.exact == nil {
		return hosts
	}
	var keys []string
	for path := repository; path != ""; path = path[:max(0, strings.LastIndexByte(path, '/'))] {
		for _, name := range hosts {
			keys = append(keys, name+"/"+path)
		}
	}
	return slices.DeleteFunc(append(keys, hosts...), func(key string) bool { return !r.exact[key] })
}

// Login tries a login at a registry and keeps it where Docker and Podman find
// it too: in the file that REGISTRY_AUTH_FILE names, else in Docker's, or with
// the helper that the file names.
func (c *Client) Login(ctx context.Context, host string, login reference.Login) error {
	host = reference.RegistryHost(host)
	store, _, err := writableStore()
	if err != nil {
		return err
	}
	reg, err := remote.NewRegistry(host)
	if err != nil {
		return fmt.Errorf("%q is not a registry; write its host, such as registry.example.org", host)
	}
	reg.PlainHTTP = c.speaksPlain(ctx, host)
	reg.Client = c.auth(host, "")
	cred := auth.Credential{Username: login.User, Password: login.Password}
	if err := credentials.Login(ctx, store, reg, cred); err != nil {
		return fmt.Errorf("cannot log in to %s: %w", host, plain(err))
	}
	return nil
}

// Logout removes the login for a registry that Login keeps, under each of the
// registry's names. It is an error where there is none.
func (c *Client) Logout(ctx context.Context, host string) error {
	host = reference.RegistryHost(host)
	store, file, err := writableStore()
	if err != nil {
		return fmt.Errorf("cannot log out of %s: %w", host, plain(err))
	}
	removed := false
	for _, key := range hostKeys(host) {
		// An entry that cannot be read is removed too.
		if found, unreadable := store.Get(ctx, key); found == auth.EmptyCredential && unreadable == nil {
			continue
		}
		if err := store.Delete(ctx, key); err != nil {
			return fmt.Errorf("cannot log out of %s: %w", host, plain(err))
		}
		removed = true
	}
	if !removed {
		return fmt.Errorf("cannot log out of %s: there is no login for it in %s", host, file)
	}
	return nil
}

// writableStore returns where logins are kept, and the file that says so.
func writableStore() (credentials.Store, string, error) {
	file := os.Getenv("REGISTRY_AUTH_FILE")
	if file == "" {
		var err error
		if file, err = dockerFile(); err != nil {
			return nil, "", fmt.Errorf("cannot find a place for the login: %w; name a folder with DOCKER_CONFIG", err)
		}
	}
	store, err := credentials.NewStore(file, credentials.StoreOptions{AllowPlaintextPut: true})
	if err != nil {
		return nil, "", fmt.Errorf("cannot read the logins in %s: it is not in the form of Docker's config.json", file)
	}
	return store, file, nil
}
