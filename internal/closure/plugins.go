package closure

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"smith/internal/record"
	"smith/internal/tree"
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
}

// references are what a configuration names.
type references struct {
	modules []string // paths, or names in the family's folders, with .so or without
	configs []string // further configuration, in the folder of this one or absolute
}

// families, with the manuals that say what is loaded and from where.
var families = []family{
	{ // Linux-PAM System Administrators' Guide, pam.d(5)
		library: "libpam.so.*", folders: []string{"security", "/lib/security", "/usr/lib/security"}, modules: "pam_*.so",
		configs: []string{"/etc/pam.d/*", "/etc/pam.conf"}, named: pamModules,
	},
	{ // config(5ssl), OSSL_PROVIDER-legacy(7ssl), engine(3ssl)
		library: "libcrypto.so.*", folders: []string{"ossl-modules", "engines-3", "engines-1.1"}, modules: "*.so",
		configs: []string{"/etc/ssl/openssl.cnf", "/etc/ssl/openssl.cnf.d/*", "/usr/lib/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/usr/local/ssl/openssl.cnf"},
		named:   opensslModules,
	},
	{ // Cyrus SASL, "Options": mech_list, auxprop_plugin
		library: "libsasl2.so.*", folders: []string{"sasl2"}, modules: "lib*.so*",
		configs: []string{"/etc/sasl2/*.conf", "/etc/sasl/*.conf", "/usr/lib/sasl2/*.conf", "LIBDIR/sasl2/*.conf"}, named: saslModules,
	},
	{ // gio-querymodules(1): the cache lists the modules
		library: "libgio-2.0.so.*", folders: []string{"gio/modules"}, modules: "*.so",
		configs: []string{"LIBDIR/gio/modules/giomodule.cache"}, named: gioModules,
	},
	{ // krb5.conf(5), [plugins]
		library: "libkrb5.so.*", folders: []string{"krb5/plugins/*"}, modules: "*.so",
		configs: []string{"/etc/krb5.conf", "/etc/krb5.conf.d/*"}, named: krb5Modules,
	},
	{ // ICU User Guide, "ICU Data": a library needs no file unless it was built so
		library: "libicuuc.so.*", folders: []string{"/usr/share/icu/*"}, modules: "icudt*.dat",
	},
}

// plugins brings the modules that the image's configuration names, for each
// family whose library is kept.
func plugins(_ context.Context, s *selector, out *outcome) error {
	for _, f := range families {
		library := s.library(f.library)
		if library == nil {
			continue
		}
		if err := s.family(f, library, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *selector) family(f family, library *item, out *outcome) error {
	libdir := path.Dir(library.path)
	for _, pattern := range f.configs {
		configs, err := s.view.Glob(strings.ReplaceAll(pattern, "LIBDIR", libdir))
		if err != nil {
			return err
		}
		for _, config := range configs {
			if err := s.config(f, libdir, config, out); err != nil {
				return err
			}
		}
	}
	return s.otherModules(f, library, out)
}

// config brings what one configuration file names, if the image has it.
func (s *selector) config(f family, libdir, config string, out *outcome) error {
	n := s.inImage(config)
	if n == nil || n.Size > maxConfig {
		return nil
	}
	data, err := n.ReadAll(maxConfig)
	if err != nil {
		return err
	}
	found := f.named(string(data))
	for _, other := range found.configs {
		if !path.IsAbs(other) {
			other = path.Join(path.Dir(config), other)
		}
		out.needs(edge{to: other, reason: record.Reason{Rule: "plugin", From: n.Path(), Detail: "included"}})
	}
	for _, module := range found.modules {
		at := s.module(f, libdir, module)
		if at == "" {
			out.warn(fmt.Sprintf("%s names the module %s, which the source does not have", config, module))
			continue
		}
		out.needs(edge{to: at, names: []string{module}, reason: record.Reason{Rule: "plugin", From: n.Path(), Detail: module}})
	}
	return nil
}

// module returns the path of a module, or "".
func (s *selector) module(f family, libdir, name string) string {
	names := []string{name, name + ".so"}
	for _, name := range names {
		if path.IsAbs(name) {
			if s.view.Exists(name) {
				return name
			}
			continue
		}
		for _, folder := range f.folders {
			paths, err := s.view.Glob(path.Join(inFolder(libdir, folder), name))
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

// otherModules lists the modules that no configuration names.
func (s *selector) otherModules(f family, library *item, out *outcome) error {
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
			out.suspects = append(out.suspects, suspect{at.Node, record.Finding{
				Name: at.Path(), From: library.path, Detail: "a module that " + path.Base(library.path) + " loads when it is told to",
			}})
		}
	}
	return nil
}

// settings returns the "key = value" pairs of an ini file by section; the
// section of those before the first is "". Comments begin with "#" or ";".
func settings(config, assign string) map[string][][2]string {
	sections, section := map[string][][2]string{}, ""
	for line := range strings.Lines(config) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, ";") {
			continue
		}
		if strings.HasPrefix(line, "[") {
			section = strings.TrimSpace(strings.Trim(line, "[]"))
			continue
		}
		if key, value, ok := strings.Cut(line, assign); ok {
			pair := [2]string{strings.TrimSpace(key), strings.TrimSpace(value)}
			sections[section] = append(sections[section], pair)
		}
	}
	return sections
}

// value returns the last value of a key in a section, or "".
func value(section [][2]string, key string) string {
	for _, pair := range slices.Backward(section) {
		if pair[0] == key {
			return pair[1]
		}
	}
	return ""
}

// pamModules reads "TYPE CONTROL MODULE ARGS", "@include FILE" (Debian), and
// the controls include and substack. A control may be a list in brackets; a
// type may begin with "-", which says that the module may be missing.
func pamModules(config string) references {
	var found references
	for line := range strings.Lines(config) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(bracketed(line))
		switch {
		case len(words) >= 2 && words[0] == "@include":
			found.configs = append(found.configs, words[1])
		case len(words) >= 3 && (words[1] == "include" || words[1] == "substack"):
			found.configs = append(found.configs, words[2])
		case len(words) >= 3 && !strings.HasPrefix(words[0], "-"):
			found.modules = append(found.modules, words[2])
		}
	}
	return found
}

