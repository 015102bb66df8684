package rpm

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/distro/rpm/repodata"
	"smith/internal/distro/rpm/yumconfig"
	"smith/internal/lock"
)

// connectLocked has the packages of the locks fetched as the configuration of
// their repositories says: with its certificates, logins and proxies. A lock
// needs no configuration beyond that: one that cannot be read is done without.
func (f *family) connectLocked() error {
	for _, name := range slices.Sorted(maps.Keys(f.Options.Locked)) {
		_, platform, _ := strings.Cut(name, "/")
		architecture, variant, _ := strings.Cut(platform, "/")
		configured, err := f.repositories(repodata.Machine(architecture, variant))
		if err != nil {
			f.Events.Note(fmt.Sprintf("packages of the lock for %s are fetched without the configuration of their repositories: %v", name, err))
			continue
		}
		for _, c := range configured {
			if err := f.connectLockedFrom(c, f.Options.Locked[name]); err != nil {
				return fmt.Errorf("%s: %w", c.Where, err)
			}
		}
	}
	return nil
}

// connectLockedFrom does so for one repository, if the lock has packages of it.
func (f *family) connectLockedFrom(c yumconfig.Repository, l *lock.Platform) error {
	directories := map[string]bool{}
	for _, p := range l.Packages {
		if p.Repository == c.ID {
			directories[p.URL[:len(p.URL)-len(path.Base(p.URL))]] = true
		}
	}
	if len(directories) == 0 {
		return nil
	}
	if c.Invalid != nil {
		return c.Invalid
	}
	if c.Connection.Insecure {
		f.Events.Warn(c.Where + ": the server's certificate is not checked (sslverify is off)")
	}
	r := &repository{Repository: c, family: f}
	if c.Mirrorlist == "" && c.Metalink == "" {
		return r.connect(c.BaseURLs...)
	}
	// Which mirrors the list names is in the lock alone.
	return r.connect(slices.Sorted(maps.Keys(directories))...)
}
