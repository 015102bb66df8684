package closure

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"smith/internal/tree"
)

// Directories and names of Python's modules that only one version loads: a
// module directory of a version (Python, "site"), and an extension module with
// the tag of CPython's ABI (PEP 3149). Debian's dist-packages of python3 serves
// all versions.
var (
	versionedDirectory = regexp.MustCompile(`/python(3\.[0-9]+)/(?:site|dist)-packages/`)
	extensionModule    = regexp.MustCompile(`\.cpython-3([0-9]+)[a-z]*-[^/]*\.so$`)
	pythonInterpreter  = regexp.MustCompile(`^(?:lib)?python(3\.[0-9]+)[a-z]*(?:\.so.*)?$`)
)

// warnPython warns of Python modules that no interpreter of the image loads,
// such as those of a virtual environment that was made for another version.
func (s *selector) warnPython() {
	modules, have := map[string][]string{}, map[string]bool{}
	for _, it := range s.sorted() {
		if it.node.Kind != tree.File {
			continue
		}
		if m := pythonInterpreter.FindStringSubmatch(it.node.Name()); m != nil {
			have[m[1]] = true
		}
		if it.holder == ofParent {
			continue
		}
		if version := pythonOf(it.path); version != "" {
			modules[version] = append(modules[version], it.path)
		}
	}
	served := map[string]bool{} // modules that a version of the image loads
	for version, paths := range modules {
		for _, name := range paths {
			served[moduleName(name)] = served[moduleName(name)] || have[version] || s.parentHasPython(version)
		}
	}
	for _, version := range sortedKeys(modules) {
		modules[version] = slices.DeleteFunc(modules[version], func(name string) bool { return served[moduleName(name)] })
		if len(modules[version]) == 0 {
			continue
		}
		others := "no Python"
		if len(have) > 0 {
			others = "Python " + strings.Join(sortedKeys(have), ", ") + " only"
		}
		s.warn(fmt.Sprintf("%s: a module for Python %s (one of %d), and the image has %s: nothing loads it",
			modules[version][0], version, len(modules[version]), others))
	}
}

// pythonOf returns the version of Python that a module is for, "" where any
// version loads it.
func pythonOf(name string) string {
	if m := versionedDirectory.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	if m := extensionModule.FindStringSubmatch(name); m != nil {
		return "3." + m[1]
	}
	return ""
}

// moduleName returns the path of an extension module without its tag: a package
// may hold one for each of several versions, side by side.
func moduleName(name string) string {
	stem, _, _ := strings.Cut(name, ".cpython-")
	return stem
}

// parentHasPython reports whether the layers below have an interpreter.
func (s *selector) parentHasPython(version string) bool {
	if s.in.Parent == nil {
		return false
	}
	for _, dir := range []string{"/usr/bin/", "/usr/local/bin/", "/opt/python/bin/"} {
		if s.in.Parent.Exists(dir + "python" + version) {
			return true
		}
	}
	return false
}
