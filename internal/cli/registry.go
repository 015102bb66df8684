package cli

import (
	"fmt"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/event"
	"smith/internal/oci/registry"
	"smith/internal/pipeline"
	"smith/internal/reference"
	"smith/internal/size"
)

// registry returns the client that the global flags ask for.
func (a *app) registry(st *store.Store, events event.Listener) (*registry.Client, error) {
	return registry.New(registry.Options{
		Insecure: a.insecure, Offline: a.offline, CA: a.ca, Cert: a.cert, Key: a.key, Version: a.version.Number, Store: st, Events: events,
	})
}

// remote reads the flag -r of upload and download, and gives the client the
// login that the original smith had there.
func remote(text string, client *registry.Client, events event.Listener) (reference.Reference, error) {
	if text == "" {
		return reference.Reference{}, usagef("name the image in the registry with -r HOST/NAME:TAG")
	}
	r, login, err := reference.ParseRemote(text)
	if err != nil {
		return r, usageError{fmt.Errorf("-r: %w", err)}
	}
	if login != (reference.Login{}) {
		events.Warn("a password in -r can be seen by every user of this machine; smith login keeps it out of sight")
		client.Use(r.Split().Host, login)
	}
	return r, nil
}

// platforms reads values of --platform.
func platforms(texts []string) ([]ocispec.Platform, error) {
	all := make([]ocispec.Platform, len(texts))
	for i, text := range texts {
		var err error
		if all[i], err = pipeline.ParsePlatform(text); err != nil {
			return nil, usagef("--platform: %w", err)
		}
	}
	return all, nil
}

// transfers says what was sent to a registry, and what was there.
func transfers(w *registry.Written) string {
	var parts []string
	for _, t := range []struct {
		what string
		registry.Tally
	}{{"uploaded", w.Uploaded}, {"mounted from another repository", w.Mounted}, {"there already", w.Existing}} {
		if t.Blobs > 0 {
			parts = append(parts, fmt.Sprintf("%s (%s) %s", count(t.Blobs, "blob"), size.Format(t.Bytes), t.what))
		}
	}
	return strings.Join(parts, ", ")
}
