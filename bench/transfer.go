//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/oci/archive"
	"smith/internal/oci/image"
	"smith/internal/oci/registry/registrytest"
	"smith/internal/reference"
)

// The image that goes to a registry and comes back: layers that nothing
// compresses, as those of real images.
const (
	transferLayers = 5
	transferSize   = 100 << 20 // bytes of one
)

// A transfer is a case between a layout folder and a docker-registry.
type transfer struct {
	name string
	// lines are commands of sh by who runs them, with {image} for the layout
	// that is uploaded, {ref} for the name in the registry, {out} for a layout
	// that does not exist yet and {cache} for an empty cache. smith brings its
	// output to the disk, and so do those that do not by themselves.
	lines [][2]string
	fresh bool // whether the registry must be empty
}

func transfers() []transfer {
	const toDisk = ` && find {out} -type f -exec sync -d {} +`
	return []transfer{
		{"upload of 500 MB", [][2]string{
			{"smith", `{smith} upload -q --cache-dir {cache} -r {ref} -i oci:{image}`},
			{"crane", `crane push --insecure {image} {ref}`},
			{"skopeo", `skopeo --insecure-policy copy -q --dest-tls-verify=false oci:{image}:latest docker://{ref}`},
		}, true},
		{"download of 500 MB", [][2]string{
			{"smith", `{smith} download -q --cache-dir {cache} -r {ref} -i oci:{out}`},
			{"crane", `crane pull --insecure --format=oci {ref} {out}` + toDisk},
			{"skopeo", `skopeo --insecure-policy copy -q --src-tls-verify=false docker://{ref} oci:{out}:latest` + toDisk},
		}, false},
	}
}

// benchTransfers measures smith beside those of the others that are installed.
// Nobody's time is a floor: the registry's own work is in all of them.
func benchTransfers(ctx context.Context, dir, smith string, wanted *regexp.Regexp, runs int) error {
	var layout string
	for _, t := range transfers() {
		if !wanted.MatchString(t.name) {
			continue
		}
		if _, err := exec.LookPath("docker-registry"); err != nil {
			fmt.Printf("%s: docker-registry is not installed\n", t.name)
			continue
		}
		if layout == "" {
			layout = filepath.Join(dir, "transfer")
			if err := writeTransfer(ctx, layout); err != nil {
				return err
			}
		}
		if err := t.run(ctx, dir, layout, smith, runs); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

func (t transfer) run(ctx context.Context, dir, layout, smith string, runs int) error {
	samples := map[string][]sample{}
	for range runs {
		for _, l := range t.lines {
			who, line := l[0], l[1]
			if _, err := exec.LookPath(who); err != nil && who != "smith" {
				continue
			}
			s, err := t.once(ctx, dir, layout, smith, line)
			if err != nil {
				return fmt.Errorf("%s: %w", who, err)
			}
			samples[who] = append(samples[who], s)
		}
	}
	name := t.name
	for _, l := range t.lines {
		if s := samples[l[0]]; len(s) > 0 {
			printRow(name, l[0], median(s), sample{})
			name = ""
		}
	}
	return nil
}

// once runs a line with a registry of its own.
func (t transfer) once(ctx context.Context, dir, layout, smith, line string) (s sample, err error) {
	work, err := os.MkdirTemp(dir, "transfer-")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	r, err := registrytest.StartDocker(ctx, work, registrytest.Settings{})
	if err != nil {
		return s, err
	}
	defer r.Stop()
	fill := func(line string) string {
		for name, value := range map[string]string{
			"smith": smith, "image": layout, "ref": r.Host + "/bench/app:1",
			"out": filepath.Join(work, "out"), "cache": filepath.Join(work, "cache"),
		} {
			line = regexp.MustCompile(`\{`+name+`\}`).ReplaceAllLiteralString(line, quote(value))
		}
		return line
	}
	if !t.fresh {
		if _, err := shell(ctx, fill(transfers()[0].lines[0][1])); err != nil {
			return s, err
		}
		if err := os.RemoveAll(filepath.Join(work, "cache")); err != nil {
			return s, err
		}
	}
	if _, err := shell(ctx, "sync"); err != nil {
		return s, err
	}
	return shell(ctx, fill(line))
}

// writeTransfer makes the layout folder.
func writeTransfer(ctx context.Context, dir string) error {
	var layers []image.Layer
	for i := range transferLayers {
		content := func() io.Reader {
			return io.LimitReader(rand.NewChaCha8([32]byte{byte(i + 1)}), transferSize)
		}
		sum, err := digest.FromReader(content())
		if err != nil {
			return err
		}
		b := image.Blob{Descriptor: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: sum, Size: transferSize}}
		b.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(content()), nil }
		layers = append(layers, image.Layer{Blob: b, DiffID: sum})
	}
	config := image.Config{}
	config.OS, config.Architecture = "linux", "amd64"
	img, err := image.New(config, layers, image.NewBlob(image.MediaTypeSpec, []byte("{}")))
	if err != nil {
		return err
	}
	target := reference.Reference{Kind: reference.Layout, Path: dir}
	_, err = archive.Write(ctx, target, image.Of(img), image.Labels{}, event.Silent{})
	return err
}
