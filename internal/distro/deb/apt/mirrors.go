package apt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// mirrorList takes an address apart that stands for a list of mirrors
// (apt-transport-mirror(1)): the scheme by which the list is read, "file",
// "http" or "https", and where it is; "" for any other address.
func mirrorList(address string) (scheme, at string) {
	at, found := strings.CutPrefix(address, "mirror+")
	if !found {
		rest, old := strings.CutPrefix(address, "mirror:")
		if !old {
			return "", ""
		}
		at = "http:" + rest
	}
	scheme, _, _ = strings.Cut(at, ":")
	return scheme, at
}

// parseMirrors reads a list of mirrors: addresses, a line each, with what is
// said of them behind. They are returned by their priority, those of one in the
// order of the list. What a mirror is said to have only is not heeded: it is
// passed over where it lacks a file.
func parseMirrors(text string) ([]string, error) {
	type mirror struct {
		address  string
		priority uint64
	}
	var mirrors []mirror
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		m := mirror{words[0], math.MaxUint64}
		for _, word := range words[1:] {
			if number, ok := strings.CutPrefix(word, "priority:"); ok {
				if n, err := strconv.ParseUint(number, 10, 64); err == nil {
					m.priority = n
				}
			}
		}
		mirrors = append(mirrors, m)
	}
	if len(mirrors) == 0 {
		return nil, errors.New("the list of mirrors names none")
	}
	slices.SortStableFunc(mirrors, func(a, b mirror) int { return cmp.Compare(a.priority, b.priority) })
	var all []string
	for _, m := range mirrors {
		all = append(all, m.address)
	}
	return all, nil
}

// maxMirrors bounds how many mirrors of a list are asked.
const maxMirrors = 20

// expand asks the list of mirrors of a source, where it has one. Whoever writes
// it may say where files are and not what is in them; still it names no files
// of this machine.
func (o *Opener) expand(ctx context.Context, s *Source) error {
	if s.List == "" {
		return nil
	}
	page, err := o.Fetch.Page(ctx, s.List)
	if err != nil {
		return err
	}
	addresses, err := parseMirrors(string(page.Data))
	if err != nil {
		return fmt.Errorf("%s: %w", s.List, err)
	}
	for _, address := range addresses {
		plain, _, _, err := Address(address)
		if u, _ := url.Parse(plain); err != nil || u == nil || u.Scheme == "file" {
			o.Events.Note(fmt.Sprintf("%s: %.100q is left out of the mirrors", s, address))
			continue
		}
		if s.Mirrors = append(s.Mirrors, plain); len(s.Mirrors) == maxMirrors {
			break
		}
	}
	if len(s.Mirrors) == 0 {
		return fmt.Errorf("%s: no mirror in the list can be used", s.List)
	}
	return nil
}
