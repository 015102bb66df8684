package repodata

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// maxMirrors bounds the mirrors that are kept of a list.
const maxMirrors = 50

// A Metalink names the mirrors of a repository, and its repomd.xml.
type Metalink struct {
	// Mirrors are the addresses of the repository, the best first.
	Mirrors []string
	// Digests are those of the repomd.xml files that it vouches for: of now,
	// and of some time before.
	Digests []digest.Digest
}

// repomdPath is where a repository has its repomd.xml.
const repomdPath = "repodata/repomd.xml"

// ParseMetalink reads a metalink (RFC 5854's predecessor, version 3, as
// MirrorManager writes it).
func ParseMetalink(data []byte) (*Metalink, error) {
	s := newScanner(bytes.NewReader(data))
	if e, err := s.next(); err != nil || e != opens || s.name != "metalink" {
		return nil, errors.Join(errors.New("not a metalink"), noEnd(err))
	}
	type mirror struct {
		address    string
		preference int
	}
	var mirrors []mirror
	m := &Metalink{}
	for {
		e, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		switch {
		case err != nil || e == closes:
		case s.name == "file" && s.get("name") != "repomd.xml":
			err = s.skip()
		case s.name == "hash":
			kind := s.get("type")
			var text string
			if text, err = s.content(); err == nil {
				if d, weak := sum(kind, text); weak == nil {
					m.Digests = append(m.Digests, d)
				}
			}
		case s.name == "url":
			preference, _ := strconv.Atoi(s.get("preference"))
			var text string
			if text, err = s.content(); err == nil {
				if base, ok := strings.CutSuffix(text, repomdPath); ok && usable(base) {
					mirrors = append(mirrors, mirror{base, preference})
				}
			}
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read the metalink: %w", err)
		}
	}
	slices.SortStableFunc(mirrors, func(a, b mirror) int { return b.preference - a.preference })
	for _, one := range mirrors[:min(len(mirrors), maxMirrors)] {
		m.Mirrors = append(m.Mirrors, one.address)
	}
	if len(m.Mirrors) == 0 || len(m.Digests) == 0 {
		return nil, errors.New("the metalink names no mirror by http, https or file, or no digest of repomd.xml")
	}
	return m, nil
}

// ParseMirrorlist reads a list of mirrors, an address a line.
func ParseMirrorlist(data []byte) ([]string, error) {
	var mirrors []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); usable(line) && len(mirrors) < maxMirrors {
			mirrors = append(mirrors, strings.TrimSuffix(line, "/")+"/")
		}
	}
	if len(mirrors) == 0 {
		return nil, errors.New("the list names no mirror by http, https or file")
	}
	return mirrors, nil
}

func usable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "file")
}
