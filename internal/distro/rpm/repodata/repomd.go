package repodata

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// A Repomd is a repository's repomd.xml: which metadata it has.
type Repomd struct {
	// Revision is what the repository calls this state of itself.
	Revision string
	// Timestamp is the newest of the metadata's, in seconds.
	Timestamp int64
	// Data are the metadata files by type: "primary", "filelists", "modules".
	Data map[string]Data
}

// Data is a metadata file of a repository.
type Data struct {
	// Location is the address, relative to the repository, or to Base.
	Location string
	Base     string // an address of its own, usually ""
	Digest   digest.Digest
	Size     int64 // 0 if unknown
	// OpenSize is the size of the plain bytes, 0 if unknown.
	OpenSize int64
}

// maxData bounds how many metadata files a repository has.
const maxData = 1000

// ParseRepomd reads a repomd.xml.
func ParseRepomd(data []byte) (*Repomd, error) {
	s, md := newScanner(bytes.NewReader(data)), &Repomd{Data: map[string]Data{}}
	e, err := s.next()
	if err != nil || e != opens || s.name != "repomd" {
		return nil, errors.Join(errors.New("not a repomd.xml file"), noEnd(err))
	}
	for {
		e, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		switch {
		case err != nil:
		case e == opens && s.name == "revision":
			md.Revision, err = s.content()
		case e == opens && s.name == "data":
			err = md.read(s, s.get("type"))
		case e == opens:
			err = s.skip()
		}
		if err == nil && len(md.Data) > maxData {
			err = fmt.Errorf("more than %d kinds of metadata", maxData)
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read repomd.xml: %w", err)
		}
	}
	if md.Data["primary"].Location == "" {
		return nil, errors.New("cannot read repomd.xml: it names no primary metadata")
	}
	return md, nil
}

func noEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (md *Repomd) read(s *scanner, kind string) error {
	var d Data
	for {
		e, err := s.next()
		if err != nil {
			return unexpected(err)
		}
		if e == closes {
			md.Data[kind] = d
			return nil
		}
		name := s.name
		switch name {
		case "location":
			d.Location, d.Base = s.get("href"), s.get("base")
			err = s.skip()
		case "checksum":
			kind := s.get("type")
			var text string
			if text, err = s.content(); err == nil {
				d.Digest, err = sum(kind, text)
			}
		case "size", "open-size", "timestamp":
			var text string
			if text, err = s.content(); err == nil {
				err = d.number(md, name, text)
			}
		default:
			err = s.skip()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
}

func (d *Data) number(md *Repomd, name, text string) error {
	// A timestamp may have a fraction.
	n, err := strconv.ParseInt(strings.SplitN(text, ".", 2)[0], 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("<%s> is %.40q", name, text)
	}
	switch name {
	case "size":
		d.Size = n
	case "open-size":
		d.OpenSize = n
	case "timestamp":
		md.Timestamp = max(md.Timestamp, n)
	}
	return nil
}

// ErrWeak says that metadata vouches with a sum that can be forged.
var ErrWeak = errors.New("its checksums are too weak; the repository must be made with --checksum sha256")

// sum reads a checksum. SHA-1, "sha" in old metadata, is not accepted.
func sum(kind, text string) (digest.Digest, error) {
	if slices.Contains([]string{"sha", "sha1", "md5", "sha224"}, kind) {
		return "", ErrWeak
	}
	d := digest.NewDigestFromEncoded(digest.Algorithm(kind), strings.ToLower(text))
	if err := d.Validate(); err != nil {
		return "", fmt.Errorf("checksum %.20s:%.140q: %w", kind, text, err)
	}
	return d, nil
}
