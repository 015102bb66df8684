package service

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"smith/internal/tree"
)

// unitDirs are where packages and administrators keep units, the strongest
// first (systemd.unit(5), "Unit File Load Path").
var unitDirs = []string{"/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// A setting is one line of a unit, with what its section is.
type setting struct{ section, key, value string }

// settings reads a unit's text (systemd.syntax(7)).
func settings(text string) []setting {
	var all []setting
	section, line, open := "", "", false
	for raw := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(strings.TrimSuffix(raw, "\r"))
		if strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") {
			continue // a comment may stand between the parts of a line
		}
		more := strings.HasSuffix(trimmed, `\`)
		trimmed = strings.TrimSuffix(trimmed, `\`)
		if open {
			line += " " + trimmed
		} else {
			line = trimmed
		}
		if open = more; open {
			continue
		}
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			section = line[1 : len(line)-1]
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok {
			all = append(all, setting{section, strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	return all
}

// A unit is a service's unit, read with its drop-ins.
type unit struct {
	t        *tree.Tree
	name     string // "nginx.service"
	from     []string
	service  map[string][]string // the settings of [Service]: an empty one takes back those before it
	instance string              // DefaultInstance of [Install]
	vars     map[string]string
}

// unitAt reads the unit at a path.
func unitAt(t *tree.Tree, name string) (Service, bool) {
	if !strings.HasSuffix(name, ".service") || !slices.Contains(unitDirs, path.Dir(name)) || !regular(t, name) {
		return Service{}, false
	}
	text, ok := read(t, name)
	if !ok {
		return Service{}, false
	}
	u := &unit{t: t, name: path.Base(name), service: map[string][]string{}, vars: map[string]string{}}
	u.take(name, text)
	u.dropIns()
	return u.result()
}

// take adds the settings of a file.
func (u *unit) take(name, text string) {
	u.from = append(u.from, name)
	for _, s := range settings(text) {
		switch {
		case s.section == "Install" && s.key == "DefaultInstance":
			u.instance = s.value
		case s.section != "Service":
		case s.value == "":
			delete(u.service, s.key)
		default:
			u.service[s.key] = append(u.service[s.key], s.value)
		}
	}
}

// dropIns adds what lies in the NAME.service.d directories, in the order of
// the files' names.
func (u *unit) dropIns() {
	files := map[string]string{}
	for _, dir := range unitDirs {
		at, err := u.t.Resolve(path.Join(dir, u.name+".d"))
		if err != nil || at.Node.Kind != tree.Dir {
			continue
		}
		names, err := at.Node.Names()
		if err != nil {
			continue
		}
		for base := range names {
			if strings.HasSuffix(base, ".conf") && files[base] == "" {
				files[base] = path.Join(dir, u.name+".d", base)
			}
		}
	}
	for _, base := range sortedKeys(files) {
		if text, ok := read(u.t, files[base]); ok {
			u.take(files[base], text)
		}
	}
}

// last returns the value of a setting of which the last one counts.
func (u *unit) last(key string) string {
	all := u.service[key]
	if len(all) == 0 {
		return ""
	}
	return u.expanded(all[len(all)-1])
}

// result works out the service.
func (u *unit) result() (Service, bool) {
	u.environment()
	s := Service{
		Name: strings.TrimSuffix(u.name, ".service"), From: u.from,
		User: u.last("User"), Group: u.last("Group"), Dir: strings.TrimPrefix(strings.TrimPrefix(u.last("WorkingDirectory"), "-"), "~"),
		StopSignal: u.last("KillSignal"), Once: u.last("Type") == "oneshot", Forks: u.last("Type") == "forking",
		Instance: strings.HasSuffix(u.name, "@.service") && u.instance == "",
	}
	if s.StopSignal == "SIGTERM" {
		s.StopSignal = ""
	}
	for _, key := range u.service["SupplementaryGroups"] {
		s.Groups = append(s.Groups, strings.Fields(u.expanded(key))...)
	}
	commands := u.service["ExecStart"]
	if len(commands) == 0 {
		return s, false
	}
	words := u.command(commands[len(commands)-1])
	if len(words) == 0 || !path.IsAbs(words[0]) {
		return s, false
	}
	s.Program, s.Args = words[0], words[1:]
	line := strings.NewReplacer("{", "", "}", "").Replace(commands[len(commands)-1])
	for _, name := range sortedKeys(u.vars) {
		if named, _ := regexp.MatchString(`\$`+name+`\b`, line); !named || s.shell() { // else it is there for the command line
			s.Env = append(s.Env, name+"="+u.vars[name])
		}
	}
	u.directories(&s)
	return s, true
}

// directories adds those that systemd makes for the server, and those that it
// may write to.
func (u *unit) directories(s *Service) {
	for _, d := range []struct {
		key, base string
		class     Class
	}{
		{"RuntimeDirectory", "/run", Runtime},
		{"StateDirectory", "/var/lib", State},
		{"CacheDirectory", "/var/cache", Cache},
		{"LogsDirectory", "/var/log", Logs},
		{"ConfigurationDirectory", "/etc", Configuration},
	} {
		for _, value := range u.service[d.key] {
			for word := range strings.FieldsSeq(u.expanded(value)) {
				name, _, _ := strings.Cut(word, ":") // "directory:link"
				s.directory(Directory{path.Join(d.base, name), d.class, s.User, s.Group})
			}
		}
	}
	for _, key := range []string{"ReadWritePaths", "ReadWriteDirectories"} {
		for _, value := range u.service[key] {
			for word := range strings.FieldsSeq(u.expanded(value)) {
				dir := strings.TrimLeft(word, "-+")
				if class, ok := ClassOf(dir); ok && class != Configuration {
					s.directory(Directory{dir, class, s.User, s.Group})
				}
			}
		}
	}
	if pid := u.last("PIDFile"); path.IsAbs(pid) {
		if dir := path.Dir(placed(pid)); strings.HasPrefix(dir, "/run/") {
			s.directory(Directory{dir, Runtime, s.User, s.Group})
		}
	}
	s.sorted()
}

// environment reads Environment= and the files of EnvironmentFile=, which win.
func (u *unit) environment() {
	for _, value := range u.service["Environment"] {
		for _, word := range split(u.expanded(value)) {
			u.assign(word)
		}
	}
	for _, value := range u.service["EnvironmentFile"] {
		name := strings.TrimPrefix(u.expanded(value), "-")
		text, ok := read(u.t, name)
		if !ok {
			continue
		}
		for _, line := range assignments(text) {
			u.assign(line)
		}
	}
}

func (u *unit) assign(word string) {
	if name, value, ok := strings.Cut(word, "="); ok && isName(name) {
		u.vars[name] = value
	}
}

// assignments returns the lines of an environment file (systemd.exec(5),
// "EnvironmentFile="), their values without quotes.
func assignments(text string) []string {
	var all []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\\\n", " "), "\n") {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		if !ok || !isName(name) {
			continue
		}
		words := split(strings.TrimSpace(value))
		all = append(all, name+"="+strings.Join(words, " "))
	}
	return all
}

func isName(s string) bool {
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}
