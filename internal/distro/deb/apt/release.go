package apt

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"smith/internal/distro/deb/control"
)

// A releaseFile is a file that a release vouches for.
type releaseFile struct {
	size   int64
	digest digest.Digest
}

// readRelease reads a Release file (wiki.debian.org/DebianRepository/Format).
// Only digests of SHA-256 and SHA-512 count; older ones vouch for nothing.
func readRelease(text []byte) (*Release, error) {
	p, err := control.NewReader(bytes.NewReader(text)).Next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the release is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the release: %w", err)
	}
	r := &Release{
		Origin: p.Get("Origin"), Label: p.Get("Label"), Suite: p.Get("Suite"),
		Codename: p.Get("Codename"), Version: p.Get("Version"),
		NotAutomatic: yes(p.Get("NotAutomatic")), ButAutomaticUpgrades: yes(p.Get("ButAutomaticUpgrades")),
		Architectures: strings.Fields(p.Get("Architectures")),
		byHash:        yes(p.Get("Acquire-By-Hash")),
		noAll:         p.Get("No-Support-for-Architecture-all") == "Packages",
		files:         map[string]releaseFile{},
	}
	if r.Date, err = parseDate(p.Get("Date")); err != nil {
		return nil, fmt.Errorf("the release's Date: %w", err)
	}
	if until := p.Get("Valid-Until"); until != "" {
		if r.ValidUntil, err = parseDate(until); err != nil {
			return nil, fmt.Errorf("the release's Valid-Until: %w", err)
		}
	}
	// The stronger digest is read first, the one that by-hash directories always
	// have last.
	for field, algorithm := range map[string]digest.Algorithm{"SHA256": digest.SHA256, "SHA512": digest.SHA512} {
		if err := r.addFiles(p, field, algorithm); err != nil {
			return nil, err
		}
	}
	if len(r.files) == 0 {
		return nil, errors.New("the release names no file with a digest of SHA-256 or SHA-512")
	}
	return r, nil
}

// addFiles reads a list of digests. Where a file has both, SHA-256 is kept: it
// is what the lists of packages and the directories by-hash have everywhere.
func (r *Release) addFiles(p control.Paragraph, field string, algorithm digest.Algorithm) error {
	list, _ := p.Find(field)
	for _, line := range list.Lines() {
		f := strings.Fields(line)
		if len(f) != 3 {
			return fmt.Errorf("the release's %s: %.100q is not of the form DIGEST SIZE NAME", field, line)
		}
		size, err := strconv.ParseInt(f[1], 10, 64)
		d := digest.NewDigestFromEncoded(algorithm, f[0])
		if err != nil || size < 0 || d.Validate() != nil {
			return fmt.Errorf("the release's %s: %.100q is not of the form DIGEST SIZE NAME", field, line)
		}
		if _, have := r.files[f[2]]; !have || algorithm == digest.SHA256 {
			r.files[f[2]] = releaseFile{size, d}
		}
	}
	return nil
}

// parseDate reads a date as RFC 5322 has it, which archives' tools write with
// small differences.
func parseDate(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, errors.New("there is none")
	}
	for _, form := range []string{"Mon, _2 Jan 2006 15:04:05 MST", "Mon, _2 Jan 2006 15:04:05 -0700"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	t, err := mail.ParseDate(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%.60q is not a date", text)
	}
	return t.UTC(), nil
}

// yes reads a boolean as apt does.
func yes(text string) bool {
	switch strings.ToLower(text) {
	case "yes", "true", "with", "on", "enable", "1":
		return true
	}
	return false
}

// tolerance is how far a clock may be behind (apt's Acquire::Max-FutureTime).
const tolerance = 10 * time.Second

// checkDate reports whether a release counts at a time.
func (s *Source) checkDate(r *Release, now time.Time) error {
	if s.NoClock {
		return nil
	}
	if r.Date.After(now.Add(cmp.Or(s.MaxFuture, tolerance))) {
		return fmt.Errorf("its release is of the future, %s: is this machine's clock right?", r.Date.Format(time.RFC1123))
	}
	if s.AnyDate {
		return nil
	}
	until := r.ValidUntil
	if most := r.Date.Add(s.MaxValid); s.MaxValid > 0 && (until.IsZero() || most.Before(until)) {
		until = most
	}
	if least := r.Date.Add(s.MinValid); s.MinValid > 0 && !until.IsZero() && least.After(until) {
		until = least
	}
	if !until.IsZero() && now.After(until) {
		return fmt.Errorf("its release expired on %s: the mirror is out of date, or somebody holds it back; "+
			"for a snapshot, which is out of date by nature, write check-valid-until: false", until.Format(time.RFC1123))
	}
	return nil
}

// checkName returns what to warn of where the release is not that of the suite
// that was asked for.
func (s *Source) checkName(r *Release) string {
	if strings.HasSuffix(s.Suite, "/") || r.Suite == "" && r.Codename == "" {
		return ""
	}
	for _, name := range []string{r.Suite, r.Codename} {
		// "bookworm/updates" and "stable/updates" may call themselves either way.
		if name == s.Suite || name != "" && (strings.HasPrefix(s.Suite, name+"/") || strings.HasSuffix(name, "/"+s.Suite)) {
			return ""
		}
	}
	return fmt.Sprintf("%s: the release calls itself %s (%s), not %s", s, r.Suite, r.Codename, s.Suite)
}
