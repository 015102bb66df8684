package closure

import (
	"context"
	"path"
	"slices"
	"strings"

	"smith/internal/nearest"
	"smith/record"
)

// gconv brings the converters of the charsets that the spec names, and the
// configuration by which iconv(3) finds them (glibc manual, "The iconv
// Implementation in the GNU C Library"). The cache gconv-modules.cache is not
// taken: it lists every converter of the source.
func gconv(_ context.Context, s *selector, out *outcome) error {
	if len(s.in.Gconv) == 0 {
		return nil
	}
	libc := s.library("libc.so.6")
	if libc == nil {
		out.warn("gconv: nothing in the image uses glibc, and other C libraries have no converters to load")
		return nil
	}
	dir := s.gconvFolder(path.Dir(libc.path))
	if dir == "" {
		out.lacks(Problem{Name: "gconv", Text: "gconv: the source has no converters beside " + libc.path + "; distributions have them in the package libc6, libc-gconv-modules-extra or glibc-gconv-extra"})
		return nil
	}
	modules := gconvModules{folder: dir, aliases: map[string]string{}, files: map[string][]string{}}
	if err := modules.read(s); err != nil {
		return err
	}
	for _, config := range modules.configs {
		out.needs(edge{to: config, reason: record.Reason{Rule: record.RuleGconv, From: libc.path, Detail: "the list of converters"}})
	}
	for _, charset := range slices.Sorted(slices.Values(s.in.Gconv)) {
		found := modules.of(charset)
		if len(found) == 0 && !slices.Contains(builtinCharsets, charsetName(charset)) {
			out.lacks(Problem{
				Name: charset, Text: "gconv: " + charset + " is no charset that " + dir + "/gconv-modules knows" + modules.near(charset),
			})
		}
		for _, file := range found {
			out.needs(edge{to: file, reason: record.Reason{Rule: record.RuleGconv, From: libc.path, Detail: "charset " + charset}})
		}
	}
	return nil
}

// builtinCharsets are those that libc converts itself (glibc,
// iconv/gconv_builtin.h).
var builtinCharsets = []string{
	"ANSI_X3.4-1968", "ASCII", "US-ASCII", "ISO646-US", "UTF-8", "UTF8", "WCHAR_T", "ISO-10646",
	"UCS-2", "UCS2", "UCS-2BE", "UCS-2LE", "UNICODEBIG", "UNICODELITTLE", "UCS-4", "UCS4", "UCS-4BE", "UCS-4LE",
}

// gconvFolder returns the folder of converters that belongs to a libc: in the
// folder of the library, or in /usr's where the two are not merged.
func (s *selector) gconvFolder(libdir string) string {
	for _, dir := range []string{libdir + "/gconv", "/usr" + libdir + "/gconv"} {
		if s.view.Exists(dir + "/gconv-modules") {
			return dir
		}
	}
	return ""
}

// gconvModules is what gconv-modules and gconv-modules.d say.
type gconvModules struct {
	folder  string
	configs []string
	aliases map[string]string
	files   map[string][]string // by charset
}

func (m *gconvModules) read(s *selector) error {
	m.configs = []string{m.folder + "/gconv-modules"}
	more, err := s.view.Glob(m.folder + "/gconv-modules.d/*.conf")
	if err != nil {
		return err
	}
	m.configs = append(m.configs, more...)
	for _, config := range m.configs {
		at, err := s.view.Resolve(config)
		if err != nil {
			continue
		}
		data, err := at.Node.ReadAll(maxConfig)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(data)) {
			m.line(line)
		}
	}
	return nil
}

// line reads "alias FROM// TO//" or "module FROM// TO// FILE COST".
func (m *gconvModules) line(line string) {
	line, _, _ = strings.Cut(line, "#")
	words := strings.Fields(line)
	switch {
	case len(words) >= 3 && words[0] == "alias":
		m.aliases[charsetName(words[1])] = charsetName(words[2])
	case len(words) >= 4 && words[0] == "module":
		file := words[3]
		if !strings.HasSuffix(file, ".so") {
			file += ".so"
		}
		if !path.IsAbs(file) {
			file = m.folder + "/" + file
		}
		for _, charset := range words[1:3] {
			name := charsetName(charset)
			if name != "INTERNAL" && !slices.Contains(m.files[name], file) {
				m.files[name] = append(m.files[name], file)
			}
		}
	}
}

// charsetName drops the slashes after a charset and the case of its letters.
func charsetName(text string) string {
	name, _, _ := strings.Cut(text, "/")
	return strings.ToUpper(name)
}

// of returns the converters of a charset.
func (m *gconvModules) of(charset string) []string {
	name := charsetName(charset)
	for range 8 {
		if files := m.files[name]; files != nil {
			return files
		}
		name = m.aliases[name]
	}
	return nil
}

func (m *gconvModules) near(charset string) string {
	return nearest.Hint(charsetName(charset), slices.Values(sortedKeys(m.files)))
}
