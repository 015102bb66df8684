package closure

import (
	"context"
	"path"
	"slices"
	"strings"

	"smith/internal/closure/imports"
	"smith/internal/closure/imports/node"
	"smith/internal/closure/imports/python"
	"smith/internal/closure/imports/tcl"
	"smith/internal/program"
	"smith/record"
)

// reasonBeside is why something is kept that goes with a module.
func reasonBeside(from string) record.Reason {
	return record.Reason{Rule: record.RuleImport, From: from, Detail: "goes with " + path.Base(from)}
}

// findPerl returns the file of a module A::B, or of one that is required by its
// path: in the script's own directories, then in those of @INC.
func findPerl(q *query, ref imports.Reference) ([]target, error) {
	name := ref.Name
	switch ref.Kind {
	case imports.Module:
		name = strings.ReplaceAll(name, "::", "/") + ".pm"
	case imports.File:
	default:
		return nil, nil
	}
	return q.inDirectories(name)
}

// inDirectories returns the first file of a name: by its path, in the
// directories that the script adds, beside it, or in the search path.
func (q *query) inDirectories(name string) ([]target, error) {
	if path.IsAbs(name) || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") {
		name = q.absolute(name)
		is, err := q.isFile(name)
		if !is || err != nil {
			return nil, err
		}
		return []target{{path: name, dialect: q.dialect.name}}, nil
	}
	if path.IsAbs(path.Clean("/"+name)) && strings.Contains("/"+name+"/", "/../") {
		return nil, nil
	}
	var own []string
	for _, r := range q.refs {
		if r.Kind == imports.Directory {
			own = append(own, q.absolute(r.Name))
		}
	}
	if top, err := q.searchDirectory(); err != nil {
		return nil, err
	} else if top == "" {
		own = append(own, q.ancestors()...)
	}
	found, err := q.firstIn(own, name)
	if len(found) > 0 || err != nil {
		return found, err
	}
	return q.remember(name, func() ([]target, error) {
		dirs, err := q.searchPath(q.dialect)
		if err != nil {
			return nil, err
		}
		return q.firstIn(dirs, name)
	})
}

// ancestors returns the directories above a script that lies outside the search
// path: a program's private modules lie under one that it knows.
func (q *query) ancestors() []string {
	var dirs []string
	for dir := path.Dir(q.item.path); !isShared(dir); dir = path.Dir(dir) {
		dirs = append(dirs, dir, dir+"/lib")
	}
	return dirs
}

// firstIn returns the first file of a name in directories.
func (q *query) firstIn(dirs []string, name string) ([]target, error) {
	for _, dir := range dirs {
		is, err := q.isFile(dir + "/" + name)
		if err != nil {
			return nil, err
		}
		if is {
			return []target{{path: dir + "/" + name, inner: isStandard(dir)}}, nil
		}
	}
	return nil, nil
}

// isStandard reports whether a directory is one of an interpreter's own library
// (languages has them), and not one for modules of packages.
func isStandard(dir string) bool {
	parts := strings.Split(dir, "/")
	last := parts[len(parts)-1]
	before := parts[len(parts)-2]
	return last == "perl-base" || last == "lib-dynload" || strings.HasPrefix(last, "python") && last != "python3" || before == "perl" && strings.HasPrefix(last, "5.") ||
		before == "ruby" && len(last) > 0 && last[0] >= '0' && last[0] <= '9'
}

// builtIn reports whether an interpreter has a module in itself.
func builtIn(dialect, name string) bool {
	switch dialect {
	case "python":
		return python.BuiltIn(name)
	case "node":
		return node.BuiltIn(name)
	case "lua":
		return slices.Contains([]string{"string", "table", "math", "io", "os", "debug", "coroutine", "utf8", "package", "bit", "jit", "ffi"}, name)
	case "tcl":
		return name == "Tcl" || name == "Tk" || name == "TclOO" || name == "tcl"
	case "ruby":
		return slices.Contains([]string{"thread", "thread.rb", "enumerator", "enumerator.so", "rational", "rational.so", "complex", "complex.so", "fiber", "fiber.so", "rubygems", "monitor"}, name)
	}
	return false
}

// perlLibrary brings the compiled part of a module, and what AutoLoader loads of
// it (AutoLoader(3perl), DynaLoader(3perl)).
func (q *query) perlLibrary() error {
	top, err := q.searchDirectory()
	if top == "" || path.Ext(q.item.path) != ".pm" || err != nil {
		return err
	}
	module := strings.TrimSuffix(strings.TrimPrefix(q.item.path, top+"/"), ".pm")
	dirs, err := q.searchPath(q.dialect)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		auto := dir + "/auto/" + module
		names, err := q.entries(auto)
		if err != nil {
			return err
		}
		for _, name := range names {
			switch path.Ext(name) {
			case ".so", ".al", ".ix", ".bs":
				q.out.needs(edge{to: auto + "/" + name, reason: reasonBeside(q.item.path)})
			}
		}
	}
	return nil
}

