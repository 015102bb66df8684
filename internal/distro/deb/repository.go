package deb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"smith/internal/distro"
	"smith/internal/distro/deb/apt"
	"smith/internal/distro/openpgp"
)

// A Repository is where packages are looked for, as a spec has it.
type Repository struct {
	// Host stands for all sources that the machine's apt has.
	Host bool
	// Mirrors are base addresses that hold the same.
	Mirrors    []string
	Suites     []string
	Components []string
	// Architectures are those that it is asked for; none is any.
	Architectures []string
	// Keys are files of OpenPGP keys, or keys themselves; none is those that
	// the machine's apt trusts.
	Keys    []string
	Trusted bool
	// AnyDate leaves Valid-Until unchecked.
	AnyDate bool
	// Where tells the reader where it stands: "smith.yaml:7".
	Where string
}

// sources returns the repository as apt has it, a source for each suite.
func (r Repository) sources(o distro.Options, host *apt.Host) ([]*apt.Source, error) {
	fail := func(err error) ([]*apt.Source, error) { return nil, fmt.Errorf("%s: repository: %w", r.Where, err) }
	if len(r.Mirrors) == 0 || len(r.Suites) == 0 {
		return fail(errors.New("it needs an address and suites: {deb: http://mirror.example.org/debian, suites: [stable], components: [main]}"))
	}
	var mirrors []string
	for _, address := range r.Mirrors {
		plain, _, _, err := apt.Address(address)
		if err != nil {
			return fail(err)
		}
		mirrors = append(mirrors, plain)
	}
	var keys *openpgp.Keyring
	if r.Trusted {
		o.Events.Warn(fmt.Sprintf("%s: repository %s is trusted without a signature", r.Where, mirrors[0]))
	} else {
		var err error
		if keys, err = r.keys(o, host); err != nil {
			return fail(err)
		}
	}
	var all []*apt.Source
	for _, suite := range r.Suites {
		flat := strings.HasSuffix(suite, "/")
		if !flat && len(r.Components) == 0 {
			return fail(fmt.Errorf("suite %s needs components, such as components: [main]; a folder without any ends in /", suite))
		}
		s := &apt.Source{
			Mirrors: mirrors, Suite: suite, Components: r.Components, Architectures: r.Architectures,
			Keys: keys, Trusted: r.Trusted, AnyDate: r.AnyDate, Where: r.Where,
		}
		if flat {
			s.Components = nil
		}
		all = append(all, s)
	}
	return all, nil
}

// keys reads the keys that are named, or takes those of the machine.
func (r Repository) keys(o distro.Options, host *apt.Host) (*openpgp.Keyring, error) {
	if len(r.Keys) == 0 {
		if host == nil {
			return nil, errors.New("it names no keys, and this machine has no apt that trusts any: name a file of keys with signed-by")
		}
		return host.AllKeys(), nil
	}
	all := openpgp.Join()
	for _, text := range r.Keys {
		var k *openpgp.Keyring
		var err error
		if strings.Contains(text, "-----BEGIN PGP") {
			k, err = openpgp.ReadKeyring([]byte(text))
		} else {
			k, err = readKeys(o, text)
		}
		if err != nil {
			return nil, fmt.Errorf("signed-by: %w", err)
		}
		all = openpgp.Join(all, k)
	}
	return all, nil
}

// readKeys reads a file of keys: beside the spec, or, for a bare name, where
// distributions put theirs.
func readKeys(o distro.Options, name string) (*openpgp.Keyring, error) {
	if filepath.IsAbs(name) {
		return apt.ReadKeys(name)
	}
	beside := filepath.Join(o.Dir, name)
	if strings.ContainsAny(name, `/\`) || exists(beside) {
		return apt.ReadKeys(beside)
	}
	folders := []string{"usr/share/keyrings", "etc/apt/keyrings", "etc/apt/trusted.gpg.d"}
	for _, folder := range folders {
		if file := filepath.Join(o.Root, folder, name); exists(file) {
			return apt.ReadKeys(file)
		}
	}
	return nil, fmt.Errorf("there is no file %s, here or in /%s", name, strings.Join(folders, ", /"))
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
