package rpm

import (
	"os"
	"path/filepath"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store/storetest"
	"smith/internal/distro"
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
	of := func(change func(*Options)) *family {
		o := Options{Options: distro.Options{Store: storetest.New(t), Dir: dir, Root: dir}}
		change(&o)
		return newFamily(o)
	}
	repositories := func(change func(*Options)) error {
		_, err := of(change).repositories("x86_64")
		return err
	}
	key := func(name string) error {
		_, err := (&repository{family: of(func(*Options) {})}).keyData(t.Context(), name)
		return err
	}
	_, odd := of(func(o *Options) { o.Mock = "odd.cfg" }).settled(ocispec.Platform{})
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
	} {
		if tt.err == nil || tt.err.Error() != tt.want {
			t.Errorf("got %v, want %s", tt.err, tt.want)
		}
	}
}
