package registry

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"smith/internal/oci/image"
	"smith/internal/oci/registry/registrytest"
)

// inFile puts the large layer of an image into a file, behind other bytes, and
// counts what is read of it and not sent by the system. change damages it.
func inFile(t *testing.T, img *image.Image, change func(data []byte) []byte) *atomic.Int64 {
	t.Helper()
	const begin = 1000
	l := &img.Layers[0]
	data, err := read(t.Context(), l.Blob)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(name, append(make([]byte, begin), change(data)...), 0o600); err != nil {
		t.Fatal(err)
	}
	var counted atomic.Int64
	l.File = func() (*os.File, int64, error) {
		f, err := os.Open(name)
		return f, begin, err
	}
	l.Open = func(context.Context) (io.ReadCloser, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		if _, err := f.Seek(begin, io.SeekStart); err != nil {
			return nil, err
		}
		return image.Verify(&counting{f, &counted}, l.Descriptor)
	}
	return &counted
}

type counting struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func unchanged(data []byte) []byte { return data }

// What lies in a file goes out without being read, unless TLS must see it.
func TestSystemSends(t *testing.T) {
	registrytest.Need(t, "docker-registry")
	for name, s := range map[string]registrytest.Settings{"plain": {}, "TLS": {TLS: true}} {
		t.Run(name, func(t *testing.T) {
			r, err := registrytest.StartDocker(t.Context(), t.TempDir(), s)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(r.Stop)
			img := sample(t, 1, large, "linux/amd64")
			counted := inFile(t, img, unchanged)
			c := secured(t, Options{CA: r.CA})
			if _, err := c.Write(t.Context(), remoteName(t, r.Host, "team/app:1"), image.Of(img), image.OCI); err != nil {
				t.Fatal(err)
			}
			if n := counted.Load(); s.TLS != (n >= large) {
				t.Errorf("%d of %d bytes were read", n, large)
			}
		})
	}
}

// Breaks in the middle of what the system sends.
func TestSystemSendsAgain(t *testing.T) {
	for _, name := range registrytest.Names {
		t.Run(name, func(t *testing.T) {
			proxy := registrytest.Break(t, registrytest.Start(t, name), registrytest.Tenths(large))
			img := sample(t, 1, large, "linux/amd64")
			inFile(t, img, unchanged)
			target := remoteName(t, proxy, "team/app:1")
			if _, err := testClient(t).Write(t.Context(), target, image.Of(img), image.OCI); err != nil {
				t.Fatal(err)
			}
			if _, err := pull(t, testClient(t), target); err != nil {
				t.Error(err)
			}
		})
	}
}

// A file that is damaged is found to be, whoever finds it, and is blamed.
func TestDamagedFile(t *testing.T) {
	for name, damage := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"changed": {func(data []byte) []byte {
			data = bytes.Clone(data)
			data[large/2] ^= 1
			return data
		}, "is damaged: its bytes have another digest"},
		"cut short": {func(data []byte) []byte { return data[:large/2] }, "the file that it lies in ends too early, after 500000 of its 1001984 bytes"},
	} {
		for _, registry := range registrytest.Names {
			t.Run(name+"/"+registry, func(t *testing.T) {
				img := sample(t, 1, large, "linux/amd64")
				inFile(t, img, damage.change)
				c, target := testClient(t), remoteName(t, registrytest.Start(t, registry), "team/app:1")
				_, err := c.Write(t.Context(), target, image.Of(img), image.OCI)
				if err == nil || !strings.Contains(err.Error(), damage.want) {
					t.Errorf("the error is %v", err)
				}
				if _, err := c.Open(t.Context(), target); status(err) != http.StatusNotFound {
					t.Errorf("the tag is there: %v", err)
				}
			})
		}
	}
}
