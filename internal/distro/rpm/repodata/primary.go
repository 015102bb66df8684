package repodata

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"smith/internal/distro/rpm/relation"
)

// Limits of a package in metadata. kernel packages provide some ten thousand
// symbols.
const (
	maxRelations = 1 << 20
	maxNameSize  = 64 << 10
)

// readPrimary reads primary metadata and calls add with each package that is
// no source package.
func readPrimary(r io.Reader, add func(*Package) error) error {
	s := newScanner(r)
	if e, err := s.next(); err != nil || e != opens || s.name != "metadata" {
		return errors.Join(errors.New("not primary metadata"), noEnd(err))
	}
	for {
		e, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		switch {
		case err != nil || e == closes:
		case s.name == "package" && s.get("type") == "rpm":
			p := &Package{}
			if err = p.read(s); err == nil && p.Arch != "src" && p.Arch != "nosrc" {
				err = add(p)
			}
			if err != nil {
				err = fmt.Errorf("package %.200q: %w", p.Name, err)
			}
		default:
			err = s.skip()
		}
		if err != nil {
			return err
		}
	}
}

// read reads a <package>.
func (p *Package) read(s *scanner) error {
	for {
		e, err := s.next()
		if err != nil {
			return unexpected(err)
		}
		if e == closes {
			return p.check()
		}
		switch s.name {
		case "name":
			p.Name, err = s.content()
		case "arch":
			p.Arch, err = s.content()
		case "version":
			p.EVR, err = s.evr()
			err = errors.Join(err, s.skip())
		case "checksum":
			kind := s.get("type")
			var text string
			if text, err = s.content(); err == nil {
				p.Digest, err = sum(kind, text)
			}
		case "size":
			p.Size, p.Installed = count(s.get("package")), count(s.get("installed"))
			err = s.skip()
		case "location":
			p.Location, p.Base = s.get("href"), s.get("base")
			err = s.skip()
		case "format":
			err = p.format(s)
		default:
			err = s.skip()
		}
		if err != nil {
			return err
		}
	}
}

// count reads a number that is only used to weigh packages.
func count(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// check refuses what no package can be.
func (p *Package) check() error {
	switch {
	case p.Name == "" || p.Arch == "" || p.Version == "":
		return errors.New("it lacks a name, an architecture or a version")
	case p.Location == "" || p.Digest == "":
		return errors.New("it lacks a location or a checksum")
	}
	return nil
}

func (s *scanner) evr() (relation.EVR, error) {
	v := relation.EVR{Version: s.get("ver"), Release: s.get("rel")}
	if text := s.get("epoch"); text != "" {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return v, fmt.Errorf("<%s>: epoch %.40q", s.name, text)
		}
		v.Epoch = uint32(n)
	}
	return v, nil
}

// format reads <format>: relations and files.
func (p *Package) format(s *scanner) error {
	lists := map[string]*[]relation.Relation{
		"provides": &p.Provides, "requires": &p.Requires, "conflicts": &p.Conflicts, "obsoletes": &p.Obsoletes,
		"recommends": &p.Recommends, "suggests": &p.Suggests, "supplements": &p.Supplements, "enhances": &p.Enhances,
	}
	for {
		e, err := s.next()
		if err != nil {
			return unexpected(err)
		}
		if e == closes {
			return nil
		}
		list, ok := lists[s.name]
		switch {
		case ok:
			*list, err = s.entries(*list)
		case s.name == "file":
			var path string
			if path, err = s.content(); err == nil {
				p.Files = append(p.Files, path)
			}
		case s.name == "sourcerpm":
			p.SourceRPM, err = s.content()
		default:
			err = s.skip()
		}
		if err == nil && len(p.Files) > maxRelations {
			err = fmt.Errorf("more than %d files", maxRelations)
		}
		if err != nil {
			return err
		}
	}
}

// entries reads the <entry>s of a list of relations. What rpm itself provides
// is left out: smith reads what these features stand for.
func (s *scanner) entries(list []relation.Relation) ([]relation.Relation, error) {
	for {
		e, err := s.next()
		if err != nil {
			return nil, unexpected(err)
		}
		if e == closes {
			return list, nil
		}
		r := relation.Relation{Name: s.get("name")}
		op, known := relation.ParseOp(s.get("flags"))
		if r.Op = op; r.Op != 0 {
			r.EVR, err = s.evr()
		}
		switch {
		case err != nil:
		case !known || r.Name == "" || len(r.Name) > maxNameSize || len(list) >= maxRelations:
			err = fmt.Errorf("a relation to %.200q with the flags %.20q", r.Name, s.get("flags"))
		case !strings.HasPrefix(r.Name, "rpmlib("):
			list = append(list, r)
		}
		if err == nil {
			err = s.skip()
		}
		if err != nil {
			return nil, err
		}
	}
}
