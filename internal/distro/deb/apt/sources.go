package apt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"smith/internal/distro/deb/control"
)

// An entry is one line or paragraph of sources.list(5): what it holds once
// every address and suite is paired. Options are by their deb822 names in lower
// case.
type entry struct {
	types, uris, suites, components []string
	options                         map[string]string
	where                           string
}

// shortOptions are the options of the one-line style by their deb822 names
// (sources.list(5), "THE DEB AND DEB-SRC TYPES: OPTIONS").
var shortOptions = map[string]string{"arch": "architectures"}

// parseLines reads a file of the one-line style.
func parseLines(name, text string) ([]entry, error) {
	var all []entry
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		e, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		e.where = fmt.Sprintf("%s:%d", name, number)
		all = append(all, e)
	}
	return all, nil
}

var lineForm = regexp.MustCompile(`^(\S+)\s+(?:\[([^\]]*)\]\s*)?(.*)$`)

func parseLine(line string) (entry, error) {
	m := lineForm.FindStringSubmatch(line)
	var words []string
	if m != nil {
		words = strings.Fields(m[3])
	}
	if len(words) < 2 {
		return entry{}, fmt.Errorf("%.80q is not TYPE [OPTIONS] URI SUITE COMPONENT…", withoutPassword(line))
	}
	e := entry{types: []string{m[1]}, uris: words[:1], suites: words[1:2], components: words[2:], options: map[string]string{}}
	for _, option := range strings.Fields(m[2]) {
		key, value, found := strings.Cut(option, "=")
		if !found {
			return entry{}, fmt.Errorf("option %.80q has no value", withoutPassword(option))
		}
		e.options[longOption(strings.ToLower(key))] = unquote(value)
	}
	return e, nil
}

// loginForm matches what stands before the host in an address, also in one
// that is not valid.
var loginForm = regexp.MustCompile(`//[^\s/]*@`)

// withoutPassword hides users and passwords in a text that could not be read.
func withoutPassword(text string) string { return loginForm.ReplaceAllString(text, "//…@") }

func longOption(short string) string {
	if long := shortOptions[short]; long != "" {
		return long
	}
	return short
}

// parseParagraphs reads a file of the deb822 style.
func parseParagraphs(name, text string) ([]entry, error) {
	var all []entry
	r := control.NewReader(strings.NewReader(text))
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if enabled := p.Get("Enabled"); enabled != "" && !yes(enabled) {
			continue
		}
		e := entry{
			types: strings.Fields(p.Get("Types")), uris: strings.Fields(p.Get("URIs")),
			suites: strings.Fields(p.Get("Suites")), components: strings.Fields(p.Get("Components")),
			options: map[string]string{}, where: name,
		}
		for _, f := range p {
			e.options[strings.ToLower(f.Name)] = f.Value
		}
		if len(e.uris) == 0 || len(e.suites) == 0 {
			return nil, fmt.Errorf("%s: a paragraph lacks URIs or Suites", name)
		}
		all = append(all, e)
	}
}

// list returns an option that is a list, by spaces or commas.
func (e entry) list(name string) []string {
	return strings.FieldsFunc(e.options[name], func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' })
}

// sources pairs each address with each suite.
func (e entry) sources(conf Conf, architecture string) ([]*Source, error) {
	if !slices.Contains(e.types, "deb") {
		return nil, nil
	}
	var all []*Source
	for _, uri := range e.uris {
		for _, suite := range e.suites {
			s := &Source{
				Mirrors: []string{expand(uri, architecture)}, Suite: expand(suite, architecture),
				Components: e.components, Architectures: e.list("architectures"), Where: e.where,
				Trusted: yes(e.options["trusted"]), ByHash: e.byHash(conf),
				AnyDate:   !e.bool("check-valid-until", conf.bool("Acquire::Check-Valid-Until", true)),
				NoClock:   !e.bool("check-date", conf.bool("Acquire::Check-Date", true)),
				MaxFuture: e.seconds("date-max-future", conf.seconds("Acquire::Max-FutureTime")),
				MinValid:  e.seconds("valid-until-min", conf.seconds("Acquire::Min-ValidTime")),
				MaxValid:  e.seconds("valid-until-max", conf.seconds("Acquire::Max-ValidTime")),
			}
			if flat := strings.HasSuffix(s.Suite, "/"); flat != (len(s.Components) == 0) {
				return nil, fmt.Errorf("%s: suite %q: a suite has components; a directory, which ends in /, has none", e.where, suite)
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// expand puts the machine's architecture where $(ARCH) stands.
func expand(text, architecture string) string {
	return strings.ReplaceAll(text, "$(ARCH)", architecture)
}

func (e entry) bool(name string, byDefault bool) bool {
	if text := e.options[name]; text != "" {
		return yes(text)
	}
	return byDefault
}

func (e entry) seconds(name string, byDefault time.Duration) time.Duration {
	if text := e.options[name]; text != "" {
		return seconds(text)
	}
	return byDefault
}

func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

func (e entry) byHash(conf Conf) string {
	text := e.options["by-hash"]
	if text == "" {
		text = conf.Get("Acquire::By-Hash")
	}
	switch {
	case text == "force":
		return "force"
	case text != "" && !yes(text):
		return "no"
	}
	return ""
}

// Address reads the base address of a repository: its form without a user and
// password, and those, which are "" where it has none.
func Address(text string) (plain, user, password string, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		return "", "", "", errors.New("not an address such as http://mirror.example.org/debian")
	}
	if u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file" {
		return "", "", "", fmt.Errorf("%s: addresses are known: http, https and file are", u.Scheme)
	}
	if u.User != nil {
		user = u.User.Username()
		password, _ = u.User.Password()
		u.User = nil
	}
	if u.Opaque != "" { // file:/path and file:path are the same to apt
		u.Path, u.Opaque = u.Opaque, ""
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return u.String(), user, password, nil
}

// embeddedKey is a Signed-By that holds the key itself (sources.list(5)): each
// line begins with a space, and an empty one is " .".
func embeddedKey(value string) []byte {
	if !strings.Contains(value, "-----BEGIN PGP PUBLIC KEY BLOCK-----") {
		return nil
	}
	var key bytes.Buffer
	for line := range strings.Lines(value) {
		line = strings.TrimSpace(line)
		if line == "." {
			line = ""
		}
		key.WriteString(line + "\n")
	}
	return key.Bytes()
}
