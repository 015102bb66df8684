package closure

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"smith/internal/tree"
	"smith/record"
)

// A language is an interpreter that is not worth keeping without its library.
type language struct {
	// program matches the name of the interpreter's file, embedded that of the
	// library by which other programs hold the interpreter. Their first group
	// is the version, where the name has one.
	program, embedded *regexp.Regexp
	// library are globs of the folders of the standard library. PREFIX stands
	// for the folder that the interpreter is installed in, HOME for the one
	// above that of its file, VERSION for its version or "*".
	library []string
	// config are globs of a module that says where the library is, folders
	// matches what it says.
	config  []string
	folders *regexp.Regexp
	// without are globs of what is left out of those folders: tests, caches,
	// files for building, and what packages have put there.
	without []string
	// minimal are globs in those folders of what the interpreter needs to
	// start.
	minimal []string
	// engine is the library that the interpreter loads before those of its
	// standard library, which find it loaded.
	engine string
	// whole says that most builds hold their library in themselves.
	whole bool
}

// languages, with the manuals that say where the library is.
var languages = []language{
	{ // CPython, "The initialization of the sys.path module search path"; Modules/getpath.py
		program:  regexp.MustCompile(`^(?:platform-)?python(\d+\.\d+)?t?$`),
		embedded: regexp.MustCompile(`^libpython(\d+\.\d+)t?\.so`),
		library:  []string{"PREFIX/{lib,lib64}/pythonVERSION"},
		without:  []string{"**/__pycache__", "**/*.pyc", "**/test", "**/tests", "**/idle_test", "site-packages", "dist-packages", "config-*"},
		minimal: []string{
			"os.py", "encodings", "codecs.py", "io.py", "abc.py", "site.py", "sitecustomize.py", "stat.py", "posixpath.py", "genericpath.py",
			"_collections_abc.py", "_sitebuiltins.py", "_bootlocale.py", "__future__.py", "linecache.py", "tokenize.py", "types.py", "warnings.py",
			"importlib/{__init__,_abc,_bootstrap,_bootstrap_external,machinery,util}.py", "runpy.py", "zipimport.py", "keyword.py", "lib-dynload",
		},
	},
	{ // Config(3perl), archlibexp and privlibexp: perl's own folders in @INC; Debian's perl has perl-base before them
		program:  regexp.MustCompile(`^perl(5[.\d]*)?$`),
		embedded: regexp.MustCompile(`^libperl\.so`),
		library:  []string{"PREFIX/lib/*/perl-base"},
		config: []string{
			"PREFIX/lib/*/perl-base/Config.pm", "PREFIX/lib/*/perl/5*/Config.pm", "PREFIX/{lib,lib64}/perl5{,/core_perl}/Config.pm", "PREFIX/lib/perl5/5*/*/Config.pm",
		},
		folders: regexp.MustCompile(`(?m)^\s*(?:archlibexp|privlibexp) => '(/[^']+)'`),
		without: []string{"**/pod/perl{,[!d]*,d[!i]*}.pod", "**/t", "**/*.t", "**/*.h", "**/*.ld", "**/CORE", "vendor_perl", "site_perl"},
		minimal: []string{"**/perl-base", "**/{strict,warnings,Carp,Exporter,Config,vars,constant,overload,overloading,XSLoader,DynaLoader}.pm", "**/Config_*.p[lm]", "**/{warnings,Exporter}/*.pm"},
	},
	{ // RbConfig: rubylibdir, rubyarchdir of the distributions; RubyGems is loaded at the start
		program:  regexp.MustCompile(`^ruby(?:-mri)?(\d+\.\d+)?$`),
		embedded: regexp.MustCompile(`^libruby(?:-\d+\.\d+)?\.so`),
		library: []string{
			"PREFIX/{lib,lib64}/ruby/[0-9]*", "PREFIX/lib/*-linux-*/ruby/[0-9]*", "PREFIX/lib/ruby/vendor_ruby/rubygems{,.rb}", "PREFIX/share/{ruby,rubygems}", "PREFIX/lib64/ruby",
			"PREFIX/{lib,lib64}/ruby/gems/*/specifications/default", "PREFIX/share/gems/specifications/default",
		},
		without: []string{"**/test", "**/*.h", "**/mkmf.rb", "**/vendor_ruby", "gems"},
		minimal: []string{"**/rubygems", "**/rubygems.rb", "**/rbconfig.rb", "**/monitor.{rb,so}", "**/{did_you_mean,error_highlight,syntax_suggest}*", "**/enc"},
	},
	{ // Node.js, BUILDING.md, "externalizable builtins": Debian's node reads these at its start
		program:  regexp.MustCompile(`^node(?:js)?$`),
		embedded: regexp.MustCompile(`^libnode\.so`),
		library:  []string{"PREFIX/share/nodejs/{acorn,acorn-walk,amaro,cjs-module-lexer,undici}"},
		without:  []string{"**/*.ts", "**/*.mjs", "**/*.map", "**/lib", "**/types", "**/bin"},
		minimal:  []string{"**"},
		whole:    true,
	},
	{ // tclvars(n), tcl_library: init.tcl and what it autoloads, encodings, time zones; Debian puts it into tcltk
		program:  regexp.MustCompile(`^(?:tclsh|wish|expect)(\d\.\d)?$`),
		embedded: regexp.MustCompile(`^libtcl(\d\.\d)\.so`),
		library:  []string{"PREFIX/share/tcltk/tclVERSION", "PREFIX/{share,lib,lib64}/tclVERSION"},
		minimal:  []string{"init.tcl", "auto.tcl", "package.tcl", "tm.tcl", "word.tcl", "tclIndex", "encoding", "clock.tcl", "history.tcl", "parray.tcl"},
		whole:    true,
	},
	{ // tk_library(n)
		program:  regexp.MustCompile(`^wish(\d\.\d)?$`),
		embedded: regexp.MustCompile(`^libtk(\d\.\d)\.so`),
		library:  []string{"PREFIX/share/tcltk/tkVERSION", "PREFIX/{share,lib,lib64}/tkVERSION"},
		without:  []string{"demos"},
		minimal:  []string{"**"},
		whole:    true,
	},
	{ // the java command: its launcher reads lib/jvm.cfg of the runtime image that it lies in (JEP 220)
		program:  regexp.MustCompile(`^java$`),
		embedded: regexp.MustCompile(`^libjli\.so$`),
		library:  []string{"HOME/{lib,conf,release}"},
		without:  []string{"src.zip", "ct.sym", "**/*.{h,diz,debuginfo}"},
		minimal: []string{
			"modules", "rt.jar", "jvm.cfg", "**/lib{jvm,java,jimage,jli,jsig,verify,zip,nio,net,extnet,prefs,syslookup}.so", "tzdb.dat",
			"security", "**/conf/security", "net.properties", "jspawnhelper",
		},
		engine: "libjvm.so",
	},
}

