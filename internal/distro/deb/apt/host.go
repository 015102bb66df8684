package apt

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strings"

	"smith/internal/distro/openpgp"
	"smith/internal/event"
	"smith/internal/network/fetch"
)

// A Host is what a machine's apt is configured to do.
type Host struct {
	// Sources are those of sources.list and sources.list.d that can be used.
	Sources []*Source
	// Logins are those of auth.conf, auth.conf.d and of addresses.
	Logins fetch.Netrc
	// Conf is what apt.conf and apt.conf.d set.
	Conf Conf

	root    string
	events  event.Listener
	trusted *openpgp.Keyring            // of trusted.gpg.d, read when first needed
	files   map[string]*openpgp.Keyring // others that were read
}

// maxIncluded bounds how deep files of settings may include each other.
const maxIncluded = 10

// maxConfiguration bounds a file of apt's configuration.
const maxConfiguration = 8 << 20

// ReadHost reads the configuration of apt under a root directory, "/" for this
// machine's. It runs no apt. architecture is what apt would call the machine's
// own: "amd64". What a source needs that is not known is warned of, and the
// source left out.
func ReadHost(root, architecture string, events event.Listener) (*Host, error) {
	dir := filepath.Join(root, "etc", "apt")
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("this machine (%s) has no apt sources: %s does not exist; name repositories in smith.yaml: "+
			"repositories: [{deb: http://mirror.example.org/debian, suites: [stable], components: [main], signed-by: FILE}]", runtime.GOOS, dir)
	}
	h := &Host{Conf: Conf{}, root: root, events: events, files: map[string]*openpgp.Keyring{}}
	if err := h.readConf(); err != nil {
		return nil, err
	}
	if err := h.readLogins(); err != nil {
		return nil, err
	}
	entries, err := h.readEntries()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		sources, err := e.sources(h.Conf, architecture)
		if err != nil {
			return nil, err
		}
		for _, s := range sources {
			if err := h.complete(s, e); err != nil {
				events.Warn(fmt.Sprintf("%s: repository %s is left out: %v", s.Where, s.Suite, err))
				continue
			}
			h.Sources = append(h.Sources, s)
		}
	}
	if len(h.Sources) == 0 {
		return nil, fmt.Errorf("%s names no repository of packages that can be used; name some in smith.yaml with the key repositories", dir)
	}
	return h, nil
}

// etcNames are what apt's files and directories are called, by the last part of the
// setting under Dir::Etc that says otherwise (apt.conf(5), "DIRECTORIES").
var etcNames = map[string]string{
	"main": "apt.conf", "parts": "apt.conf.d", "sourcelist": "sources.list", "sourceparts": "sources.list.d",
	"preferences": "preferences", "preferencesparts": "preferences.d", "netrc": "auth.conf", "netrcparts": "auth.conf.d",
	"trusted": "trusted.gpg", "trustedparts": "trusted.gpg.d",
}

// etc returns where a file or directory of apt's lies. Where the settings say that
// there is none, nothing lies there.
func (h *Host) etc(name string) string {
	at := cmp.Or(h.Conf.Get("Dir::Etc::"+name), etcNames[name])
	for _, above := range []string{cmp.Or(h.Conf.Get("Dir::Etc"), "etc/apt"), cmp.Or(h.Conf.Get("Dir"), "/")} {
		if !path.IsAbs(at) {
			at = path.Join(above, at)
		}
	}
	return filepath.Join(h.root, filepath.FromSlash(at))
}

// parts returns the files that apt reads of a directory: those with one of the
// suffixes, in the order of their names.
func parts(directory string, suffixes ...string) ([]string, error) {
	if info, err := os.Stat(directory); err == nil && !info.IsDir() {
		return nil, nil // /dev/null means none
	}
	entries, err := os.ReadDir(directory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var files []string
	for _, e := range entries {
		if name := e.Name(); partForm.MatchString(name) && slices.Contains(suffixes, filepath.Ext(name)) {
			files = append(files, filepath.Join(directory, name))
		}
	}
	sort.Strings(files)
	return files, err
}

// partForm is what apt asks of names in its directories.
var partForm = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// read returns a file, "" where it does not exist.
func read(path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() { // such as /dev/null
		return "", nil
	}
	if err == nil && info.Size() > maxConfiguration {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxConfiguration)
	}
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	return string(data), err
}

