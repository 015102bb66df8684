package rpm

import (
	"os"
	"path/filepath"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/distro/packages"
	"smith/internal/lock"
)

// What is said of specs, locks and machines that name no repository that can be
// used.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	for name, machine := range map[string]string{"arm.cfg": "aarch64", "odd.cfg": "vax"} {
		text := "config_opts['target_arch'] = '" + machine + "'\nconfig_opts['dnf.conf'] = '''[r]\nbaseurl=https://example.org/\n'''\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	of := func(change func(*Options)) *Source {
		o := Options{Options: packages.Options{Store: storetest.New(t), Dir: dir, Root: dir}}
		change(&o)
		return New(o)
	}
	repositories := func(change func(*Options)) error {
		_, err := of(change).repositories("x86_64")
		return err
	}
	key := func(name string) error {
		_, err := (&repository{source: of(func(*Options) {})}).keyData(t.Context(), name)
		return err
	}
	_, odd := of(func(o *Options) { o.Mock = "odd.cfg" }).settled(ocispec.Platform{})
	_, other := of(func(o *Options) {
		o.Requests = []packages.Request{{Text: "lib"}}
		o.Locked = map[string]*lock.Platform{"linux/amd64": {Requests: []string{"app"}}}
	}).fromLock(amd64)
	_, absent := of(func(o *Options) { o.Locked = map[string]*lock.Platform{} }).fromLock(amd64)
	for _, tt := range []struct {
		err  error
		want string
	}{
		{repositories(func(o *Options) { o.Mock = "arm.cfg" }), "arm.cfg is a configuration for aarch64, and the image is for x86_64"},
		{repositories(func(o *Options) { o.Mock = "/none/rocky.cfg" }), "the mock configuration /none/rocky.cfg is not there: the key mock.config takes a file, or the name of one in /etc/mock"},
		{repositories(func(o *Options) { o.Host = true }), "this machine has no repositories of RPM packages (/etc/yum.repos.d): name one, repositories: [{rpm: https://mirror.example.org/os/, gpgkey: KEY}], or a mock configuration, mock: {config: …}"},
		{odd, "odd.cfg: smith knows no platform for target_arch vax"},
		{key("keys"), "stat " + dir + "/keys: no such file or directory"},
		{key("."), dir + " is no file of keys"},
		{key("file:///none/distribution-gpg-keys/a"), "stat /none/distribution-gpg-keys/a: no such file or directory; the package distribution-gpg-keys has it"},
		{absent, "smith.lock does not fit: it has no packages for linux/amd64; smith lock --update adds them"},
		{other, "smith.lock does not fit: the spec asks for lib now, the spec does not ask for app any more; smith lock takes that in and keeps the other versions, smith lock --update renews all"},
	} {
		if tt.err == nil || tt.err.Error() != tt.want {
			t.Errorf("got %v, want %s", tt.err, tt.want)
		}
	}
}