// interpreters brings the standard library with a kept interpreter, or with a
// library that holds one where no interpreter is kept. What it has of shared
// objects is then looked into like any other.
func interpreters(_ context.Context, s *selector, out *outcome) error {
	if s.in.Interpreters == "none" {
		return nil
	}
	for _, l := range languages {
		for _, it := range l.kept(s) {
			before := len(out.edges)
			if err := s.standardLibraries(l, it, out); err != nil {
				return err
			}
			if len(out.edges) == before && !l.whole {
				out.warn(it.path + " is kept, and the source has no standard library for it: it will hardly start; " +
					"add the library's package to the source, or say interpreters: none")
			}
		}
	}
	return nil
}

// kept returns the kept interpreters of a language, by path.
func (l language) kept(s *selector) []*item {
	var programs, libraries []*item
	for n, it := range s.items {
		switch {
		case n.Executable() && l.program.MatchString(n.Name()):
			programs = append(programs, it)
		case n.Kind == tree.File && l.embedded.MatchString(n.Name()):
			libraries = append(libraries, it)
		}
	}
	if len(programs) == 0 {
		programs = libraries
	}
	slices.SortFunc(programs, func(a, b *item) int { return comparePaths(a.path, b.path) })
	return programs
}

// installed matches the folder that a file is installed in.
var installed = regexp.MustCompile(`^(.*?)/(?:bin|sbin|libexec|lib|lib64)/`)

// standardLibraries brings the folders of an interpreter's standard library.
func (s *selector) standardLibraries(l language, it *item, out *outcome) error {
	prefix := path.Dir(path.Dir(it.path))
	if match := installed.FindStringSubmatch(it.path); match != nil {
		prefix = match[1]
	}
	version := "[0-9]*"
	for _, re := range []*regexp.Regexp{l.program, l.embedded} {
		if match := re.FindStringSubmatch(it.node.Name()); len(match) > 1 && match[1] != "" {
			version = match[1]
		}
	}
	home := path.Dir(path.Dir(it.path))
	names := strings.NewReplacer("PREFIX", strings.TrimSuffix(prefix, "/"), "HOME", strings.TrimSuffix(home, "/"), "VERSION", version)
	for _, pattern := range l.library {
		if err := s.standardLibrary(l, it, names.Replace(pattern), out); err != nil {
			return err
		}
	}
	for _, pattern := range l.config {
		folders, err := s.configured(l, names.Replace(pattern))
		if err != nil {
			return err
		}
		for _, folder := range folders {
			if err := s.standardLibrary(l, it, folder, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// configured returns the folders that the modules of a glob name.
func (s *selector) configured(l language, pattern string) ([]string, error) {
	paths, err := s.view.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var folders []string
	for _, p := range paths {
		at, err := s.view.Resolve(p)
		if err != nil || at.Node.Kind != tree.File || at.Node.Size > maxConfig {
			continue
		}
		data, err := at.Node.ReadAll(maxConfig)
		if err != nil {
			return nil, err
		}
		for _, match := range l.folders.FindAllSubmatch(data, -1) {
			folders = append(folders, string(match[1]))
		}
	}
	return folders, nil
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
		reason := record.Reason{Rule: record.RuleInterpreterLibrary, From: it.path, Detail: "the standard library of " + it.node.Name()}
		err = at.Node.Walk(func(n *tree.Node) error {
			inside := strings.TrimPrefix(strings.TrimPrefix(n.Path(), top), "/")
			switch left := inside != "" && matchesAny(l.without, inside); {
			case left && n.Kind == tree.Dir:
				return tree.SkipDir
			case !left && n.Kind != tree.Dir && (s.in.Interpreters != "minimal" || l.isMinimal(top, inside)):
				// Through the links by which the interpreter goes there.
				out.needs(edge{to: path.Join(folder, inside), reason: reason, broad: true})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// loadsBefore says whether one of the files is an interpreter that has loaded a
// library before any module that needs it.
func loadsBefore(files []*tree.Node, library string) bool {
	for _, l := range languages {
		if l.engine == library && slices.ContainsFunc(files, func(n *tree.Node) bool { return n.Executable() && l.program.MatchString(n.Name()) }) {
			return true
		}
	}
	return false
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
