package closure

import (
	"context"
	"path"
	"regexp"
	"strings"

	"smith/internal/record"
	"smith/internal/tree"
)

// A language is an interpreter that is not worth keeping without its library.
type language struct {
	// program matches the name of the interpreter's file; its first group is
	// the version, where the name has one.
	program *regexp.Regexp
	// library are globs of the folders of the standard library. PREFIX stands
	// for the folder above the program's, VERSION for its version or "*".
	library []string
	// without are globs of what is left out of those folders: tests, caches,
	// and what packages have put there.
	without []string
	// minimal are globs in those folders of what the interpreter needs to
	// start.
	minimal []string
}

// languages, with the manuals that say where the library is.
var languages = []language{
	{ // CPython, "The initialization of the sys.path module search path"; Modules/getpath.py
		program: regexp.MustCompile(`^python(\d+\.\d+)?t?$`),
		library: []string{"PREFIX/{lib,lib64}/pythonVERSION"},
		without: []string{"**/__pycache__", "**/*.pyc", "**/test", "**/tests", "**/idle_test", "site-packages", "dist-packages"},
		minimal: []string{
			"os.py", "encodings", "codecs.py", "io.py", "abc.py", "site.py", "sitecustomize.py", "stat.py", "posixpath.py", "genericpath.py",
			"_collections_abc.py", "_sitebuiltins.py", "_bootlocale.py", "__future__.py", "linecache.py", "tokenize.py", "types.py", "warnings.py",
			"importlib/{__init__,_abc,_bootstrap,_bootstrap_external,machinery,util}.py", "runpy.py", "zipimport.py", "keyword.py", "lib-dynload",
		},
	},
	{ // perl(1), perlrun(1), Config: privlibexp and archlibexp of the distributions
		program: regexp.MustCompile(`^perl(5[.\d]*)?$`),
		library: []string{
			"/usr/lib/*-linux-gnu*/{perl,perl-base}", "/usr/share/perl/5*", "/usr/{lib,lib64}/perl5", "/usr/share/perl5", "PREFIX/lib/perl5/5*",
		},
		without: []string{"**/*.pod", "**/pod", "**/t", "**/*.t", "**/*.h", "**/*.ld", "**/CORE", "**/vendor_perl", "**/site_perl"},
		minimal: []string{"**/perl-base", "**/{strict,warnings,Carp,Exporter,Config,vars,constant,overload,overloading,XSLoader,DynaLoader}.pm", "**/Config_*.p[lm]", "**/{warnings,Exporter}/*.pm"},
	},
	{ // RbConfig: rubylibdir, rubyarchdir of the distributions; RubyGems is loaded at the start
		program: regexp.MustCompile(`^ruby(\d+\.\d+)?$`),
		library: []string{
			"PREFIX/{lib,lib64}/ruby/[0-9]*", "PREFIX/lib/*-linux-gnu*/ruby/[0-9]*", "PREFIX/lib/ruby/vendor_ruby/rubygems{,.rb}", "/usr/share/{ruby,rubygems}", "/usr/lib64/ruby",
		},
		without: []string{"**/test", "**/*.h", "**/mkmf.rb"},
		minimal: []string{"**/rubygems", "**/rubygems.rb", "**/rbconfig.rb", "**/monitor.{rb,so}", "**/{did_you_mean,error_highlight,syntax_suggest}*", "**/enc"},
	},
}

// interpreters brings the standard library with a kept interpreter. What it
// holds of shared objects is then looked into like any other.
func interpreters(_ context.Context, s *selector, it *item, out *outcome) error {
	if s.in.Interpreters == "none" || !it.node.Executable() {
		return nil
	}
	for _, l := range languages {
		match := l.program.FindStringSubmatch(it.node.Name())
		if match == nil {
			continue
		}
		version := match[len(match)-1]
		if version == "" {
			version = "[0-9]*"
		}
		prefix := strings.TrimSuffix(path.Dir(path.Dir(it.path)), "/")
		for _, pattern := range l.library {
			pattern = strings.NewReplacer("PREFIX", prefix, "VERSION", version).Replace(pattern)
			if err := s.standardLibrary(l, it, pattern, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// standardLibrary brings the files under the folders that a glob matches.
func (s *selector) standardLibrary(l language, it *item, pattern string, out *outcome) error {
	folders, err := s.view.Glob(pattern)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		at, err := s.view.Resolve(folder)
		if err != nil {
			continue
		}
		top := at.Path()
		reason := record.Reason{Rule: "interpreter-library", From: it.path, Detail: "the standard library of " + it.node.Name()}
		err = at.Node.Walk(func(n *tree.Node) error {
			inside := strings.TrimPrefix(strings.TrimPrefix(n.Path(), top), "/")
			if inside != "" && matchesAny(l.without, inside) {
				return tree.SkipDir
			}
			if n.Kind != tree.Dir && (s.in.Interpreters != "minimal" || l.isMinimal(top, inside)) {
				out.needs(edge{to: n.Path(), reason: reason, broad: true})
			}
			return nil
		})
		if err != nil && err != tree.SkipDir { //nolint:errorlint // Walk returns the sentinel itself
			return err
		}
	}
	return nil
}

// isMinimal says whether the interpreter needs a file to start.
func (l language) isMinimal(top, inside string) bool {
	for name := inside; name != "." && name != ""; name = path.Dir(name) {
		if matchesAny(l.minimal, name) || matchesAny(l.minimal, top[1:]+"/"+name) {
			return true
		}
	}
	return matchesAny(l.minimal, top[1:])
}

func matchesAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if tree.Match(p, name) {
			return true
		}
	}
	return false
}
