package smithfile

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"smith/internal/capability"
)

// A rule is the form of the values of a key. The decoder and the schema are
// made from the same rule, so that they agree as far as a schema can say it.
type rule struct {
	// form ends the sentence "… is not" of an error.
	form string
	// enum are the only values, or pattern what each matches. Patterns keep to
	// what Go and ECMA-262 (JSON Schema) both mean by them.
	enum    []string
	pattern *regexp.Regexp
	// check refuses what a pattern cannot; normal writes equal values the same.
	check  func(string) bool
	normal func(string) string
	// known are words that somebody may have meant who wrote a wrong one.
	known []string
	// remedy ends the error for a wrong value, or is nil.
	remedy func(string) string
	// hidden says that a wrong value is not shown: it may hold a password.
	hidden bool
	// plain says which values that YAML takes for something other than a
	// string are accepted, as they are written.
	plain plain
	// least and most bound the numbers where plain is decimals.
	least, most int64
	// set says that order and repetition mean nothing; keyed that the list may
	// also be written as a map with empty values.
	set, keyed bool
	// assigned says that each element is NAME=value, for which other tools have
	// a map.
	assigned bool
	// list looks at a whole list; its schema is listForms.
	list      func([]string) (form string, ok bool)
	listForms []any
}

// plain is what is read as a string beside strings.
type plain int

const (
	stringsOnly plain = iota
	// decimals takes numbers that read the same in every version of YAML.
	decimals
	// booleans takes true and false.
	booleans
	// anything takes numbers and booleans.
	anything
)

// matches says whether a value, in the form in which it was written, is one.
func (r rule) matches(value string) bool {
	switch {
	case r.enum != nil:
		return slices.Contains(r.enum, value)
	case r.pattern != nil && !r.pattern.MatchString(value):
		return false
	}
	return r.check == nil || r.check(value)
}

const (
	// segment is one element of a path that is neither "." nor "..".
	segment = `(?:[^./\x00-\x1f\x7f][^/\x00-\x1f\x7f]*|\.[^./\x00-\x1f\x7f][^/\x00-\x1f\x7f]*|\.\.[^/\x00-\x1f\x7f]+)`
	// identifier is a user's or group's name: safe in /etc/passwd, and no number.
	identifier = `[0-9]*[A-Za-z_][A-Za-z0-9_.@+-]{0,200}\$?`
	// repository is a name in a registry, optionally with the registry's host.
	repository = `(?:(?:[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+|localhost|[a-zA-Z0-9.-]+:[0-9]+)(?::[0-9]+)?/)?` +
		component + `(?:/` + component + `)*`
	component = `[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*`
	number    = `(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)`
	visible   = `[^\x00-\x20\x7f]`
)