// findRuby returns the file of a feature, with what lies in the directory of its
// name, from which features are loaded when they are first used.
func findRuby(q *query, ref imports.Reference) ([]target, error) {
	switch ref.Kind {
	case imports.Metadata:
		return q.gem(ref)
	case imports.Module, imports.File:
	default:
		return nil, nil
	}
	for _, suffix := range []string{"", ".rb", ".so"} {
		if suffix == "" && path.Ext(ref.Name) != ".rb" && path.Ext(ref.Name) != ".so" {
			continue
		}
		found, err := q.inDirectories(ref.Name + suffix)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && ref.Kind == imports.Module {
			if found, err = q.inGems(ref.Name + suffix); err != nil {
				return nil, err
			}
		}
		if len(found) > 0 {
			beside := strings.TrimSuffix(found[0].path, path.Ext(found[0].path))
			if is, err := q.isDir(beside); err != nil {
				return nil, err
			} else if is && !found[0].inner && path.Dir(found[0].path) != path.Dir(q.item.path) {
				found = append(slices.Clone(found), target{path: beside, unit: true})
			}
			return found, nil
		}
	}
	return nil, nil
}

// gemDirectories are globs of the directories that hold gems and their
// specifications (Gem.path of Debian, Fedora and RubyGems itself).
const gemDirectories = "{/usr/share/rubygems-integration/*,/var/lib/gems/*,/usr/share/gems,/usr/{lib,lib64}/ruby/gems/*,/usr/lib/*/ruby/gems/*,/usr/local/share/gems,/usr/lib/*/rubygems-integration/*}"

// inGems looks for a feature in the directories of gems.
func (q *query) inGems(name string) ([]target, error) {
	return q.remember("gems\x00"+name, func() ([]target, error) {
		dirs, err := q.view.Glob(gemDirectories + "/gems/*/lib")
		if err != nil {
			return nil, err
		}
		return q.firstIn(dirs, name)
	})
}

// gem returns the specification of a gem.
func (q *query) gem(ref imports.Reference) ([]target, error) {
	if strings.ContainsAny(ref.Name, `*?[{\/`) {
		return nil, nil
	}
	paths, err := q.view.Glob(gemDirectories + "/specifications/" + ref.Name + "-[0-9]*.gemspec")
	if err != nil {
		return nil, err
	}
	var found []target
	for _, p := range paths {
		found = append(found, target{path: p})
	}
	return found, nil
}

// rubyGems brings the specifications of the gems of the package that a feature
// is of, and the compiled parts of these: RubyGems passes over a gem whose
// directory of extensions lacks gem.build_complete.
func (q *query) rubyGems() error {
	held, err := q.heldBy(context.Background(), q.item.node)
	if err != nil {
		return err
	}
	for _, name := range held {
		if path.Ext(name) == ".gemspec" && path.Base(path.Dir(name)) == "specifications" || strings.Contains(name, "/extensions/") {
			q.out.needs(q.besideEdge(name, false))
		}
	}
	return nil
}

// findLua returns the file of a module a.b as package.path and package.cpath
// have it.
func findLua(q *query, ref imports.Reference) ([]target, error) {
	if ref.Kind == imports.File {
		return q.inDirectories(ref.Name)
	}
	name := strings.ReplaceAll(ref.Name, ".", "/")
	for _, suffix := range []string{".lua", "/init.lua", ".so"} {
		found, err := q.inDirectories(name + suffix)
		if len(found) > 0 || err != nil {
			return found, err
		}
	}
	first, _, _ := strings.Cut(name, "/")
	return q.inDirectories(first + ".so")
}

// findTcl returns the directory of the index that offers a package, or the
// module of that name (tm(n)).
func findTcl(q *query, ref imports.Reference) ([]target, error) {
	if ref.Kind == imports.File {
		return q.inDirectories(ref.Name)
	}
	return q.remember(ref.Name, func() ([]target, error) {
		dirs, err := q.searchPath(q.dialect)
		if err != nil {
			return nil, err
		}
		var found []target
		for _, dir := range dirs {
			here, err := q.tclPackage(dir, ref.Name)
			if err != nil {
				return nil, err
			}
			found = append(found, here...)
		}
		return found, nil
	})
}

