// Package apt reads repositories of Debian packages as apt does, on any
// system: the configuration of sources (sources.list(5)), what vouches for
// them (apt-secure(8)), their lists of packages, and which version of a name
// is preferred (apt_preferences(5)).
package apt

import (
	"time"

	"smith/internal/distro/openpgp"
)

// A Source is one repository: a suite with some of its components, at one
// place or at several mirrors that hold the same.
type Source struct {
	// Mirrors are the base addresses, each with a slash at its end, without a
	// user and password.
	Mirrors []string
	// List is the address of a list of them, without a user and password; ""
	// where they are known. Whoever opens the source asks it.
	List string
	// Suite is a name under dists/, or, in a flat repository, the directory that
	// holds it, with a slash at its end.
	Suite string
	// Components are empty in a flat repository.
	Components []string
	// Architectures are those that are asked for; empty means any.
	Architectures []string
	// Keys vouch for it, nil where Trusted says that nobody needs to.
	Keys    *openpgp.Keyring
	Trusted bool
	// AnyDate leaves Valid-Until unchecked: a snapshot is out of date by nature.
	AnyDate bool
	// NoClock says that this machine does not know the time: no date is checked.
	NoClock bool
	// MaxFuture is how far a clock may be behind; 0 is ten seconds.
	MaxFuture time.Duration
	// ByHash is "" for what the repository says, "yes", "no" or "force".
	ByHash string
	// MinValid and MaxValid bound how long a release counts, 0 is not at all.
	MinValid, MaxValid time.Duration
	// Where tells the reader where it is configured: "smith.yaml:7".
	Where string
}

// String names the source as messages do.
func (s *Source) String() string {
	if s.List != "" {
		return s.List + " " + s.Suite
	}
	return s.Mirrors[0] + " " + s.Suite
}

// A Release is what a repository says of itself, verified.
type Release struct {
	Origin, Label, Suite, Codename, Version string
	// Date is when it was made; ValidUntil may be zero.
	Date, ValidUntil time.Time
	// NotAutomatic and ButAutomaticUpgrades lower the priority of all its
	// packages (apt_preferences(5)).
	NotAutomatic, ButAutomaticUpgrades bool
	Architectures                      []string
	// Key is the fingerprint of the key that vouched for it, "" where the
	// source is trusted without one.
	Key string

	byHash bool
	files  map[string]releaseFile
	noAll  bool // the lists of each architecture hold the packages for all
}
