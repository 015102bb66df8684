package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/lock"
	"smith/internal/oci/image"
	"smith/internal/reference"
	"smith/internal/smithfile"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// What is said of specs that decode, and ask for what cannot be, before
// anything is fetched.
func TestMistakesInSpecs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "base.tar.gz"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"package: [./base.tar.gz, ./base.tar.gz]":                                                 "smith.yaml:1: package: ./base.tar.gz and ./base.tar.gz: several packages must be of one distribution's kind; an image or host stands alone",
		"type: rpm\npackage: cat\nmock:\n  debugdeps: [./x.rpm]\n  debuginfo: true":               "smith.yaml:4: mock.debugdeps: ./x.rpm is not there; a name of this form is a file and never pulled",
		"type: apk\npackage: cat":                                                                 "smith.yaml:2: package: cat is a package of the apk family (the spec's type says so), which this smith cannot read yet; use an image (base.tar.gz, oci:DIR) or type: host",
		"type: rpm\npackage: cat\nrepositories:\n- deb: http://example.org/debian\n  suites: [a]": "smith.yaml:4: it is a repository of Debian packages, and the packages are RPM's",
		"type: rpm\npackage: cat\nrepositories:\n- priority: 1":                                   "smith.yaml:4: it needs an address: {rpm: https://mirror.example.org/os/, gpgkey: KEY}, or a mirrorlist or metalink",
	} {
		s, err := smithfile.Decode("smith.yaml", []byte(text+"\npaths: [/bin/cat]"))
		if err == nil {
			_, err = (&Builder{Events: event.Silent{}}).sources(Request{Spec: s, SpecName: "smith.yaml", Dir: dir})
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

// What is said of locks that are not there or do not fit.
func TestMistakesInLocks(t *testing.T) {
	offered := &source.Offer{Image: &image.Image{}, Inputs: []record.Input{{Name: "example.org/base:1", Digest: "sha256:1"}}}
	fits := func(images ...lock.Image) error {
		l := &lock.Lock{Platforms: map[string]*lock.Platform{"linux/amd64": {Images: images}}}
		return checkImage(l, offered, ocispec.Platform{OS: "linux", Architecture: "amd64"})
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{(&Builder{}).Fetch(t.Context(), Request{}, nil), "there is no smith.lock: smith lock writes it"},
		{checkImage(&lock.Lock{}, offered, ocispec.Platform{OS: "linux", Architecture: "arm64"}), "smith.lock is out of date: it has nothing for linux/arm64; smith lock --update adds it"},
		{fits(), "smith.lock is out of date: the spec asks for image example.org/base:1, which it does not have; smith lock --update adds it"},
		{fits(lock.Image{Reference: "example.org/base:1", Digest: "sha256:2"}), "smith.lock is out of date: image example.org/base:1 is sha256:1 now, and the lock has sha256:2; smith lock --update takes the new one"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}

// What is said of capabilities for what is not in the image, or is another's.
func TestMistakesInCapabilities(t *testing.T) {
	s, err := smithfile.Decode("smith.yaml", []byte("package: ping\ncapabilities:\n  /bin/ping: [net_raw]\n  /bin/pong: [net_raw]"))
	if err != nil {
		t.Fatal(err)
	}
	parent := tree.New()
	if err := parent.Insert("/bin/ping", tree.NewFile(nil, 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err = capabilities(Request{Spec: s, SpecName: "smith.yaml"}, tree.New(), nil, parent)
	want := "smith.yaml:3: /bin/ping is the parent's: give it capabilities where the parent is built\n" +
		"smith.yaml:4: /bin/pong is to have capabilities and is not in the image; name it in paths, so that it is"
	if err == nil || err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
}

// What is said of what a build is asked for beside its spec.
func TestMistakesInOptions(t *testing.T) {
	long := strings.Repeat("x", 125)
	r := Request{SpecName: "smith.yaml"}
	_, debug := debugTarget(reference.Reference{Kind: reference.Archive, Path: "app.tar.gz", Tag: long})
	failing := &Builder{Command: func(context.Context, string, string) error { return errors.New("exit status 1") }}
	for _, c := range []struct {
		err  error
		want string
	}{
		{(&Builder{}).command(t.Context(), r, "pre-build", "make"), "smith.yaml: mock.pre-build: commands are not run here"},
		{failing.command(t.Context(), r, "pre-build", "make"), "smith.yaml: mock.pre-build failed: exit status 1"},
		{debug, `cannot name the image of debug information: "` + long + `-debug" is no tag for an image: 128 characters at the most`},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}