// tclPackage looks for a package in a directory and in those under it.
func (q *query) tclPackage(dir, name string) ([]target, error) {
	names, err := q.entries(dir)
	if err != nil {
		return nil, err
	}
	var found []target
	module := strings.ReplaceAll(name, "::", "/")
	for _, n := range names {
		index := dir + "/" + n + "/pkgIndex.tcl"
		if n == "pkgIndex.tcl" {
			index = dir + "/" + n
		}
		if strings.HasPrefix(n, path.Base(module)+"-") && path.Ext(n) == ".tm" {
			found = append(found, target{path: dir + "/" + n})
			continue
		}
		if is, err := q.isFile(index); !is || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		text, err := q.read(index)
		if err != nil {
			return nil, err
		}
		if slices.Contains(tcl.ReadIndex([]byte(text)), name) {
			found = append(found, target{path: path.Dir(index), unit: !isShared(path.Dir(index))}, target{path: index})
		}
	}
	return found, nil
}

// findNode returns what require("x") leads to: the package's directory, with the
// package.json that tells its main module. Relative names are files.
func findNode(q *query, ref imports.Reference) ([]target, error) {
	if ref.Kind == imports.File {
		for _, suffix := range []string{"", ".js", ".json", ".node", ".cjs", ".mjs", "/index.js"} {
			name := q.absolute(ref.Name) + suffix
			if is, err := q.isFile(name); err != nil {
				return nil, err
			} else if is {
				return []target{{path: name}}, nil
			}
		}
		return nil, nil
	}
	name := nodePackage(ref.Name)
	if name == "" {
		return nil, nil
	}
	dirs, err := q.searchPath(q.dialect)
	if err != nil {
		return nil, err
	}
	var own []string
	for dir := path.Dir(q.item.path); dir != "/"; dir = path.Dir(dir) {
		if path.Base(dir) != "node_modules" {
			own = append(own, dir+"/node_modules")
		}
	}
	for _, dir := range append(own, dirs...) {
		at := dir + "/" + name
		for _, file := range []string{at + ".js", at + ".node"} {
			if is, err := q.isFile(file); err != nil {
				return nil, err
			} else if is {
				return []target{{path: file}}, nil
			}
		}
		if is, err := q.isDir(at); err != nil {
			return nil, err
		} else if is {
			return q.nodeDirectory(at)
		}
	}
	return nil, nil
}

// nodePackage returns the name of the package in what is required, "" for a
// module of node's own.
func nodePackage(name string) string {
	parts := strings.SplitN(name, "/", 3)
	switch {
	case strings.HasPrefix(name, "node:"), strings.Contains(name, "..") || strings.ContainsAny(name, "!:"):
		return ""
	case strings.HasPrefix(name, "@") && len(parts) > 1:
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// nodeDirectory returns what a package's directory holds, and its main module.
func (q *query) nodeDirectory(dir string) ([]target, error) {
	found := []target{{path: dir, unit: true}}
	text, err := q.read(dir + "/package.json")
	if err != nil {
		return nil, err
	}
	p, err := node.ReadPackage([]byte(text))
	if err != nil || len(p.Files) == 0 {
		p.Files = []string{"index.js"}
	}
	for _, file := range p.Files {
		for _, suffix := range []string{"", ".js", "/index.js"} {
			at := path.Join(dir, file) + suffix
			if is, err := q.isFile(at); err != nil {
				return nil, err
			} else if is && strings.HasPrefix(at, dir+"/") {
				found = append(found, target{path: at})
				break
			}
		}
	}
	return found, nil
}

// findPHP returns a file that is included, with the directory of an autoloader,
// which finds its classes there.
func findPHP(q *query, ref imports.Reference) ([]target, error) {
	if ref.Kind != imports.File {
		return nil, nil
	}
	found, err := q.inDirectories(ref.Name)
	if len(found) > 0 && path.Base(found[0].path) == "autoload.php" {
		found = append(slices.Clone(found), target{path: path.Dir(found[0].path), unit: true})
	}
	return found, err
}

// findSourced returns the file that a shell script reads with ".": by its path,
// or in PATH.
func findSourced(q *query, ref imports.Reference) ([]target, error) {
	if ref.Kind != imports.File {
		return nil, nil
	}
	name := ref.Name
	if !strings.Contains(name, "/") {
		for dir := range strings.SplitSeq(program.SearchPath(q.env), ":") {
			if is, err := q.isFile(dir + "/" + name); err != nil {
				return nil, err
			} else if is {
				return []target{{path: dir + "/" + name, dialect: "shell"}}, nil
			}
		}
		return nil, nil
	}
	return q.inDirectories(name)
}
