package discharge

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// kinds are the files of a package by how a process comes upon them.
type kinds struct {
	programs  []string // in a directory of PATH
	libraries []string // in a directory that the dynamic linker searches
	modules   []string // of languages
	plugins   []string // shared objects elsewhere
	data      []string
	languages []string // of the modules, sorted
}

// sorted sorts the files of a package by their kind.
func sorted(files []string) kinds {
	var k kinds
	for _, f := range files {
		l := moduleOf(f)
		switch {
		case isProgram(f):
			k.programs = append(k.programs, f)
		case l != "":
			k.modules = append(k.modules, f)
			if !slices.Contains(k.languages, l) {
				k.languages = append(k.languages, l)
			}
		case isLibrary(f):
			k.libraries = append(k.libraries, f)
		case IsObject(f):
			k.plugins = append(k.plugins, f)
		default:
			k.data = append(k.data, f)
		}
	}
	slices.Sort(k.languages)
	return k
}

func isProgram(name string) bool {
	switch path.Dir(name) {
	case "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/games":
		return true
	}
	return false
}

var object = regexp.MustCompile(`\.so(\.[0-9][^/]*)?$`)

// IsObject reports whether a path has the name of a shared object.
func IsObject(name string) bool { return object.MatchString(name) }

// libraryDirectory matches what the linkers search by default: lib and lib64,
// Debian's multiarch directories below them.
var libraryDirectory = regexp.MustCompile(`^(/usr)?/lib(32|64|x32)?(/[a-z0-9_]+-linux-[a-z0-9]+)?$`)

func isLibrary(name string) bool {
	return IsObject(name) && libraryDirectory.MatchString(path.Dir(name))
}

// A language is one whose files load modules by name.
type language struct {
	name string
	// directories match where distributions install its modules (the languages'
	// packaging policies of Debian and Fedora).
	directories *regexp.Regexp
	// files match the names of its files, interpreters those of the programs and
	// libraries that run them.
	files, interpreters *regexp.Regexp
}

var languages = []language{
	{
		"Python", regexp.MustCompile(`^/usr/lib(64)?/(python3|pypy3|python3\.\d+)/(dist|site)-packages/`),
		regexp.MustCompile(`\.py$`), regexp.MustCompile(`^(python3?(\.\d+)?|libpython3.*\.so.*|pypy3)$`),
	},
	{
		"Perl", regexp.MustCompile(`^/usr/(share/perl5?|lib(64)?/perl5?|lib/[^/]+/perl(5|-base)?)/`),
		regexp.MustCompile(`\.(pl|pm)$`), regexp.MustCompile(`^(perl(5[.\d]*)?|libperl\.so.*)$`),
	},
	{
		"Ruby", regexp.MustCompile(`^(/usr/(lib|share)(/[^/]+)?/ruby/|/usr/share/(rubygems-integration|gems|ruby)/|/var/lib/gems/)`),
		regexp.MustCompile(`\.rb$`), regexp.MustCompile(`^(j?ruby(\d[.\d]*)?|libruby.*\.so.*)$`),
	},
	{
		"JavaScript", regexp.MustCompile(`^/usr/(share/(nodejs|node_modules)|lib(/[^/]+)?/(nodejs|node_modules))/`),
		regexp.MustCompile(`\.[cm]?js$`), regexp.MustCompile(`^(node(js)?|libnode\.so.*)$`),
	},
	{
		"PHP", regexp.MustCompile(`^/usr/share/(php|pear)/`),
		regexp.MustCompile(`\.php$`), regexp.MustCompile(`^(php(-fpm|-cgi)?[\d.]*|libphp.*\.so)$`),
	},
	{
		"Java", regexp.MustCompile(`^/usr/(share/(java|maven-repo)|lib/java)/`),
		regexp.MustCompile(`\.(jar|class)$`), regexp.MustCompile(`^(java|libjli\.so|libjvm\.so)$`),
	},
	{
		"Tcl", regexp.MustCompile(`^/usr/(share|lib(64)?(/[^/]+)?)/(tcltk|tcl\d[^/]*)/`),
		regexp.MustCompile(`\.(tcl|tm)$`), regexp.MustCompile(`^((tclsh|wish)[\d.]*|libt(cl|k)\d.*\.so.*)$`),
	},
	{
		"Lua", regexp.MustCompile(`^/usr/(share|lib(64)?(/[^/]+)?)/lua/`),
		regexp.MustCompile(`\.lua$`), regexp.MustCompile(`^(lua[\d.]*|luajit.*|liblua.*\.so.*)$`),
	},
	{
		"R", regexp.MustCompile(`^/usr/(local/)?lib(64)?/R/(site-)?library/`),
		regexp.MustCompile(`\.[Rr]$`), regexp.MustCompile(`^(R|Rscript|libR\.so)$`),
	},
	{
		"Erlang", regexp.MustCompile(`^/usr/lib(64)?/erlang/`),
		regexp.MustCompile(`\.(beam|app|ez)$`), regexp.MustCompile(`^(erl|beam\.smp|escript)$`),
	},
	{
		"OCaml", regexp.MustCompile(`^/usr/lib(64)?/ocaml/`),
		regexp.MustCompile(`\.(cm[aox]|ml)$`), regexp.MustCompile(`^ocaml`),
	},
	{
		"Guile", regexp.MustCompile(`^/usr/(share|lib(64)?(/[^/]+)?)/guile/`),
		regexp.MustCompile(`\.(scm|go)$`), regexp.MustCompile(`^(guile.*|libguile.*\.so.*)$`),
	},
	{
		"Emacs Lisp", regexp.MustCompile(`^/usr/share/emacs(/[^/]+)?/site-lisp/`),
		regexp.MustCompile(`\.elc?$`), regexp.MustCompile(`^emacs`),
	},
	{
		"CLI", regexp.MustCompile(`^/usr/lib/(mono|cli)/`),
		regexp.MustCompile(`\.(dll|exe)$`), regexp.MustCompile(`^(mono(-sgen)?|cli)$`),
	},
}