func (h *Host) readConf() error {
	// apt.conf(5), "DESCRIPTION": the file that APT_CONFIG names comes first, and
	// may say where the others are.
	var err error
	if own := os.Getenv("APT_CONFIG"); own != "" && h.isMachine() {
		err = h.readConfFile(own, 0)
	}
	files, failed := parts(h.etc("parts"), "", ".conf")
	err = errors.Join(err, failed)
	for _, file := range append(files, h.etc("main")) {
		err = errors.Join(err, h.readConfFile(file, 0))
	}
	return err
}

// isMachine reports whether the root is that of this machine.
func (h *Host) isMachine() bool {
	return h.root == "" || filepath.Clean(h.root) == string(filepath.Separator)
}

// Connection returns how a mirror is talked to: what Acquire::https says for
// its host or for all (apt-transport-https(1)).
func (h *Host) Connection(address string) (fetch.Connection, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return fetch.Connection{}, nil //nolint:nilerr // reported when it is fetched
	}
	get := func(name string) string {
		return cmp.Or(h.Conf.Get("Acquire::https::"+u.Hostname()+"::"+name), h.Conf.Get("Acquire::https::"+name))
	}
	for _, name := range []string{"CRLFile", "IssuerCert", "CAPath"} {
		if get(name) != "" {
			return fetch.Connection{}, fmt.Errorf("smith does not support apt's setting Acquire::https::%s: unset it, or list the repository in smith.yaml", name)
		}
	}
	c := fetch.Connection{CAFile: h.rooted(get("CaInfo")), CertFile: h.rooted(get("SslCert")), KeyFile: h.rooted(get("SslKey"))}
	if text := get("Verify-Peer"); text != "" && !yes(text) {
		c.Insecure = true
	} else if text := get("Verify-Host"); text != "" && !yes(text) {
		return c, errors.New("smith does not support apt's setting Acquire::https::Verify-Host without Verify-Peer: unset it, or set both to false")
	}
	return c, nil
}

// rooted returns a path below the root.
func (h *Host) rooted(name string) string {
	if name == "" {
		return ""
	}
	return filepath.Join(h.root, name)
}

// readConfFile reads a file and those that it includes.
func (h *Host) readConfFile(file string, depth int) error {
	text, err := read(file)
	h.Conf.Parse(text, func(name string) {
		if depth == maxIncluded {
			err = errors.Join(err, fmt.Errorf("%s: more than %d files include each other", file, maxIncluded))
			return
		}
		included := []string{filepath.Join(h.root, name)}
		if strings.HasSuffix(name, "/") {
			var failed error
			included, failed = parts(included[0], "", ".conf")
			err = errors.Join(err, failed)
		}
		for _, file := range included {
			err = errors.Join(err, h.readConfFile(file, depth+1))
		}
	})
	return err
}

// readLogins takes what it may read: auth.conf is often root's alone.
func (h *Host) readLogins() error {
	files, err := parts(h.etc("netrcparts"), "", ".conf")
	for _, file := range append(files, h.etc("netrc")) {
		text, readErr := read(file)
		if errors.Is(readErr, fs.ErrPermission) {
			h.events.Note(fmt.Sprintf("%s is not readable: going on without the passwords in it", file))
			continue
		}
		err = errors.Join(err, readErr)
		h.Logins = append(h.Logins, fetch.ParseAuthConf([]byte(text))...)
	}
	return err
}

