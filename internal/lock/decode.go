package lock

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"smith/record"
)

// Decode reads a lock. Unknown keys are errors.
func Decode(data []byte) (*Lock, error) {
	var version struct {
		Version int `yaml:"version"`
	}
	if err := yaml.Load(data, &version); err != nil {
		return nil, err
	}
	var l *Lock
	var err error
	switch version.Version {
	case 1:
		l, err = decodeVersion1(data)
	case Version:
		l = &Lock{}
		err = load(data, l)
	default:
		return nil, fmt.Errorf("unsupported lock version %d (this smith reads 1 and %d)", version.Version, Version)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(l.Platforms)) {
		if err := l.Platforms[name].check(); err != nil {
			return nil, fmt.Errorf("platform %s: %w", name, err)
		}
	}
	return l, nil
}

// unknownKey matches the decoder's error about a key that a struct lacks.
var unknownKey = regexp.MustCompile(`line (\d+): field (\S+) not found in type`)

func load(data []byte, into any) error {
	err := yaml.Load(data, into, yaml.WithKnownFields())
	if err == nil {
		return nil
	}
	if unknown := unknownKey.FindStringSubmatch(err.Error()); unknown != nil {
		return fmt.Errorf("line %s: unknown key %s", unknown[1], unknown[2])
	}
	return err
}

func (p *Platform) check() error {
	if p == nil {
		return fmt.Errorf("it is empty")
	}
	if len(p.Packages) > 0 && !slices.Contains(record.Formats(), p.Family) {
		return fmt.Errorf("invalid family %.80q", p.Family)
	}
	for _, pkg := range p.Packages {
		if err := pkg.check(); err != nil {
			return err
		}
	}
	return nil
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (p Package) check() error {
	switch {
	case p.Name == "" || p.Version == "" || p.Architecture == "" || p.URL == "":
		return fmt.Errorf("package %s lacks a name, version, architecture or url", p)
	case !sha256Form.MatchString(p.SHA256):
		return fmt.Errorf("package %s: invalid sha256 %.80q", p, p.SHA256)
	case p.Size < 0:
		return fmt.Errorf("package %s: invalid size %d", p, p.Size)
	}
	return nil
}

// decodeVersion1 reads the first format of the file, in which the requests were
// a list of texts, some of them with a prefix, and no family was named.
func decodeVersion1(data []byte) (*Lock, error) {
	var old struct {
		Version   int `yaml:"version"`
		Platforms map[string]*struct {
			Requests []string  `yaml:"requests"`
			Packages []Package `yaml:"packages"`
			Images   []Image   `yaml:"images"`
		} `yaml:"platforms"`
	}
	if err := load(data, &old); err != nil {
		return nil, err
	}
	l := &Lock{Version: Version, Platforms: map[string]*Platform{}}
	for name, p := range old.Platforms {
		if p == nil {
			l.Platforms[name] = nil
			continue
		}
		one := &Platform{Packages: p.Packages, Images: p.Images, Requests: requestsOfVersion1(p.Requests)}
		if len(p.Packages) > 0 {
			one.Family = familyOf(p.Packages)
		}
		l.Platforms[name] = one
	}
	return l, nil
}

func requestsOfVersion1(all []string) Requests {
	var r Requests
	for _, text := range all {
		prefix, name, _ := strings.Cut(text, ": ")
		switch {
		case text == "recommends: true":
			r.Recommends = true
		case text == "debuginfo: true":
			r.DebugInfo = true
		case prefix == "module":
			r.Modules = append(r.Modules, name)
		case prefix == "debugdeps":
			r.DebugDeps = append(r.DebugDeps, name)
		default:
			r.Packages = append(r.Packages, text)
		}
	}
	r.Sort()
	return r
}

// familyOf returns the family of packages by the names of their files: locks of
// version 1 were written of Debian and RPM packages only.
func familyOf(all []Package) record.Format {
	for _, p := range all {
		name := p.URL
		if u, err := url.Parse(p.URL); err == nil {
			name = u.Path
		}
		if strings.HasSuffix(name, ".rpm") {
			return record.FormatRPM
		}
	}
	return record.FormatDeb
}