// moduleOf returns the language of a module by where it lies, or "".
func moduleOf(name string) string {
	for _, l := range languages {
		if l.directories.MatchString(name) {
			return l.name
		}
	}
	return ""
}

// languagesOf returns the languages of some files: those that are written in
// one and those that run one.
func languagesOf(paths []string) map[string]bool {
	spoken := map[string]bool{}
	for _, p := range paths {
		base := path.Base(p)
		for _, l := range languages {
			if l.directories.MatchString(p) || l.files.MatchString(base) || l.interpreters.MatchString(base) {
				spoken[l.name] = true
			}
		}
	}
	return spoken
}

// isScriptOfOther reports whether a file is written in a language that is not
// spoken: it would bring an interpreter for its own sake.
func isScriptOfOther(name string, spoken map[string]bool) bool {
	for _, l := range languages {
		if l.files.MatchString(path.Base(name)) {
			return !spoken[l.name]
		}
	}
	return false
}

// interpreterOf returns the language that one of some programs interprets and
// that is spoken, or "".
func interpreterOf(programs []string, spoken map[string]bool) string {
	for _, l := range languages {
		if spoken[l.name] && slices.ContainsFunc(programs, l.interpreters.MatchString) {
			return l.name
		}
	}
	return ""
}

// ruled match the modules that a rule of the closure keeps by what the
// configuration of the image names: PAM, Cyrus SASL, OpenSSL, GIO, Kerberos,
// the name service switch and iconv.
var ruled = regexp.MustCompile(`/(security/pam_[^/]*|sasl2/[^/]*|(ossl-modules|engines-[^/]*)/[^/]*|gio/modules/[^/]*|krb5/plugins/.*|gconv/[^/]*|libnss_[^/]*)$`)

// onlyRuled reports whether rules decide on all of some modules.
func onlyRuled(plugins []string) bool {
	return !slices.ContainsFunc(plugins, func(p string) bool { return !ruled.MatchString(p) })
}

// ofMachine are files that describe one machine, which no image takes from a
// package.
var ofMachine = []string{"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/fstab", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/subuid", "/etc/subgid"}

func isOfMachine(name string) bool {
	return slices.Contains(ofMachine, name) || strings.HasPrefix(name, "/boot/") || strings.HasPrefix(name, "/usr/lib/.build-id/")
}
