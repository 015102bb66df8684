//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"smith/test/fixture"
)

// A benchCase is one build that people wait for.
type benchCase struct {
	name    string
	fixture string // the image to build from, or
	deb     string // the Debian package, or
	rpm     string // the RPM package
	spec    string // smith.yaml after its `package`
	cache   cacheState
	change  bool // whether a file of the overlay changes before each run
	most    int  // runs at most
}

type cacheState bool

const (
	cold cacheState = false // nothing in the cache
	warm cacheState = true  // all that a build before this left
)

func cases() []benchCase {
	const (
		cat    = "paths: [/usr/bin/cat]\nentrypoint: [/usr/bin/cat]\n"
		python = "paths: [/usr/bin/python3, /usr/lib/python3.*]\nentrypoint: [/usr/bin/python3]\n"
		large  = "paths: [/data]\n" // no program: its files are text
		nginx  = "paths: [/usr/sbin/nginx]\nentrypoint: [/usr/sbin/nginx]\n"
		curl   = "paths: [/usr/bin/curl]\nentrypoint: [/usr/bin/curl]\n"
	)
	return []benchCase{
		{name: "debian → cat, cold", fixture: "debian", spec: cat, cache: cold, most: 100},
		{name: "debian → python3, cold", fixture: "debian", spec: python, cache: cold, most: 100},
		{name: "2 GiB layer, cold", fixture: "large", spec: large, cache: cold, most: 3},
		{name: "python3, nothing changed", fixture: "debian", spec: python, cache: warm, most: 100},
		{name: "python3, an overlay file changed", fixture: "debian", spec: python, cache: warm, change: true, most: 100},
		{name: "nginx from packages, cold", deb: "nginx", spec: nginx, cache: cold, most: 100},
		{name: "nginx from packages, nothing changed", deb: "nginx", spec: nginx, cache: warm, most: 100},
		{name: "curl from RPM packages, cold", rpm: "curl", spec: curl, cache: cold, most: 100},
		{name: "curl from RPM packages, nothing changed", rpm: "curl", spec: curl, cache: warm, most: 100},
		{name: "python3 from RPM packages, cold", rpm: "python3", spec: python, cache: cold, most: 100},
		{name: "python3 from RPM packages, an overlay file changed", rpm: "python3", spec: python, cache: warm, change: true, most: 100},
	}
}

// A workbench is a case with its files: spec/ (the folder of smith.yaml),
// image.tar.gz, cache/, and output.tar, what the image holds.
type workbench struct {
	benchCase
	dir     string
	program string
	image   string   // the archive to build from
	mirror  *mirror  // the repository to build from, or nil
	inputs  []string // the compressed layers, or the packages, that are read
}

func (b *workbench) path(name string) string { return filepath.Join(b.dir, name) }

// prepare writes the case's files and builds it once, which also fills the
// cache of a warm case.
func prepare(ctx context.Context, c benchCase, dir, program string) (*workbench, error) {
	b := &workbench{benchCase: c, dir: dir, program: program}
	from, err := b.from(ctx)
	if err != nil {
		return nil, err
	}
	spec := from + c.spec
	if err := os.MkdirAll(b.path("spec/rootfs/etc"), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(b.path("spec/smith.yaml"), []byte(spec), 0o644); err != nil {
		return nil, err
	}
	if err := b.touchOverlay(-1); err != nil {
		return nil, err
	}
	if _, err := b.build(ctx, "oci:"+b.path("output")); err != nil {
		return nil, err
	}
	if _, err := b.build(ctx, b.path("image.tar.gz")); err != nil {
		return nil, err
	}
	if b.mirror != nil {
		if b.inputs, err = b.mirror.used(ctx, program, b.path("image.tar.gz"), b.path("cache")); err != nil {
			return nil, err
		}
	}
	outputs, err := layers(b.path("output"))
	if err != nil {
		return nil, err
	}
	_, err = shell(ctx, `out=$1; shift; gzip -dc "$@" >"$out"`, append([]string{b.path("output.tar")}, outputs...)...)
	return b, err
}

// from makes ready what the case builds from, and returns how a spec says it.
func (b *workbench) from(ctx context.Context) (string, error) {
	var err error
	if b.deb != "" {
		if b.mirror, err = newMirror(ctx, b.path("mirror"), b.deb); err != nil {
			return "", err
		}
		return fmt.Sprintf("type: deb\npackage: %s\nrepositories: [{deb: %q, suite: bench, component: main, trusted: true}]\n", b.deb, b.mirror.url), nil
	}
	if b.rpm != "" {
		if b.mirror, err = newRPMMirror(ctx); err != nil {
			return "", err
		}
		return fmt.Sprintf("type: rpm\npackage: %s\nrepositories: [{rpm: %q, gpgkey: %q}]\n", b.rpm, b.mirror.url, b.mirror.keys), nil
	}
	folder, err := fixture.Make(ctx, os.Stderr, b.fixture)
	if err != nil {
		return "", err
	}
	b.image = filepath.Join(folder, b.fixture+".tar")
	b.inputs, err = layers(filepath.Join(folder, b.fixture))
	return fmt.Sprintf("package: %s\n", b.image), err
}

// close ends what the case was served from.
func (b *workbench) close() error {
	if b.mirror == nil {
		return nil
	}
	return b.mirror.server.Close()
}

func (b *workbench) touchOverlay(run int) error {
	return os.WriteFile(b.path("spec/rootfs/etc/run"), fmt.Appendf(nil, "%d\n", run), 0o644)
}

func (b *workbench) build(ctx context.Context, out string) (sample, error) {
	return measure(ctx, b.program, "build", "-q", "-d", b.path("spec"), "-i", out, "--cache-dir", b.path("cache"))
}

// smith measures one build.
func (b *workbench) smith(ctx context.Context, run int) (sample, error) {
	if b.cache == cold {
		if err := os.RemoveAll(b.path("cache")); err != nil {
			return sample{}, err
		}
	}
	if b.change {
		if err := b.touchOverlay(run); err != nil {
			return sample{}, err
		}
	}
	return b.build(ctx, b.path("image.tar.gz"))
}

// inflate reads images' layers one after the other, and packages with all
// cores.
func (b *workbench) inflate() string {
	if b.mirror == nil {
		return `gzip -dc "$@" >/dev/null`
	}
	if b.rpm != "" {
		return `printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh -c 'rpm2cpio "$0" >/dev/null'`
	}
	return `printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh -c 'ar p "$0" data.tar.xz | xz -dc >/dev/null'`
}

// floor measures the work that no builder can leave out: the layers or packages
// that it must read are inflated, the layer that it must write deflated. With
// nothing changed there is none.
func (b *workbench) floor(ctx context.Context) (sample, error) {
	if b.cache == warm && !b.change {
		return sample{}, nil
	}
	var in sample
	if b.cache == cold {
		s, err := shell(ctx, b.inflate(), b.inputs...)
		if err != nil {
			return sample{}, err
		}
		in = s
	}
	out, err := shell(ctx, `pigz -c "$1" >/dev/null`, b.path("output.tar"))
	return sample{wall: in.wall + out.wall, cpu: in.cpu + out.cpu, peak: max(in.peak, out.peak)}, err
}
