package apt

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"smith/internal/distro/deb/control"
)

// Preferences are pins in the order in which they were read: of several that
// match, the first counts (apt_preferences(5)).
type Preferences struct {
	pins []pin
}

// A pin gives versions a priority.
type pin struct {
	// packages are patterns of names, nil for all packages ("*").
	packages []pinned
	match    matcher
	priority int
}

// pinned is one word of a pin's Package field: "[src:]PATTERN[:ARCHITECTURE]".
type pinned struct {
	source       bool
	name         pattern
	architecture string // "" is the native one
}

// Priorities that apt gives without a pin.
const (
	priorityKept           = 1001
	priorityDefaultRelease = 990
	priorityDefault        = 500
	priorityUpgrades       = 100 // NotAutomatic with ButAutomaticUpgrades
	priorityNotAutomatic   = 1
	priorityNever          = math.MinInt16
)

// HostPreferences reads the pins of a machine as apt does: a file, then those
// in a directory, where there are such. defaultRelease is the setting
// APT::Default-Release, or "".
func HostPreferences(file, directory, defaultRelease string) (*Preferences, error) {
	p := &Preferences{}
	if defaultRelease != "" {
		if err := p.PreferRelease(defaultRelease); err != nil {
			return nil, err
		}
	}
	files := []string{file}
	parts, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) { // /dev/null means none
		return nil, fmt.Errorf("cannot read the preferences of apt: %w", err)
	}
	for _, part := range parts {
		if isPart(part.Name()) {
			files = append(files, filepath.Join(directory, part.Name()))
		}
	}
	for _, name := range files {
		if err := p.readFile(name); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// isPart reports whether apt would read a file of preferences.d: one without
// ending or with .pref, of letters, digits, "-", "_" and ".".
func isPart(name string) bool {
	base, ending := strings.CutSuffix(name, ".pref")
	if base == "" || base[0] == '.' || !ending && strings.Contains(base, ".") {
		return false
	}
	return !strings.ContainsFunc(base, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.", c))
	})
}

func (p *Preferences) readFile(name string) error {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the preferences of apt: %w", err)
	}
	defer f.Close()
	if err := p.Read(f); err != nil {
		return fmt.Errorf("cannot read %s: %w", name, err)
	}
	return nil
}

// PreferRelease pins a release as the target release: priority 990.
func (p *Preferences) PreferRelease(release string) error {
	properties, err := parseProperties(release)
	if err != nil {
		return fmt.Errorf("default release %q: %w", release, err)
	}
	p.pins = append(p.pins, pin{match: matcher{properties: properties}, priority: priorityDefaultRelease})
	return nil
}

// Read adds the pins of one file of preferences.
func (p *Preferences) Read(in io.Reader) error {
	for r := control.NewReader(in); ; {
		paragraph, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, found := paragraph.Find("Pin"); !found {
			continue // an explanation only
		}
		one, err := parsePin(paragraph)
		if err != nil {
			return err
		}
		p.pins = append(p.pins, one)
	}
}

// Keep pins a package to one version, with a priority that takes it even if a
// newer one is available (1001, see apt_preferences(5)). Neither text is a
// pattern.
func (p *Preferences) Keep(name, version, architecture string) {
	if architecture == "all" {
		architecture = "" // belongs to the native one
	}
	p.pins = append(p.pins, pin{
		packages: []pinned{{name: literal(name), architecture: architecture}}, match: matcher{version: new(literal(version))}, priority: priorityKept,
	})
}

// Append adds the pins of others, which count where none of p matches.
func (p *Preferences) Append(others *Preferences) { p.pins = append(p.pins, others.pins...) }

func parsePin(p control.Paragraph) (pin, error) {
	packages := strings.TrimSpace(p.Get("Package"))
	if packages == "" {
		return pin{}, fmt.Errorf("pin %q names no package", p.Get("Pin"))
	}
	one := pin{}
	var err error
	if one.match, err = parseMatcher(p.Get("Pin")); err != nil {
		return pin{}, fmt.Errorf("package %s: %w", packages, err)
	}
	if one.priority, err = parsePriority(p.Get("Pin-Priority"), packages); err != nil {
		return pin{}, fmt.Errorf("package %s: %w", packages, err)
	}
	if packages == "*" {
		if one.match.version != nil {
			return pin{}, fmt.Errorf("package *: a pin of all packages cannot name a version")
		}
		return one, nil
	}
	for word := range strings.FieldsSeq(packages) {
		w, err := parsePinned(word)
		if err != nil {
			return pin{}, fmt.Errorf("package %s: %w", word, err)
		}
		one.packages = append(one.packages, w)
	}
	return one, nil
}

func parsePriority(text, packages string) (int, error) {
	if text == "never" && packages == "*" {
		return priorityNever, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n == 0 || n <= math.MinInt16 || n > math.MaxInt16 {
		return 0, fmt.Errorf("priority %q is not a number from %d to %d other than 0", text, math.MinInt16+1, math.MaxInt16)
	}
	return n, nil
}

func parsePinned(word string) (w pinned, err error) {
	word, w.source = strings.CutPrefix(word, "src:")
	name := word
	if i := strings.LastIndexByte(word, ':'); i >= 0 && !strings.HasSuffix(word, "/") {
		name, w.architecture = word[:i], word[i+1:]
	}
	w.name, err = newPattern(name)
	return w, err
}

// priority returns apt's priority of a version: that of the first pin of its
// name, else the highest of the lists that offer it.
func (p *Preferences) priority(v *Version, native string) int {
	highest := priorityNever
	for _, o := range v.Offers {
		highest = max(highest, p.offerPriority(o, v.Architecture))
	}
	if highest == priorityNever {
		return highest
	}
	for _, one := range p.pins {
		if one.packages != nil && one.covers(v, native) && one.match.matches(v) {
			return one.priority
		}
	}
	return highest
}

func (p *Preferences) offerPriority(o *Offer, architecture string) int {
	priority, pinned := priorityDefault, false
	switch {
	case o.Release == nil:
	case o.Release.ButAutomaticUpgrades:
		priority = priorityUpgrades
	case o.Release.NotAutomatic:
		priority = priorityNotAutomatic
	}
	for _, one := range p.pins {
		if one.packages == nil && (!pinned || one.priority == priorityNever) && one.match.matchesOffer(o, architecture) {
			priority, pinned = one.priority, true
		}
	}
	return priority
}

// covers reports whether the pin's Package field names the version's package.
func (p pin) covers(v *Version, native string) bool {
	return slices.ContainsFunc(p.packages, func(w pinned) bool {
		name := v.Name
		if w.source {
			name = v.source()
		}
		architecture := v.Architecture
		if architecture == "all" {
			architecture = native
		}
		return w.name.MatchString(name) &&
			(w.architecture == "any" || w.architecture == architecture || w.architecture == "" && architecture == native)
	})
}
