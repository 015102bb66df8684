package closure

import (
	"context"
	"path"
	"slices"
	"strings"

	"smith/internal/closure/imports"
	"smith/internal/closure/imports/python"
	"smith/internal/tree"
)

// findPython returns what a module's name, or that of a distribution, leads to.
func findPython(q *query, ref imports.Reference) ([]target, error) {
	if ref.Kind == imports.Metadata {
		return q.distribution(ref)
	}
	if ref.Kind != imports.Module {
		return nil, nil
	}
	if strings.HasPrefix(ref.Name, ".") {
		return q.relativeModule(ref)
	}
	own, err := q.ownModules(ref)
	if len(own) > 0 || err != nil {
		return own, err
	}
	return q.remember(ref.Name+" "+strings.Join(ref.Names, ","), func() ([]target, error) {
		dirs, err := q.searchPath(q.dialect)
		if err != nil {
			return nil, err
		}
		return q.pythonModule(dirs, ref)
	})
}

// relativeModule returns what "from .a import b" leads to: each dot after the
// first is one package up.
func (q *query) relativeModule(ref imports.Reference) ([]target, error) {
	dir := path.Dir(q.item.path)
	name := ref.Name[1:]
	for strings.HasPrefix(name, ".") {
		name, dir = name[1:], path.Dir(dir)
	}
	if name == "" {
		return q.submodules(dir, ref.Names)
	}
	found, err := q.pythonPath(dir, strings.Split(name, "."), ref.Names)
	return found, err
}

// ownModules returns what is found where the script itself lies: in its
// directory, above the packages that it is in, and in the directories that it
// adds to the search path.
func (q *query) ownModules(ref imports.Reference) ([]target, error) {
	top, err := q.packageRoot()
	if err != nil {
		return nil, err
	}
	dirs := []string{top}
	for _, r := range q.refs {
		if r.Kind == imports.Directory {
			dirs = append(dirs, q.absolute(r.Name))
		}
	}
	global, err := q.searchPath(q.dialect)
	if err != nil {
		return nil, err
	}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool {
		return slices.Contains(global, dir) || isShared(dir) && dir != path.Dir(q.item.path)
	})
	return q.pythonModule(dirs, ref)
}

// absolute returns a path that counts from the script's directory.
func (q *query) absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(path.Dir(q.item.path), name)
}

// packageRoot returns the directory above the outermost package that the script
// is in.
func (q *query) packageRoot() (string, error) {
	dir := path.Dir(q.item.path)
	for dir != "/" {
		in, err := q.isFile(dir + "/__init__.py")
		if !in || err != nil {
			return dir, err
		}
		dir = path.Dir(dir)
	}
	return dir, nil
}

// pythonModule looks for a module in directories. The first that has its
// topmost package, or the module itself, counts; directories without an
// __init__.py are parts of one package (PEP 420), and each is looked into.
func (q *query) pythonModule(dirs []string, ref imports.Reference) ([]target, error) {
	parts := strings.Split(ref.Name, ".")
	var found []target
	for _, dir := range dirs {
		top := dir + "/" + parts[0]
		isPackage, err := q.isFile(top + "/__init__.py")
		if err != nil {
			return nil, err
		}
		here, err := q.pythonPath(dir, parts, ref.Names)
		if err != nil {
			return nil, err
		}
		inner := isStandard(dir)
		for i := range here {
			here[i].inner = inner
		}
		found = append(found, here...)
		if isPackage || len(here) > 0 && !slices.ContainsFunc(here, func(t target) bool { return strings.HasPrefix(t.path, top+"/") }) {
			break
		}
	}
	return found, nil
}

// pythonPath returns the files of a module in a directory: each package on the
// way, the module, and the modules that are taken out of it. The topmost package
// stays together: what it loads later, and the data in it, no import tells of.
func (q *query) pythonPath(dir string, parts, names []string) ([]target, error) {
	var found []target
	together := isStandard(dir)
	for i, part := range parts {
		if part == "" || strings.Contains(part, "/") {
			return found, nil
		}
		at := dir + "/" + part
		isPackage, err := q.isDir(at)
		if err != nil {
			return nil, err
		}
		if isPackage {
			if is, err := q.isFile(at + "/__init__.py"); err != nil {
				return nil, err
			} else if is {
				if !together {
					found, together = append(found, target{path: at, unit: true}), true
				}
				found = append(found, target{path: at + "/__init__.py"})
			}
			dir = at
			continue
		}
		file, err := q.pythonFile(dir, part)
		if file == "" || err != nil {
			return found, err
		}
		found = append(found, target{path: file})
		if i < len(parts)-1 {
			return found, nil // names in a module that only looks like a package
		}
		return found, nil
	}
	more, err := q.submodules(dir, names)
	return append(found, more...), err
}

// submodules returns those of some names that are modules of a package.
func (q *query) submodules(dir string, names []string) ([]target, error) {
	var found []target
	for _, name := range names {
		if name == "*" {
			continue
		}
		is, err := q.isFile(dir + "/" + name + "/__init__.py")
		if err != nil {
			return nil, err
		}
		if is {
			found = append(found, target{path: dir + "/" + name, unit: true}, target{path: dir + "/" + name + "/__init__.py"})
			continue
		}
		file, err := q.pythonFile(dir, name)
		if err != nil {
			return nil, err
		}
		if file != "" {
			found = append(found, target{path: file})
		}
	}
	return found, nil
}

