package closure

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"smith/internal/program"
	"smith/internal/tree"
	"smith/record"
)

// A family is a library that loads modules by name, and how an image says
// which: the modules that a configuration file of the image names are kept,
// the others are suspects.
type family struct {
	library string   // glob of its file's name
	folders []string // of its modules: from the library's own folder, or absolute
	modules string   // glob of the modules' names
	configs []string // globs; "LIBDIR" stands for the library's own folder
	named   func(config string) references
	// env is a variable that names configuration files in place of configs, with
	// colons between them; "" where there is none.
	env string
	// spliced says that what a file includes stands in the file's place: its
	// sections are those of one configuration.
	spliced bool
	// all says that a library needs its modules whatever the configuration
	// says; nil where none does.
	all func(library *tree.Node) bool
}

// references are what a configuration names.
type references struct {
	modules  []string // paths, or names in the family's folders, with .so or without
	optional []string // modules that may be missing
	configs  []string // further configuration: globs, in the folder of this one or absolute
}

// families, with the manuals that say what is loaded and from where.
var families = []family{
	{ // Linux-PAM System Administrators' Guide, pam.d(5)
		library: "libpam.so.*", folders: []string{"security", "/lib/security", "/usr/lib/security"}, modules: "pam_*.so",
		configs: []string{"/etc/pam.d/*", "/etc/pam.conf", "/usr/{lib,etc}/pam.d/*"}, named: pamModules,
	},
	{ // config(5ssl), OSSL_PROVIDER-legacy(7ssl), engine(3ssl)
		library: "libcrypto.so.*", folders: []string{"ossl-modules", "engines-3", "engines-1.1"}, modules: "*.so",
		configs: []string{"/etc/ssl/openssl.cnf", "/etc/ssl/openssl.cnf.d/*", "/usr/lib/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/usr/local/ssl/openssl.cnf"},
		named:   opensslModules, spliced: true, env: "OPENSSL_CONF",
	},
	{ // Cyrus SASL, "Options": mech_list, auxprop_plugin
		library: "libsasl2.so.*", folders: []string{"sasl2"}, modules: "lib*.so*",
		configs: []string{"/etc/sasl2/*.conf", "/etc/sasl/*.conf", "/usr/lib/sasl2/*.conf", "LIBDIR/sasl2/*.conf"}, named: saslModules,
	},
	{ // gio-querymodules(1): the cache lists the modules
		library: "libgio-2.0.so.*", folders: []string{"gio/modules"}, modules: "*.so",
		configs: []string{"LIBDIR/gio/modules/giomodule.cache"}, named: gioModules,
	},
	{ // krb5.conf(5), [plugins]; paths count from plugin_base_dir
		library: "libkrb5.so.*", folders: []string{"krb5/plugins", "krb5/plugins/*"}, modules: "*.so",
		configs: []string{"/etc/krb5.conf", "/etc/krb5.conf.d/*"}, named: krb5Modules, env: "KRB5_CONFIG",
	},
	{ // PHP Manual, php.ini directives: extension, zend_extension, extension_dir
		library: "{php*,libphp*.so}", modules: "*.so",
		folders: []string{"/usr/lib/php/[0-9]*", "/usr/lib64/php{,-zts}/modules", "/usr/lib/php[0-9]*/modules", "/usr/local/lib/php/extensions/*"},
		configs: []string{"/etc/php/*/*/{php.ini,conf.d/*.ini}", "/etc/php.{ini,d/*.ini}", "/etc/php[0-9]*/{php.ini,conf.d/*.ini}", "/usr/local/etc/php/{php.ini,conf.d/*.ini}"},
		named:   phpModules,
	},
	{ // ICU User Guide, "ICU Data": the data is in libicudata, or that is a stub and the data a file (Alpine)
		library: "libicudata.so.*", folders: []string{"/usr/share/icu/*"}, modules: "icudt*.dat",
		all: func(library *tree.Node) bool { return library.Size < 1<<20 },
	},
}