func (h *Host) readEntries() ([]entry, error) {
	files, err := parts(h.etc("sourceparts"), ".list", ".sources")
	if err != nil {
		return nil, err
	}
	var all []entry
	for _, file := range append([]string{h.etc("sourcelist")}, files...) {
		text, err := read(file)
		if err != nil {
			return nil, err
		}
		parse := parseLines
		if strings.HasSuffix(file, ".sources") {
			parse = parseParagraphs
		}
		entries, err := parse(file, text)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	return all, nil
}

// complete settles the addresses and the keys of a source.
func (h *Host) complete(s *Source, e entry) error {
	if err := h.settleMirrors(s); err != nil {
		return err
	}
	if s.Trusted {
		h.events.Warn(fmt.Sprintf("%s: repository %s is trusted without a signature", s.Where, s))
		return nil
	}
	var err error
	s.Keys, err = h.keys(e.options["signed-by"])
	return err
}

// settleMirrors takes user and password out of a source's address. A list of
// mirrors on this machine is read, one in the network named.
func (h *Host) settleMirrors(s *Source) error {
	configured := s.Mirrors[0]
	s.Mirrors = nil
	addresses := []string{configured}
	switch scheme, at := mirrorList(configured); scheme {
	case "":
	case "file":
		text, err := read(filepath.Join("/", strings.TrimPrefix(at, "file:")))
		if err == nil {
			addresses, err = parseMirrors(text)
		}
		if err != nil {
			return err
		}
	default:
		plain, user, password, err := Address(at)
		s.List = strings.TrimSuffix(plain, "/")
		h.login(s.List, user, password)
		return err
	}
	for _, address := range addresses {
		plain, user, password, err := Address(address)
		if err != nil {
			return err
		}
		h.login(plain, user, password)
		s.Mirrors = append(s.Mirrors, plain)
	}
	return nil
}

// login keeps the user and password that stood in an address.
func (h *Host) login(address, user, password string) {
	if user != "" {
		h.Logins = append(h.Logins, fetch.NewLogin(address, user, password)...)
	}
}

var fingerprintForm = regexp.MustCompile(`^[0-9A-Fa-f]{40,64}!?$`)

// keys returns the keys that Signed-By names: files, fingerprints of keys in
// trusted.gpg.d, or the key itself. Without one it is all of trusted.gpg.d.
func (h *Host) keys(signedBy string) (*openpgp.Keyring, error) {
	if key := embeddedKey(signedBy); key != nil {
		return openpgp.ReadKeyring(key)
	}
	var files, fingerprints []string
	for _, word := range strings.FieldsFunc(signedBy, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' }) {
		if fingerprintForm.MatchString(word) {
			fingerprints = append(fingerprints, strings.TrimSuffix(word, "!"))
		} else {
			files = append(files, word)
		}
	}
	all := openpgp.Join()
	for _, file := range files {
		if h.files[file] == nil {
			k, err := ReadKeys(file)
			if err != nil {
				return nil, err
			}
			h.files[file] = k
		}
		all = openpgp.Join(all, h.files[file])
	}
	switch {
	case len(files) > 0 && len(fingerprints) > 0:
		return all.Only(fingerprints...), nil
	case len(files) > 0:
		return all, nil
	case len(fingerprints) > 0:
		return h.Trusted().Only(fingerprints...), nil
	}
	return h.Trusted(), nil
}

// ReadKeys reads a file of keys.
func ReadKeys(file string) (*openpgp.Keyring, error) {
	text, err := read(file)
	if err == nil && text == "" {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys in %s: %w", file, err)
	}
	k, err := openpgp.ReadKeyring([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return k, nil
}

// Trusted returns the keys of trusted.gpg and trusted.gpg.d, which vouch for
// sources that name none. A file that is no keyring is reported and left out.
func (h *Host) Trusted() *openpgp.Keyring {
	if h.trusted != nil {
		return h.trusted
	}
	h.trusted = openpgp.Join()
	files, err := parts(h.etc("trustedparts"), ".gpg", ".asc")
	if err != nil {
		h.events.Warn(err.Error())
	}
	for _, file := range append(files, h.etc("trusted")) {
		if _, err := os.Stat(file); err != nil {
			continue
		}
		k, err := ReadKeys(file)
		if err != nil {
			h.events.Note(err.Error())
			continue
		}
		h.trusted = openpgp.Join(h.trusted, k)
	}
	return h.trusted
}

// Proxy chooses what apt.conf says, for a host or a scheme ("DIRECT" is none),
// else what the environment says.
func (h *Host) Proxy(r *http.Request) (*url.URL, error) {
	scheme := "Acquire::" + r.URL.Scheme + "::Proxy"
	for _, name := range []string{scheme + "::" + r.URL.Hostname(), scheme} {
		switch text := h.Conf.Get(name); {
		case text == "":
		case strings.EqualFold(text, "DIRECT"):
			return nil, nil
		default:
			return url.Parse(text)
		}
	}
	return http.ProxyFromEnvironment(r)
}

// AllKeys returns the keys that vouch for any source of the machine.
func (h *Host) AllKeys() *openpgp.Keyring {
	all := h.Trusted()
	for _, s := range h.Sources {
		if s.Keys != nil {
			all = openpgp.Join(all, s.Keys)
		}
	}
	return all
}

// Preferences are the machine's pins and its default release.
func (h *Host) Preferences() (*Preferences, error) {
	return HostPreferences(h.etc("preferences"), h.etc("preferencesparts"), h.Conf.Get("APT::Default-Release"))
}