// bracketed makes one word of a control in brackets.
func bracketed(line string) string {
	before, rest, open := strings.Cut(line, "[")
	_, after, closed := strings.Cut(rest, "]")
	if !open || !closed {
		return line
	}
	return before + "[] " + after
}

// opensslModules reads the providers and engines that openssl.cnf activates.
func opensslModules(config string) references {
	sections := settings(config, "=")
	var found references
	main := sections[value(sections[""], "openssl_conf")]
	for _, kind := range [][2]string{{"providers", "module"}, {"engines", "dynamic_path"}} {
		for _, pair := range sections[value(main, kind[0])] {
			own := sections[pair[1]]
			name := pair[0]
			if i := strings.LastIndexByte(name, '.'); i >= 0 {
				name = name[i+1:]
			}
			active := value(own, "activate") == "1" || kind[0] == "engines"
			builtin := kind[0] == "providers" && (name == "default" || name == "base" || name == "null")
			if file := value(own, kind[1]); file != "" {
				name = file
			} else if builtin || !active {
				continue
			}
			found.modules = append(found.modules, name)
		}
	}
	return found
}

// saslFiles are the modules of mechanisms whose names they do not bear.
var saslFiles = map[string]string{
	"CRAM-MD5": "libcrammd5.so", "DIGEST-MD5": "libdigestmd5.so", "GSSAPI": "libgssapiv2.so", "GSS-SPNEGO": "libgssapiv2.so",
	"SCRAM-SHA-1": "libscram.so", "SCRAM-SHA-224": "libscram.so", "SCRAM-SHA-256": "libscram.so", "SCRAM-SHA-384": "libscram.so", "SCRAM-SHA-512": "libscram.so",
}

// saslModules reads mech_list and auxprop_plugin; EXTERNAL is built in.
func saslModules(config string) references {
	var found references
	pairs := settings(config, ":")[""]
	for _, mechanism := range strings.Fields(strings.ToUpper(value(pairs, "mech_list"))) {
		file, known := saslFiles[mechanism]
		if !known {
			file = "lib" + strings.ToLower(mechanism) + ".so"
		}
		if mechanism != "EXTERNAL" {
			found.modules = append(found.modules, file)
		}
	}
	for _, plugin := range strings.Fields(value(pairs, "auxprop_plugin")) {
		found.modules = append(found.modules, "lib"+plugin+".so")
	}
	return found
}

// gioModules reads "FILE: EXTENSION POINTS".
func gioModules(config string) references {
	var found references
	for _, pair := range settings(config, ":")[""] {
		found.modules = append(found.modules, pair[0])
	}
	return found
}

// krb5Modules reads "module = NAME:PATH" of the subsections of [plugins], and
// the directives include and includedir, which stand in no section.
func krb5Modules(config string) references {
	var found references
	for _, pair := range settings(config, "=")["plugins"] {
		if _, file, ok := strings.Cut(pair[1], ":"); pair[0] == "module" && ok {
			found.modules = append(found.modules, file)
		}
	}
	for line := range strings.Lines(config) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "include" {
			found.configs = append(found.configs, words[1])
		}
	}
	return found
}
