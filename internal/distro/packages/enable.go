package packages

import (
	"path"
	"slices"
	"strings"

	"smith/internal/distro/scriptlet"
	"smith/internal/tree"
	"smith/record"
)

// An enabling is a part of a configuration that a script switches on.
type enabling struct {
	scriptlet.Enable
	by *record.Origin
}

// apacheDirs are where the parts of apache2's configuration are, and what the
// names of their files end in (a2enmod(8)).
var apacheDirs = map[string]struct {
	dir      string
	suffixes []string
}{
	"mod":  {"mods", []string{".load", ".conf"}},
	"conf": {"conf", []string{".conf"}},
	"site": {"sites", []string{".conf"}},
}

// enableAll makes the links that switch parts of configurations on. PHP's come
// last: a script that asks for all of its modules means those of later packages
// too.
func (w *writer) enableAll() error {
	mpm := w.mpm()
	for _, e := range w.enables {
		w.by = e.by
		if _, ok := apacheDirs[e.Kind]; !ok {
			continue
		}
		if strings.HasPrefix(e.Name, "mpm_") && mpm != "" {
			e.Name = "mpm_" + mpm
		}
		if err := w.apache(e.Kind, e.Name, map[string]bool{}); err != nil {
			return err
		}
	}
	for _, e := range w.enables {
		w.by = e.by
		if e.Kind == "php" {
			if err := w.php(e.Enable); err != nil {
				return err
			}
		}
	}
	return nil
}

// mpm returns the module that apache2 is switched to, "" where it keeps its
// own.
func (w *writer) mpm() string {
	i := slices.IndexFunc(w.enables, func(e enabling) bool { return e.Kind == "mpm" })
	if i < 0 {
		return ""
	}
	return w.enables[i].Name
}

// apache switches on a part of apache2's configuration, and what it depends on.
func (w *writer) apache(kind, name string, seen map[string]bool) error {
	name = strings.TrimSuffix(name, ".conf")
	if seen[name] || strings.Contains(name, "/") {
		return nil
	}
	seen[name] = true
	where := apacheDirs[kind]
	for _, suffix := range where.suffixes {
		file := path.Join("/etc/apache2", where.dir+"-available", name+suffix)
		at, err := w.set.Tree().Resolve(file)
		if err != nil {
			continue
		}
		if suffix == ".load" {
			for _, other := range dependsOn(at.Node) {
				if err := w.apache(kind, other, seen); err != nil {
					return err
				}
			}
		}
		link := path.Join("/etc/apache2", where.dir+"-enabled", name+suffix)
		target := path.Join("..", where.dir+"-available", name+suffix)
		if err := w.set.link(scriptlet.Link{Path: link, Target: target}, w.by); err != nil {
			return err
		}
	}
	return nil
}

// maxSetting bounds a file of settings whose comments are read.
const maxSetting = 64 << 10

// dependsOn returns the modules in a line "# Depends: a b" of a module's file.
func dependsOn(n *tree.Node) []string {
	data, err := n.ReadAll(maxSetting)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "# Depends:"); ok {
			return strings.Fields(rest)
		}
	}
	return nil
}

// php switches modules of PHP on, for the SAPIs that the image has (phpenmod(8)).
func (w *writer) php(e scriptlet.Enable) error {
	base := path.Join("/etc/php", e.Version)
	if e.Version == "" || strings.ContainsAny(e.Version+e.SAPI+e.Name, "/*?[{\\") {
		return nil
	}
	sapis := []string{e.SAPI}
	if e.SAPI == "ALL" {
		sapis = w.sapis(e.Version)
	}
	modules := []string{e.Name + ".ini"}
	if e.Name == "" {
		modules = w.files(path.Join(base, "mods-available"))
	}
	for _, file := range modules {
		at, err := w.set.Tree().Resolve(path.Join(base, "mods-available", file))
		if err != nil || !strings.HasSuffix(file, ".ini") {
			continue
		}
		for _, sapi := range sapis {
			link := path.Join(base, sapi, "conf.d", priority(at.Node)+"-"+file)
			if err := w.set.link(scriptlet.Link{Path: link, Target: path.Join(base, "mods-available", file)}, w.by); err != nil {
				return err
			}
		}
	}
	return nil
}

// sapis returns the SAPIs of PHP that the wanted packages bring.
func (w *writer) sapis(version string) []string {
	dir := path.Join("/usr/lib/php", version, "sapi")
	return slices.DeleteFunc(w.files(dir), func(name string) bool {
		for _, m := range w.set.members {
			if m.opened() == nil || !w.wanted(m.ID()) {
				continue
			}
			if n, err := m.node(w.set.links, path.Join(dir, name)); n != nil && err == nil {
				return false
			}
		}
		return true
	})
}

// files returns the names in a directory, sorted.
func (w *writer) files(dir string) []string {
	at, err := w.set.Tree().Resolve(dir)
	if err != nil || at.Node.Kind != tree.Dir {
		return nil
	}
	names, err := at.Node.Names()
	if err != nil {
		return nil
	}
	var all []string
	for name, isDir := range names {
		if !isDir {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// priority returns what a module's file says in "; priority=20".
func priority(n *tree.Node) string {
	data, err := n.ReadAll(maxSetting)
	if err == nil {
		for line := range strings.Lines(string(data)) {
			rest, ok := strings.CutPrefix(strings.ReplaceAll(strings.TrimSpace(line), " ", ""), ";priority=")
			if ok && rest != "" && strings.Trim(rest, "0123456789") == "" {
				return rest
			}
		}
	}
	return "20"
}
