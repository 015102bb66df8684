package closure

import (
	"cmp"
	"slices"
	"strings"
)

// The configuration files of the families in plugins.go, read for the modules
// that they name.

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
		case len(words) >= 3 && strings.HasPrefix(words[0], "-"):
			found.optional = append(found.optional, words[2])
		case len(words) >= 3:
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

// opensslModules reads the providers and engines that openssl.cnf activates,
// and ".include FILE-OR-FOLDER", with "=" after the word or not.
func opensslModules(config string) references {
	sections := settings(config, "=")
	var found references
	const none = "]" // the name of no section
	main := sections[cmp.Or(value(sections[""], "openssl_conf"), none)]
	for _, pair := range sections[cmp.Or(value(main, "providers"), none)] {
		own := sections[pair[1]]
		if file := value(own, "module"); file != "" {
			found.modules = append(found.modules, file)
		} else if name := lastWord(pair[0]); isOn(own, "activate") && !slices.Contains(builtinProviders, name) {
			found.modules = append(found.modules, name)
		}
	}
	for _, pair := range sections[cmp.Or(value(main, "engines"), none)] {
		name := lastWord(pair[0])
		if file := value(sections[pair[1]], "dynamic_path"); file != "" {
			name = file
		}
		found.modules = append(found.modules, name)
	}
	for line := range strings.Lines(config) {
		if file, ok := strings.CutPrefix(strings.TrimSpace(line), ".include"); ok {
			file = strings.TrimLeft(file, " \t=")
			file = strings.TrimSpace(file)
			found.configs = append(found.configs, file, file+"/*.cnf", file+"/*.conf")
		}
	}
	return found
}

// builtinProviders are those that are part of libcrypto.
var builtinProviders = []string{"default", "base", "null"}

// lastWord returns what follows the last dot of a name: "1.legacy" and
// "legacy" are one.
func lastWord(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// isOn says whether a setting is there and not turned off.
func isOn(section [][2]string, key string) bool {
	set := strings.ToLower(value(section, key))
	return set != "" && !slices.Contains([]string{"0", "no", "off", "false"}, set)
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
// the directives "include FILE" and "includedir FOLDER".
func krb5Modules(config string) references {
	var found references
	for _, pair := range settings(config, "=")["plugins"] {
		if _, file, ok := strings.Cut(pair[1], ":"); pair[0] == "module" && ok {
			found.modules = append(found.modules, file)
		}
	}
	for line := range strings.Lines(config) {
		words := strings.Fields(line)
		switch {
		case len(words) == 2 && words[0] == "include":
			found.configs = append(found.configs, words[1])
		case len(words) == 2 && words[0] == "includedir":
			found.configs = append(found.configs, words[1]+"/*")
		}
	}
	return found
}

// phpModules reads "extension = NAME" and "zend_extension = NAME", in any
// section.
func phpModules(config string) references {
	var found references
	sections := settings(config, "=")
	for _, name := range sortedKeys(sections) {
		for _, pair := range sections[name] {
			if pair[0] == "extension" || pair[0] == "zend_extension" {
				found.modules = append(found.modules, strings.Trim(pair[1], `"`))
			}
		}
	}
	return found
}
