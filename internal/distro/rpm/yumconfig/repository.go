package yumconfig

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"smith/internal/network/fetch"
)

// A Repository is one of RPM packages, as its configuration has it, variables
// replaced.
type Repository struct {
	// ID is the section's name, or what stands for it.
	ID string
	// BaseURLs are addresses that hold the same; Mirrorlist and Metalink those
	// of lists of such.
	BaseURLs             []string
	Mirrorlist, Metalink string
	// Keys are files or addresses of OpenPGP keys, or keys themselves.
	Keys []string
	// GPGCheck and RepoGPGCheck say whether packages and metadata must be
	// signed by one of them.
	GPGCheck, RepoGPGCheck bool
	// Priority and Cost prefer lower numbers.
	Priority, Cost int
	// Exclude and Include are packages to leave out, and the only ones to take.
	Exclude, Include []string
	// ModuleHotfixes keeps its packages on offer beside those of modules.
	ModuleHotfixes bool
	// Optional says that the build goes on where the repository is not there.
	Optional bool
	// Debug says that the repository is disabled, and stands beside an enabled
	// one with the debug information of its packages: it is asked only for
	// such. Invalid is why it cannot be, or nil.
	Debug   bool
	Invalid error
	// Connection is how its servers are talked to.
	Connection fetch.Connection
	// Where names the place for the reader.
	Where string
}

// Replace replaces the variables in the addresses of a repository that comes
// from elsewhere than a configuration file.
func (r *Repository) Replace(variables Variables) error {
	o := options{variables: variables}
	r.BaseURLs = slices.Clone(r.BaseURLs)
	for i, address := range r.BaseURLs {
		r.BaseURLs[i] = strings.TrimSuffix(o.replaced(address), "/") + "/"
	}
	r.Mirrorlist, r.Metalink = o.replaced(r.Mirrorlist), o.replaced(r.Metalink)
	if o.err != nil {
		return fmt.Errorf("%s: %w", r.Where, o.err)
	}
	return nil
}

// dnf's defaults.
const (
	DefaultPriority = 99
	DefaultCost     = 1000
)

// Repositories returns the enabled repositories of some sections, of which
// main, where it is not nil, gives defaults, and those with Debug.
func Repositories(sections []*Section, main *Section, variables Variables, where string) ([]Repository, error) {
	all, err := read(sections, main, variables, where)
	return offered(all), err
}

// A configured repository may be disabled.
type configured struct {
	Repository
	enabled bool
}

