package fetch

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A Netrc is the users and passwords of a file such as ~/.netrc (the format
// of ftp(1)) or apt's auth.conf (apt_auth.conf(5)).
type Netrc []machine

var _ Logins = Netrc(nil)

// A machine is one entry.
type machine struct {
	scheme, host, path string // scheme and path may be ""; host "" is any
	user, password     string
}

// ParseAuthConf reads apt's auth.conf. An entry that names no scheme is for
// https only, so that no password goes over the network in the clear.
func ParseAuthConf(data []byte) Netrc {
	n := ParseNetrc(data)
	for i := range n {
		if n[i].scheme == "" {
			n[i].scheme = "https"
		}
	}
	return n
}

// ParseNetrc reads entries. A machine is a host, or with apt's additions
// [SCHEME://]HOST[:PORT][/PATH]. What it does not understand it leaves out, as
// every reader of the format does.
func ParseNetrc(data []byte) Netrc {
	var n Netrc
	words := strings.Fields(withoutMacros(string(data)))
	for i := 0; i < len(words); i++ {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch words[i] {
		case "machine":
			n = append(n, parseMachine(next))
		case "default":
			n = append(n, machine{})
			continue
		case "login":
			if len(n) > 0 {
				n[len(n)-1].user = next
			}
		case "password":
			if len(n) > 0 {
				n[len(n)-1].password = next
			}
		case "account":
		default:
			continue
		}
		i++
	}
	return n
}

// withoutMacros takes out comments, and macros: from macdef to an empty line.
func withoutMacros(text string) string {
	var out strings.Builder
	macro := false
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "macdef "):
			macro = true
		case trimmed == "":
			macro = false
		case !macro && !strings.HasPrefix(trimmed, "#"):
			out.WriteString(line)
		}
	}
	return out.String()
}

func parseMachine(text string) machine {
	var m machine
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		m.scheme, text = scheme, rest
	}
	m.host = text
	if at := strings.IndexByte(text, '/'); at >= 0 {
		m.host, m.path = text[:at], text[at:]
	}
	return m
}

// Login returns the first entry that is for an address.
func (n Netrc) Login(address *url.URL) (user, password string, ok bool) {
	for _, m := range n {
		if m.user != "" && m.fits(address) {
			return m.user, m.password, true
		}
	}
	return "", "", false
}

func (m machine) fits(u *url.URL) bool {
	switch {
	case m.scheme != "" && m.scheme != u.Scheme:
		return false
	case m.host != "" && !strings.EqualFold(m.host, u.Host) && !strings.EqualFold(m.host, u.Hostname()):
		return false
	}
	path := strings.TrimSuffix(m.path, "/")
	return path == "" || u.Path == path || strings.HasPrefix(u.Path, path+"/")
}

// NewLogin returns the entry that gives a user and password to all addresses
// that begin so.
func NewLogin(address, user, password string) Netrc {
	m := parseMachine(address)
	m.user, m.password = user, password
	return Netrc{m}
}

// UserLogins reads the user's netrc: the file that NETRC names, else ~/.netrc
// (~/_netrc on Windows). Without one, no login is used.
func UserLogins() (Netrc, error) {
	file := os.Getenv("NETRC")
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, nil //nolint:nilerr // no home, no netrc
		}
		name := ".netrc"
		if runtime.GOOS == "windows" {
			name = "_netrc"
		}
		file = filepath.Join(home, name)
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return ParseNetrc(data), err
}
