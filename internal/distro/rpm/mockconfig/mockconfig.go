// Package mockconfig reads the configurations of mock for what they say:
// which repositories a chroot is filled from, and for which distribution. They
// are programs in Python, which is never run; what cannot be read without
// running it is named in an error. Text in them is a template of Jinja, of
// which variables and conditions are read.
package mockconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"smith/internal/distro/rpm/yumconfig"
)

// A Config is what a configuration says.
type Config struct {
	// Root is the name of the chroot, Dist what its packages have in their
	// releases ("el9").
	Root, Dist string
	// Machine is the architecture, as RPM names it; Release what $releasever
	// stands for.
	Machine, Release string
	// Repositories are those that are enabled.
	Repositories []yumconfig.Repository
}

// DefaultPath is the configuration that mock takes where none is named.
const DefaultPath = "/etc/mock/default.cfg"

const (
	maxFile     = 4 << 20
	maxIncludes = 100
)

// Read reads a configuration. A name without a slash is one of /etc/mock, with
// or without ".cfg". Files that it includes are looked for in its own folder, the one above,
// then in /etc/mock.
func Read(path string) (*Config, error) {
	r := &reader{config: dict{}, unread: map[string]string{}}
	dir := filepath.Dir(path) // or /etc/mock/eol, or a copy of either
	r.dirs = []string{dir, filepath.Dir(dir), filepath.Dir(DefaultPath)}
	for name, v := range map[string]value{"mirrored": true, "user_agent": "", "koji_primary_repo": nil, "repo_arch": nil} {
		r.config[name] = v
	}
	site, err := r.find("site-defaults.cfg")
	if err == nil {
		err = r.file(site, site)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		err = r.file(path, path)
	}
	if err != nil {
		return nil, err
	}
	c, err := r.result(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Find returns the file of a configuration that is named as mock's -r does.
func Find(name string) string {
	if strings.Contains(name, "/") || strings.HasSuffix(name, ".cfg") && exists(name) {
		return name
	}
	return filepath.Join(filepath.Dir(DefaultPath), strings.TrimSuffix(name, ".cfg")+".cfg")
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

type reader struct {
	config dict
	dirs   []string
	files  int
	depth  int // of templates and macros in each other
	work   int // nodes of templates that were carried out
	macros map[string]*node
	// unread are options that only Python could work out, and where they are set.
	unread map[string]string
}

// find returns where a file that is included lies.
func (r *reader) find(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	for _, dir := range r.dirs {
		if path := filepath.Join(dir, name); exists(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is neither in %s: %w", name, strings.Join(r.dirs, " nor in "), fs.ErrNotExist)
}

// file reads the statements of a file.
func (r *reader) file(path, name string) error {
	if r.files++; r.files > maxIncludes {
		return fmt.Errorf("%s: more than %d files include each other", name, maxIncludes)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() > maxFile {
		return fmt.Errorf("%s: it is larger than %d bytes", name, maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	p := &parser{text: string(data), line: 1, config: r.config}
	for {
		p.space(true)
		if p.rest() == "" {
			return nil
		}
		line := p.line
		if err := r.statement(p, name); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
}

// statement reads one statement.
func (r *reader) statement(p *parser, name string) error {
	begin := p.rest()
	switch {
	case strings.HasPrefix(begin, "config_opts["):
		return r.option(p, name)
	case p.take("include("):
		v, err := p.expression(1, true)
		p.space(true)
		included, ok := v.(string)
		if err != nil || !ok || !p.take(")") {
			return errPython(begin)
		}
		if included, err = r.rendered(included); err != nil {
			return err
		}
		path, err := r.find(included)
		if err != nil {
			return err
		}
		return r.file(path, included)
	case quoteAt(begin) == 0: // a string alone is a comment
		if _, err := p.strings(1); err == nil {
			return nil
		}
	}
	return errPython(begin)
}

// errPython names a statement that only Python could carry out.
func errPython(text string) error {
	line, _, _ := strings.Cut(text, "\n")
	return fmt.Errorf("%.80q cannot be read without running Python, which smith does not do: "+
		"write the configuration with plain values, or name its repositories in smith.yaml", strings.TrimSpace(line))
}

// option reads "config_opts['a']['b'] = value", or with "+=".
func (r *reader) option(p *parser, name string) error {
	begin, line := p.rest(), p.line
	keys, err := p.keys()
	if err != nil || len(keys) == 0 {
		return errPython(begin)
	}
	p.space(false)
	add := p.take("+=")
	if !add && !p.take("=") {
		// A method such as append or update: of what smith reads, nothing has any.
		if slices.Contains(used(), keys[0]) {
			return errPython(begin)
		}
		return r.passOver(p, begin)
	}
	p.space(false)
	v, err := p.expression(0, false)
	if err == nil {
		p.space(false)
		if rest := p.rest(); rest != "" && rest[0] != '\n' && rest[0] != ';' {
			err = errPython(begin)
		}
	}
	if err != nil {
		if slices.Contains(used(), keys[0]) {
			return errPython(begin)
		}
		r.unread[keys[0]] = fmt.Sprintf("%s:%d", name, line)
		return r.passOver(p, begin)
	}
	p.take(";")
	r.set(keys, v, add)
	return nil
}

// passOver goes on after a statement whose value is of no interest: at the
// next line that begins as a statement does.
func (r *reader) passOver(p *parser, begin string) error {
	open := 0
	for p.rest() != "" {
		switch c := p.rest()[0]; {
		case c == '\n' && open <= 0:
			if next := strings.TrimLeft(p.rest(), "\n"); next == "" || next[0] != ' ' && next[0] != '\t' {
				return nil
			}
		case c == '(' || c == '[' || c == '{':
			open++
		case c == ')' || c == ']' || c == '}':
			open--
		case quoteAt(p.rest()) == 0:
			if _, err := p.string(); err != nil {
				return errPython(begin)
			}
			continue
		}
		p.advance(1)
	}
	return nil
}

func (r *reader) set(keys []string, v value, add bool) {
	d := r.config
	for _, key := range keys[:len(keys)-1] {
		next, ok := d[key].(dict)
		if !ok {
			next = dict{}
			d[key] = next
		}
		d = next
	}
	last := keys[len(keys)-1]
	if old, ok := d[last]; ok && add {
		v = plus(old, v)
	}
	d[last] = v
}

// used are the options that smith reads.
func used() []string {
	return []string{"root", "dist", "target_arch", "repo_arch", "releasever", "package_manager", "dnf.conf", "yum.conf", "dnf5.conf", "microdnf.conf"}
}

// result reads the options.
func (r *reader) result(path string) (*Config, error) {
	c := &Config{}
	for _, one := range []struct {
		name string
		to   *string
	}{{"target_arch", &c.Machine}, {"releasever", &c.Release}, {"dist", &c.Dist}, {"root", &c.Root}} {
		switch v := r.config[one.name].(type) {
		case nil:
		case int64:
			*one.to = fmt.Sprint(v)
		case string:
			var err error
			if *one.to, err = r.rendered(v); err != nil {
				return nil, fmt.Errorf("%s: %w", one.name, err)
			}
		default:
			return nil, fmt.Errorf("%s is no text", one.name)
		}
	}
	if c.Machine == "" {
		return nil, errors.New("it says no target_arch: write one, config_opts['target_arch'] = 'x86_64'")
	}
	text, option, err := r.packageManager()
	if err != nil {
		return nil, err
	}
	if text, err = r.rendered(text); err != nil {
		return nil, fmt.Errorf("%s: %w", option, err)
	}
	sections, err := yumconfig.ParseINI(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", option, err)
	}
	var main *yumconfig.Section
	if i := slices.IndexFunc(sections, func(s *yumconfig.Section) bool { return s.Name == "main" }); i >= 0 {
		main = sections[i]
	}
	machine := c.Machine
	if arch, ok := r.config["repo_arch"].(string); ok {
		machine = arch
	}
	c.Repositories, err = yumconfig.Repositories(sections, main, yumconfig.For(machine, c.Release), filepath.Base(path))
	if err == nil && len(c.Repositories) == 0 {
		err = fmt.Errorf("%s has no repository", option)
	}
	return c, err
}

// packageManager returns the configuration of the package manager.
func (r *reader) packageManager() (text, option string, err error) {
	names := []string{"dnf.conf", "dnf5.conf", "yum.conf", "microdnf.conf"}
	if manager, ok := r.config["package_manager"].(string); ok {
		names = append([]string{manager + ".conf"}, names...)
	}
	for _, name := range names {
		if text, ok := r.config[name].(string); ok {
			return text, name, nil
		}
	}
	return "", "", errors.New("it has neither dnf.conf nor yum.conf, which the repositories stand in")
}