// rules are the forms of values by the names that the tags of Spec use.
var rules = map[string]rule{
	"type": {
		form: "a type of source",
		enum: []string{"oci", "host", "mock", "rpm", "deb", "apk"},
	},
	"package": {
		form:    "a name: one line, no spaces around it",
		pattern: regexp.MustCompile(`^` + visible + `(?:[^\x00-\x1f\x7f]*` + visible + `)?$`),
	},
	"address": {
		form: "an address such as http://mirror.example.org/debian (http, https or file; " +
			"a user and password stand in ~/.netrc or apt's auth.conf, never here)",
		pattern: regexp.MustCompile(`^(?:https?://[^\x00-\x20\x7f@]+|file:/[^\x00-\x20\x7f]+)$`),
		hidden:  true,
	},
	"word": {
		form:    "a word without spaces",
		pattern: regexp.MustCompile(`^` + visible + `+$`),
	},
	"key": {
		form:    "a file or a key: it holds a NUL",
		pattern: regexp.MustCompile(`^[^\x00]+$`),
	},
	"archive": {
		form:    "a folder or an address",
		pattern: regexp.MustCompile(`^[^\x00-\x1f\x7f]+$`),
	},
	"platform": {
		form:    "a platform such as linux/amd64, linux/arm64 or linux/arm/v7",
		pattern: regexp.MustCompile(`^linux/(?:386|amd64(?:/v[1-4])?|arm(?:/v[5-7])?|arm64(?:/v[89])?|ppc64le|riscv64|s390x)$`),
		set:     true,
	},
	"name": {
		form:    "a name for an image, such as team/app:1.2 (lower case, letters and digits, with . _ - between)",
		pattern: regexp.MustCompile(`^` + repository + `(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$`),
	},
	"glob": {
		form:    `a glob: each [ and { is closed, a \ is followed by something, and no element is ".."`,
		pattern: regexp.MustCompile(`^[^\x00-\x1f\x7f]+$`),
		check:   checkGlob,
		remedy:  escapedGlob,
	},
	"missing": {
		form:    "a library's name such as libfoo.so.1, or a path",
		pattern: regexp.MustCompile(`^[^\x00-\x1f\x7f]+$`),
	},
	"dlopen":       {form: "a level", enum: []string{"required", "recommended", "suggested"}},
	"dependencies": {form: "a way to treat dependencies", enum: []string{"discharge", "keep", "none"}},
	"program-name": {form: "a program's name or a glob", pattern: regexp.MustCompile(`^[^\x00-\x20\x7f]+$`), set: true},
	"interpreters": {form: "a level", enum: []string{"minimal", "full", "none"}},
	"bundle": {
		form: "a bundle",
		enum: []string{"certificates", "timezones", "locales", "terminfo", "protocols"},
		set:  true,
	},
	"debuginfo": {
		form:   "a choice",
		enum:   []string{"true", "false", "separate"},
		plain:  booleans,
		normal: func(text string) string { return strings.TrimPrefix(text, "false") },
	},
	"hwcaps": {form: "a choice", enum: []string{"all"}},
	"charset": {
		form:    "a character set such as ISO-8859-1",
		pattern: regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:()+-]*$`),
	},
	"user": {
		form:    "a user or user:group, such as app, 1000 or 1000:1000, with ids up to 4294967294",
		pattern: regexp.MustCompile(`^(?:(?:[0-9]{1,10}|` + identifier + `)?(?::(?:[0-9]{1,10}|` + identifier + `))?)$`),
		check:   checkUser,
		plain:   decimals,
		most:    maxID,
	},
	"group": {
		form:    "a group's name: letters, digits and _ . @ + -, and not a number",
		pattern: regexp.MustCompile(`^` + identifier + `$`),
	},
	"owner": {form: "an owner", enum: []string{"root"}},
	"mount": {
		form:    `an absolute folder below / without "." and "..", such as /data`,
		pattern: regexp.MustCompile(`^/+` + segment + `(?:/+` + segment + `)*/*$`),
		normal:  cleanPath,
	},
	"program path": {
		form:    `an absolute path without "." and "..", such as /usr/bin/ping`,
		pattern: regexp.MustCompile(`^/+` + segment + `(?:/+` + segment + `)*$`),
		normal:  cleanPath,
	},
	"capability": {
		form:    "a capability of the kernel (capabilities(7)), such as net_raw",
		pattern: capabilityPattern(),
		known:   capability.Names(),
		normal:  capability.Normal,
		set:     true,
	},
	"dir": {
		form:    `an absolute folder without "." and "..", such as /data`,
		pattern: regexp.MustCompile(`^/+(?:` + segment + `(?:/+` + segment + `)*/*)?$`),
		normal:  cleanPath,
	},
	"argument": {
		form:    "an argument: it holds a NUL",
		pattern: regexp.MustCompile(`^[^\x00]*$`),
		plain:   anything,
	},
	"program": {
		form:      "an argument: it holds a NUL",
		pattern:   regexp.MustCompile(`^[^\x00]*$`),
		plain:     anything,
		list:      checkProgram,
		listForms: []any{schema{"prefixItems": []any{schema{"minLength": 1}}}},
	},
	"env": {
		form:     "NAME=value, such as LANG=C.UTF-8",
		pattern:  regexp.MustCompile(`^[^=\x00-\x20\x7f]+=[^\x00]*$`),
		assigned: true,
	},
	"label": {
		form:    "a label: it holds a NUL",
		pattern: regexp.MustCompile(`^[^\x00]*$`),
		plain:   anything,
	},
	"label key": {
		form:    "a label's name: 1 to 255 characters on one line",
		pattern: regexp.MustCompile(`^[^\x00-\x1f\x7f]{1,255}$`),
	},
	"file name": {
		form:    "a relative path without \".\" and \"..\", such as app.conf",
		pattern: regexp.MustCompile(`^` + segment + `(?:/` + segment + `)*$`),
	},
	"port": {
		form:    "a port such as 80/tcp or 53/udp (1 to 65535; tcp, udp or sctp; a range is written port by port)",
		pattern: regexp.MustCompile(`^[0-9]{1,5}(?:/(?:tcp|udp|sctp))?$`),
		check:   checkPort,
		normal:  normalPort,
		plain:   decimals,
		least:   1,
		most:    65535,
		set:     true,
		keyed:   true,
	},
	"signal": {
		form:    "a signal such as SIGTERM, SIGRTMIN+3 or 15",
		pattern: signalPattern(),
		plain:   decimals,
		least:   1,
		most:    64,
	},
	"duration": {
		form:    "a duration such as 30s or 1m30s (units ms, s, m, h; at least 1ms, or 0s)",
		pattern: regexp.MustCompile(`^(?:0|(?:` + number + `(?:ms|s|m|h))+)$`),
		check:   checkDuration,
	},
	"size": {
		form:    "a size such as 30MB or 10MiB",
		pattern: regexp.MustCompile(`^[0-9]{1,15}(?:\.[0-9]{1,3})? ?(?:B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$`),
	},
	"healthcheck": {
		form:      "an argument: it holds a NUL",
		pattern:   regexp.MustCompile(`^[^\x00]*$`),
		plain:     anything,
		list:      checkHealthcheck,
		listForms: healthcheckForms(),
	},
	"text": {
		form:    "one line of text",
		pattern: regexp.MustCompile(`^[^\x00-\x1f\x7f]+$`),
	},
	"script": {
		form:    "text: it holds a NUL",
		pattern: regexp.MustCompile(`^[^\x00]*$`),
	},
}

// checkGlob asks the library that matches globs. ".." is refused because a
// pattern's text and the tree that it is matched in read it differently.
func checkGlob(pattern string) bool {
	return doublestar.ValidatePattern(pattern) && !slices.Contains(strings.Split(pattern, "/"), "..")
}

// escapedGlob is how a file is written whose name is not a glob by itself, as
// that of test(1) in coreutils, /usr/bin/[.
func escapedGlob(pattern string) string {
	escaped := strings.NewReplacer(`[`, `\[`, `{`, `\{`).Replace(strings.TrimSuffix(pattern, `\`))
	if strings.ContainsAny(pattern, "\x00\n") || escaped == pattern || !checkGlob(escaped) {
		return ""
	}
	return "; a file of that name is written '" + escaped + "'"
}

// cleanPath takes repeated and closing slashes away.
func cleanPath(path string) string {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	return "/" + strings.Join(parts, "/")
}

func checkPort(port string) bool {
	digits, _, _ := strings.Cut(port, "/")
	n, err := strconv.Atoi(digits)
	return err == nil && n >= 1 && n <= 65535
}

// normalPort writes the protocol that a port without one has (OCI image
// configuration, ExposedPorts), and no leading zeros.
func normalPort(port string) string {
	digits, protocol, ok := strings.Cut(port, "/")
	if !ok {
		protocol = "tcp"
	}
	return strings.TrimLeft(digits, "0") + "/" + protocol
}

func checkDuration(text string) bool {
	d, err := time.ParseDuration(text)
	return err == nil && (d == 0 || d >= time.Millisecond)
}

// signalPattern is what signal(7) and the OCI image configuration allow.
func signalPattern() *regexp.Regexp {
	names := "HUP|INT|QUIT|ILL|TRAP|ABRT|IOT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|CHLD|CLD|CONT|STOP|" +
		"TSTP|TTIN|TTOU|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|POLL|PWR|SYS"
	step := `(?:[1-9]|[12][0-9]|30)`
	return regexp.MustCompile(`^(?:SIG(?:` + names + `|RTMIN(?:\+` + step + `)?|RTMAX(?:-` + step + `)?)|[1-9]|[1-5][0-9]|6[0-4])$`)
}

// capabilityPattern takes the names as they are written here and there.
func capabilityPattern() *regexp.Regexp {
	names := strings.Join(capability.Names(), "|")
	return regexp.MustCompile(`^(?:(?:cap_)?(?:` + names + `)|(?:CAP_)?(?:` + strings.ToUpper(names) + `))$`)
}

func checkProgram(words []string) (string, bool) {
	return "a program and its arguments: the first is empty", len(words) == 0 || words[0] != ""
}

// checkHealthcheck follows Docker's engine API, HealthConfig.
func checkHealthcheck(words []string) (string, bool) {
	const form = "a check: write [CMD, program, argument, …], [CMD-SHELL, command] or [NONE]"
	if len(words) == 0 {
		return form, false
	}
	switch words[0] {
	case "NONE":
		return form, len(words) == 1
	case "CMD":
		return form, len(words) > 1
	case "CMD-SHELL":
		return form, len(words) == 2
	}
	return form, false
}

func healthcheckForms() []any {
	first := func(word string) []any { return []any{schema{"const": word}} }
	return []any{
		schema{"prefixItems": first("CMD"), "minItems": 2},
		schema{"prefixItems": first("CMD-SHELL"), "minItems": 2, "maxItems": 2},
		schema{"prefixItems": first("NONE"), "minItems": 1, "maxItems": 1},
	}
}