// pythonFile returns the file of a module in a directory, "" where there is
// none: an extension module comes before a source (importlib.machinery).
func (q *query) pythonFile(dir, name string) (string, error) {
	names, err := q.entries(dir)
	if err != nil {
		return "", err
	}
	at, _ := slices.BinarySearch(names, name+".")
	source := ""
	for _, n := range names[at:] {
		rest, ok := strings.CutPrefix(n, name+".")
		switch {
		case !ok:
			return source, nil
		case rest == "so" || strings.HasSuffix(rest, ".so"):
			return dir + "/" + n, nil
		case rest == "py":
			source = dir + "/" + n
		}
	}
	return source, nil
}

// distribution returns the description of a distribution. What a script that is
// one of its programs asks for is also the module behind that program, and the
// descriptions of what the distribution requires.
func (q *query) distribution(ref imports.Reference) ([]target, error) {
	dirs, err := q.searchPath(q.dialect)
	if err != nil {
		return nil, err
	}
	var found []target
	seen := map[string]bool{}
	for todo := []string{ref.Name}; len(todo) > 0 && len(seen) < maxDistributions; todo = todo[1:] {
		name := python.Normalized(todo[0])
		if seen[name] {
			continue
		}
		seen[name] = true
		at, err := q.descriptionOf(dirs, name)
		if err != nil {
			return nil, err
		}
		if at == "" {
			continue
		}
		found = append(found, target{path: at, unit: true})
		if !ref.Late {
			requires, err := q.requiresOf(at)
			if err != nil {
				return nil, err
			}
			todo = append(todo, requires...)
		}
		if len(ref.Names) == 2 && name == python.Normalized(ref.Name) {
			behind, err := q.entryPoint(at, ref.Names[0], ref.Names[1])
			if err != nil {
				return nil, err
			}
			found = append(found, behind...)
		}
	}
	return found, nil
}

// maxDistributions bounds how many distributions one requires.
const maxDistributions = 500

// descriptionOf returns the .dist-info or .egg-info of a distribution.
func (q *query) descriptionOf(dirs []string, name string) (string, error) {
	for _, dir := range dirs {
		names, err := q.entries(dir)
		if err != nil {
			return "", err
		}
		for _, n := range names {
			if is, ok := python.Described(n); ok && is == name {
				return dir + "/" + n, nil
			}
		}
	}
	return "", nil
}

// read returns the text of a file of a description, "" where it has none.
func (q *query) read(names ...string) (string, error) {
	for _, name := range names {
		at, err := q.view.Resolve(name)
		if err != nil {
			if err = ignoreAbsent(err); err != nil {
				return "", err
			}
			continue
		}
		if at.Node.Kind != tree.File || at.Node.Size > imports.MaxSize {
			continue
		}
		data, err := at.Node.ReadAll(imports.MaxSize)
		return string(data), err
	}
	return "", nil
}

func (q *query) requiresOf(description string) ([]string, error) {
	text, err := q.read(description+"/METADATA", description+"/PKG-INFO", description)
	if err != nil {
		return nil, err
	}
	requires := python.Requires(text)
	text, err = q.read(description + "/requires.txt")
	return append(requires, python.RequiresText(text)...), err
}

// entryPoint returns the module behind a program of a distribution.
func (q *query) entryPoint(description, group, name string) ([]target, error) {
	text, err := q.read(description + "/entry_points.txt")
	if err != nil {
		return nil, err
	}
	module := python.EntryPoint(text, group, name)
	if module == "" {
		return nil, nil
	}
	return findPython(q, imports.Reference{Kind: imports.Module, Name: module})
}

// besides brings what goes with a module and that no import names: the
// description of its distribution, the .pth files of its package, the library
// of a module that is partly compiled.
func (q *query) besides() error {
	switch q.dialect.name {
	case "python":
		return q.pythonDescriptions()
	case "perl":
		return q.perlLibrary()
	case "ruby":
		return q.rubyGems()
	}
	return nil
}

// pythonDescriptions brings the descriptions of the distributions of the
// package that a module is of, where it lies in a directory for such modules.
func (q *query) pythonDescriptions() error {
	top, err := q.searchDirectory()
	if top == "" || isStandard(top) || err != nil {
		return err
	}
	held, err := q.heldBy(context.Background(), q.item.node)
	if err != nil {
		return err
	}
	if held == nil {
		return q.describedLikeIt(top)
	}
	seen := ""
	for _, name := range held {
		inside, ok := strings.CutPrefix(name, top+"/")
		if !ok {
			continue
		}
		first, _, deep := strings.Cut(inside, "/")
		if _, is := python.Described(first); (is || path.Ext(first) == ".pth") && first != seen {
			seen = first
			q.out.needs(q.besideEdge(top+"/"+first, deep))
		}
	}
	return nil
}

func (q *query) besideEdge(to string, unit bool) edge {
	return edge{to: to, unit: unit, broad: true, reason: reasonBeside(q.item.path)}
}

// describedLikeIt brings a description that bears the module's own name, for
// sources that know of no packages.
func (q *query) describedLikeIt(top string) error {
	module := python.Normalized(path.Base(q.moduleDirectory(top)))
	names, err := q.entries(top)
	if err != nil {
		return err
	}
	for _, n := range names {
		if is, ok := python.Described(n); ok && is == module {
			isDir, err := q.isDir(top + "/" + n)
			if err != nil {
				return err
			}
			q.out.needs(q.besideEdge(top+"/"+n, isDir))
		}
	}
	return nil
}
