//go:build unix

package test

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/oci/registry/registrytest"
)

const (
	// bigLayer is twice what smith may take, so that a layer that is held in
	// memory is seen. `make bench` does the same with 2 GiB.
	bigLayer  = 256 << 20
	maxMemory = 128 << 20
)

// Peak memory does not grow with the layer, in reading and in writing,
// whatever the form.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a gigabyte is read and written")
	}
	dir, smith := t.TempDir(), buildSmith(t)
	writeBig(t, filepath.Join(dir, "big.tar.gz"))
	const take, build = "package: ../big.tar.gz\npaths: [/data]\n", "parent: ../big.tar.gz\n"
	for _, c := range [][2]string{{take, "out.tar.gz"}, {build, "out.tar.gz"}, {build, "oci:out"}} {
		spec, target := c[0], c[1]
		work := filepath.Join(dir, "work")
		writeAll(t, filepath.Join(work, "smith.yaml"), spec)
		writeAll(t, filepath.Join(work, "rootfs/note"), target)
		wantMemory(t, work, spec+"to "+target, smith, "--cache-dir", filepath.Join(work, "cache"), "-i", target)
		if err := os.RemoveAll(work); err != nil {
			t.Fatal(err)
		}
	}
}

// Nor does it grow with the blobs that go to a registry and come from one,
// whether the system sends them or smith does.
func TestMemoryOfTransfers(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a gigabyte is sent and fetched")
	}
	registrytest.Need(t, "docker-registry")
	dir, smith := t.TempDir(), buildSmith(t)
	writeBig(t, filepath.Join(dir, "big.tar.gz"))
	for name, s := range map[string]registrytest.Settings{"plain": {}, "TLS": {TLS: true}} {
		r, err := registrytest.StartDocker(t.Context(), t.TempDir(), s)
		check(t, err)
		t.Cleanup(r.Stop)
		image := r.Host + "/team/app:1"
		run := func(args ...string) {
			t.Helper()
			work := t.TempDir()
			wantMemory(t, work, name+" "+args[0], smith, append(args, "-k", "-r", image, "--cache-dir", filepath.Join(work, "cache"))...)
		}
		run("upload", "-i", filepath.Join(dir, "big.tar.gz"))
		run("download", "-i", "oci:layout")
	}
}

// wantMemory runs smith in a folder and looks at its peak.
func wantMemory(t *testing.T, dir, what, smith string, args ...string) {
	t.Helper()
	cmd := exec.Command(smith, args...)
	// The collector's usual settings: smith's own would hide garbage.
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOGC=100", "GOMEMLIMIT=off", "HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", what, err, out)
	}
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	if runtime.GOOS != "darwin" { // getrusage(2): kilobytes elsewhere
		peak <<= 10
	}
	t.Logf("%s: %d MiB", what, peak>>20)
	if peak > maxMemory {
		t.Errorf("%s takes %d bytes of memory, for a layer of %d", what, peak, bigLayer)
	}
}

func writeAll(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeBig writes an image of one big layer, as quickly as can be: both the
// layer and the archive are packed and not compressed.
func writeBig(t *testing.T, path string) {
	t.Helper()
	packed := filepath.Join(t.TempDir(), "layer")
	diffID := writeBigLayer(t, packed)
	config := encode(t, v1.Image{
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
		RootFS:   v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{diffID}},
	})
	layer, err := os.Open(packed)
	check(t, err)
	defer layer.Close()
	sum, err := digest.FromReader(layer)
	check(t, err)
	size, err := layer.Seek(0, io.SeekCurrent)
	check(t, err)
	_, err = layer.Seek(0, io.SeekStart)
	check(t, err)
	manifest := encode(t, v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageManifest,
		Config:    v1.Descriptor{MediaType: v1.MediaTypeImageConfig, Digest: digest.FromBytes(config), Size: int64(len(config))},
		Layers:    []v1.Descriptor{{MediaType: v1.MediaTypeImageLayerGzip, Digest: sum, Size: size}},
	})
	index := encode(t, v1.Index{Manifests: []v1.Descriptor{{
		MediaType: v1.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: int64(len(manifest)),
	}}})
	w := newPacked(t, path)
	w.add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	w.add("index.json", index)
	for _, data := range [][]byte{config, manifest} {
		w.add("blobs/sha256/"+digest.FromBytes(data).Encoded(), data)
	}
	w.copy("blobs/sha256/"+sum.Encoded(), size, layer)
	w.close()
}

func writeBigLayer(t *testing.T, path string) digest.Digest {
	t.Helper()
	w := newPacked(t, path)
	const files = 4
	for i := range files {
		w.copy(fmt.Sprintf("data/%d", i), bigLayer/files, &letters{random: rand.NewPCG(1, uint64(i))})
	}
	w.close()
	return w.plain.Digest()
}

// letters is an endless Reader of letters in random order.
type letters struct{ random *rand.PCG }

func (l *letters) Read(p []byte) (int, error) {
	for i := 0; i < len(p); i += 8 {
		word := l.random.Uint64()
		for j := i; j < min(i+8, len(p)); j++ {
			p[j] = 'a' + byte(word%16)
			word >>= 8
		}
	}
	return len(p), nil
}

// packed is a tar in a gzip stream that does not compress.
type packed struct {
	t     *testing.T
	file  *os.File
	out   *bufio.Writer
	gzip  *gzip.Writer
	tar   *tar.Writer
	plain digest.Digester
}

func newPacked(t *testing.T, path string) *packed {
	t.Helper()
	f, err := os.Create(path)
	check(t, err)
	w := &packed{t: t, file: f, out: bufio.NewWriterSize(f, 1<<20), plain: digest.Canonical.Digester()}
	w.gzip, err = gzip.NewWriterLevel(w.out, gzip.NoCompression)
	check(t, err)
	w.tar = tar.NewWriter(io.MultiWriter(w.gzip, w.plain.Hash()))
	return w
}

func (w *packed) copy(name string, size int64, r io.Reader) {
	w.t.Helper()
	check(w.t, w.tar.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: size}))
	_, err := io.CopyN(w.tar, r, size)
	check(w.t, err)
}

func (w *packed) add(name string, data []byte) {
	w.t.Helper()
	check(w.t, w.tar.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(data))}))
	_, err := w.tar.Write(data)
	check(w.t, err)
}

func (w *packed) close() {
	w.t.Helper()
	check(w.t, w.tar.Close())
	check(w.t, w.gzip.Close())
	check(w.t, w.out.Flush())
	check(w.t, w.file.Close())
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	check(t, err)
	return data
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