// plugins brings the modules that the image's configuration names, for each
// family whose library is kept.
func plugins(_ context.Context, s *selector, out *outcome) error {
	for _, f := range families {
		for _, library := range s.libraries(f.library) {
			if err := s.modulesOf(f, library, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// A configReader reads the configuration of one family for one library.
type configReader struct {
	*selector
	family
	libdir string
	out    *outcome
	seen   map[*tree.Node]bool
	// from is the variable of the environment that names the configuration, ""
	// where none does.
	from string
}

func (s *selector) modulesOf(f family, library *item, out *outcome) error {
	r := configReader{s, f, path.Dir(library.path), out, map[*tree.Node]bool{}, ""}
	if value := program.Getenv(s.in.Env, f.env); f.env != "" && value != "" {
		return errors.Join(r.environment(f.env, value), s.otherModules(f, library, out))
	}
	for _, pattern := range f.configs {
		configs, err := s.view.Glob(strings.ReplaceAll(pattern, "LIBDIR", r.libdir))
		if err != nil {
			return err
		}
		for _, config := range configs {
			if err := r.read(config, ""); err != nil {
				return err
			}
		}
	}
	return s.otherModules(f, library, out)
}

// environment brings the configuration files that a variable names, and what
// those name.
func (r configReader) environment(variable, value string) error {
	r.from = variable
	for config := range strings.SplitSeq(value, ":") {
		if !path.IsAbs(config) || filledAtRunTime(tree.Clean(config), r.in.Mounts) {
			continue
		}
		if is, err := r.isFile(config); !is || err != nil {
			if err != nil {
				return err
			}
			r.out.lacks(Problem{Name: config, Text: fmt.Sprintf("env: %s names %s, which nothing on offer has", variable, config)})
			continue
		}
		r.out.needs(edge{to: config, reason: record.Reason{Rule: record.RuleEnv, Detail: variable + "=" + value}})
		if err := r.read(config, ""); err != nil {
			return err
		}
	}
	return nil
}

// read brings what one configuration file names, if the image has it. What it
// includes is read in the next round, when the image has that too. before is
// the text that the file continues, if any.
func (r configReader) read(config, before string) error {
	n := r.inImage(config)
	if n == nil || n.Size+int64(len(before)) > maxConfig || r.seen[n] {
		return nil
	}
	r.seen[n] = true
	data, err := n.ReadAll(maxConfig)
	if err != nil {
		return err
	}
	text := string(data)
	found := r.named(before + text)
	for _, module := range slices.Concat(found.modules, found.optional) {
		at := r.module(module)
		switch {
		case at != "":
			r.out.needs(edge{to: at, names: []string{module}, reason: record.Reason{Rule: record.RulePlugin, From: n.Path(), Detail: module}})
		case slices.Contains(found.optional, module):
		case r.from != "":
			r.out.lacks(Problem{Name: module, Text: fmt.Sprintf("env: %s names %s, which loads the module %s; nothing on offer has it", r.from, config, module)})
		default:
			r.out.warn(fmt.Sprintf("%s names the module %s, which the source does not have", config, module))
		}
	}
	for _, other := range r.named(text).configs {
		if !path.IsAbs(other) {
			other = path.Join(path.Dir(config), other)
		}
		if err := r.included(n, other, before+text); err != nil {
			return err
		}
		if tree.IsLiteral(other) && !strings.Contains(other, "$") && !r.view.Exists(other) && !filledAtRunTime(tree.Clean(other), r.in.Mounts) {
			r.out.warn(fmt.Sprintf("%s includes %s, which does not exist in the image or the source", config, other))
		}
	}
	return nil
}

// included brings the configuration that another one includes, and what that
// names.
func (r configReader) included(from *tree.Node, pattern, before string) error {
	paths, err := r.view.Glob(pattern)
	if err != nil {
		return err
	}
	if !r.spliced {
		before = ""
	}
	for _, p := range paths {
		at, err := r.view.Resolve(p)
		if err != nil || at.Node.Kind == tree.Dir {
			continue
		}
		r.out.needs(edge{to: p, reason: record.Reason{Rule: record.RulePlugin, From: from.Path(), Detail: "included"}})
		if err := r.read(p, before); err != nil {
			return err
		}
	}
	return nil
}

// module returns the path of a module, or "".
func (r configReader) module(name string) string {
	for _, name := range []string{name, name + ".so"} {
		if path.IsAbs(name) {
			if r.view.Exists(name) {
				return name
			}
			continue
		}
		for _, folder := range r.folders {
			paths, err := r.view.Glob(path.Join(inFolder(r.libdir, folder), name))
			if err == nil && len(paths) > 0 {
				return paths[0]
			}
		}
	}
	return ""
}

func inFolder(libdir, folder string) string {
	if path.IsAbs(folder) {
		return folder
	}
	return libdir + "/" + folder
}

// otherModules lists the modules that no configuration names, or brings them
// where the library needs them anyway.
func (s *selector) otherModules(f family, library *item, out *outcome) error {
	needed := f.all != nil && f.all(library.node)
	for _, folder := range f.folders {
		paths, err := s.view.Glob(inFolder(path.Dir(library.path), folder) + "/" + f.modules)
		if err != nil {
			return err
		}
		for _, p := range paths {
			at, err := s.view.Resolve(p)
			if err != nil || at.Node.Kind != tree.File {
				continue
			}
			if needed {
				out.needs(edge{to: p, reason: record.Reason{Rule: record.RulePlugin, From: library.path, Detail: "the data of " + library.node.Name()}})
				continue
			}
			out.suspects = append(out.suspects, suspect{at.Node, record.Finding{
				Name: at.Path(), From: library.path, Detail: "a module that " + library.node.Name() + " loads when it is told to",
			}})
		}
	}
	return nil
}