func read(sections []*Section, main *Section, variables Variables, where string) ([]configured, error) {
	var all []configured
	for _, s := range sections {
		if s.Name == "main" {
			continue
		}
		r, err := s.repository(main, variables)
		if err != nil {
			err = fmt.Errorf("line %d: repository %s: %w", s.Line, s.Name, err)
		}
		if err != nil && r.enabled {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		r.Where, r.Invalid = fmt.Sprintf("%s: %s", where, s.Name), err
		all = append(all, r)
	}
	return all, nil
}

// offered returns the enabled repositories, and behind them the disabled ones
// that have the debug information of their packages, as dnf debuginfo-install
// enables them.
func offered(all []configured) []Repository {
	var enabled, debug []Repository
	for _, r := range all {
		if r.enabled {
			enabled = append(enabled, r.Repository)
		}
	}
	for _, r := range all {
		if !r.enabled && slices.ContainsFunc(enabled, func(e Repository) bool { return slices.Contains(companions(e.ID), r.ID) }) {
			r.Debug, r.Optional = true, true
			debug = append(debug, r.Repository)
		}
	}
	return append(enabled, debug...)
}

// companions are how repositories with the debug information of one are
// called: RHEL's "x-rpms" has "x-debug-rpms".
func companions(id string) []string {
	names := []string{id + "-debuginfo", id + "-debug"}
	if base, ok := strings.CutSuffix(id, "-rpms"); ok {
		names = append(names, base+"-debug-rpms")
	}
	return names
}

func (s *Section) repository(main *Section, variables Variables) (configured, error) {
	o := options{section: s, main: main, variables: variables}
	enabled := o.boolean("enabled", true)
	r := Repository{
		ID: o.replaced(s.Name), BaseURLs: List(o.text("baseurl")), Mirrorlist: o.text("mirrorlist"), Metalink: o.text("metalink"),
		GPGCheck: o.boolean("gpgcheck", o.boolean("pkg_gpgcheck", true)), RepoGPGCheck: o.boolean("repo_gpgcheck", false),
		Priority: o.number("priority", DefaultPriority), Cost: o.number("cost", DefaultCost),
		Exclude: List(o.text("excludepkgs") + " " + o.text("exclude")), Include: List(o.text("includepkgs")),
		ModuleHotfixes: o.boolean("module_hotfixes", false), Optional: o.boolean("skip_if_unavailable", false),
		Keys: keys(o.text("gpgkey")), Connection: o.connection(),
	}
	if main != nil {
		r.Exclude = append(r.Exclude, List(main.Options["excludepkgs"]+" "+main.Options["exclude"])...)
		r.Include = append(r.Include, List(main.Options["includepkgs"])...)
	}
	o.refuse()
	for i, address := range r.BaseURLs {
		r.BaseURLs[i] = strings.TrimSuffix(address, "/") + "/"
	}
	if o.err == nil && len(r.BaseURLs) == 0 && r.Mirrorlist == "" && r.Metalink == "" {
		o.err = errors.New("it has no baseurl, mirrorlist or metalink")
	}
	return configured{r, enabled}, o.err
}

// keys splits a list of keys: one that stands in the configuration itself has
// spaces in it.
func keys(value string) []string {
	if strings.Contains(value, "-----BEGIN PGP") {
		return []string{value}
	}
	return List(value)
}

// options reads the options of a section, which main gives defaults for.
type options struct {
	section, main *Section
	variables     Variables
	err           error
}

func (o *options) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

func (o *options) raw(name string, inherited bool) (string, bool) {
	if v, ok := o.section.Options[name]; ok {
		return v, true
	}
	if o.main != nil && inherited {
		v, ok := o.main.Options[name]
		return v, ok
	}
	return "", false
}

func (o *options) replaced(value string) string {
	text, err := o.variables.Replace(value)
	if err != nil {
		o.fail(err)
	}
	return text
}

func (o *options) text(name string) string {
	v, _ := o.raw(name, false)
	return o.replaced(v)
}

// inherited is an option of the section or of main, variables replaced.
func (o *options) inherited(name string) string {
	v, _ := o.raw(name, true)
	return o.replaced(v)
}

// connection reads how the servers are talked to.
func (o *options) connection() fetch.Connection {
	c := fetch.Connection{
		CAFile: o.inherited("sslcacert"), CertFile: o.inherited("sslclientcert"), KeyFile: o.inherited("sslclientkey"),
		Insecure: !o.boolean("sslverify", true), User: o.inherited("username"), Password: o.inherited("password"),
	}
	switch proxy := o.inherited("proxy"); strings.ToLower(proxy) {
	case "":
	case "_none_", "none":
		c.Proxy = fetch.NoProxy
	default:
		c.Proxy = o.proxy(proxy)
	}
	return c
}

// proxy adds the user and password of a proxy to its address.
func (o *options) proxy(address string) string {
	user := o.inherited("proxy_username")
	if user == "" {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		o.fail(errors.New("proxy: not an address such as http://proxy.example.org:3128"))
		return ""
	}
	u.User = url.UserPassword(user, o.inherited("proxy_password"))
	return u.String()
}

// refuse names the options that dnf knows, that change what is fetched or
// trusted, and that smith does not read. All others of dnf.conf(5) say how fast
// and how often dnf asks, or what it shows.
func (o *options) refuse() {
	for name, harmless := range map[string]string{
		"sslverifystatus": "0", "proxy_sslverify": "1", "proxy_sslcacert": "", "proxy_sslclientcert": "", "proxy_sslclientkey": "",
		"proxy_auth_method": "any", "gpgkey_dns_verification": "0", "mediaid": "",
	} {
		if v := o.inherited(name); v != "" && !strings.EqualFold(v, harmless) && !o.same(v, harmless) {
			o.fail(fmt.Errorf("smith does not support the option %s: remove it, or list the repository in smith.yaml", name))
		}
	}
}

// same reports whether two values are the same boolean.
func (o *options) same(a, b string) bool {
	x, isX := boolean(a)
	y, isY := boolean(b)
	return isX && isY && x == y
}

func (o *options) boolean(name string, standard bool) bool {
	v, ok := o.raw(name, name != "enabled")
	if !ok || v == "" {
		return standard
	}
	is, ok := boolean(o.replaced(v))
	if !ok {
		o.fail(fmt.Errorf("%s: %.40q is neither 1 nor 0", name, v))
	}
	return is
}

func (o *options) number(name string, standard int) int {
	v, ok := o.raw(name, false)
	if !ok || v == "" {
		return standard
	}
	n, err := strconv.Atoi(o.replaced(v))
	if err != nil {
		o.fail(fmt.Errorf("%s: %.40q is not a number", name, v))
	}
	return n
}
