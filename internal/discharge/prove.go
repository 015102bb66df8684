package discharge

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
)

// maintainerTools are packages that the scripts of other packages call when
// they are installed or removed, and no program at run time (Debian Policy,
// 3.9.1 debconf, 9.2 adduser, 9.3 init-system-helpers; ucf(1); the packages'
// own descriptions). Where a kept file calls one all the same, the closure
// keeps it.
var maintainerTools = []string{
	"debconf", "cdebconf", "ucf", "adduser", "init-system-helpers", "lsb-base", "sysvinit-utils", "dpkg", "install-info", "update-inetd",
	"sgml-base", "xml-core", "emacsen-common", "dbconfig-common", "dictionaries-common", "tex-common", "systemd", "systemd-sysv", "dbus",
	"systemd-standalone-sysusers", "opensysusers", "ca-certificates-java", "ssl-cert", "javascript-common", "bsdextrautils", "logrotate",
	"cron", "anacron", "python3-minimal", "java-common", "shadow-utils", "initscripts", "chkconfig", "policycoreutils", "selinux-policy",
}

// prove looks for a proof that a package does not need a dependency of which no
// file is kept.
func (j *judge) prove(ctx context.Context, v Verdict, user int, files []string) (Verdict, error) {
	if slices.Contains(maintainerTools, j.set[v.To].Name) {
		v.Outcome, v.Why = Unneeded, "only the scripts of packages use it"
		return v, nil
	}
	if isCLibrary(j.set[user]) {
		v.Outcome, v.Why = Unneeded, "what the C library loads is kept by rules of its own"
		return v, nil
	}
	kinds := sorted(files)
	var err error
	switch {
	case len(kinds.modules) > 0:
		return j.modules(v, user, kinds, files), nil
	case len(kinds.libraries) > 0:
		v, err = j.library(ctx, v, user, kinds, files)
	case len(kinds.plugins) > 0:
		v = plugins(v, kinds, files)
	case len(kinds.programs) > 0:
		v, err = j.programs(ctx, v, user, kinds)
	default:
		v.Outcome, v.Files, v.Why = Undischarged, files, "data that may be read"
	}
	return v, err
}

// isCLibrary reports whether a package is glibc or musl.
func isCLibrary(p Package) bool { return p.Source == "glibc" || p.Source == "musl" }

// modules judges modules of a language: only files of that language load them.
func (j *judge) modules(v Verdict, user int, kinds kinds, files []string) Verdict {
	spoken := languagesOf(slices.Concat(j.facts.Kept(user), j.facts.Brought(user)))
	var names []string
	for _, l := range kinds.languages {
		if spoken[l] {
			v.Outcome, v.Files, v.Why = Undischarged, without(files, kinds.programs), "modules of "+l+" that may be loaded"
			return v
		}
		names = append(names, l)
	}
	v.Outcome, v.Why = Unneeded, fmt.Sprintf("modules of %s, and no kept file of %s is of that language", strings.Join(names, " and "), j.set[user].Name)
	return v
}

// library judges a package of shared libraries: the closure keeps those that
// kept objects need. A dependency that none of the package's objects explains
// was written by hand, for a library that is loaded by name.
func (j *judge) library(ctx context.Context, v Verdict, user int, kinds kinds, files []string) (Verdict, error) {
	var names []string
	for _, l := range kinds.libraries {
		names = append(names, path.Base(l))
	}
	needed, err := j.facts.Needed(ctx, user, names)
	if err != nil {
		return v, err
	}
	if needed || onlyRuled(kinds.plugins) && len(kinds.plugins) > 0 {
		v.Outcome, v.Why = Unneeded, fmt.Sprintf("no kept object needs %s", names[0])
		return v, nil
	}
	v.Outcome, v.Files, v.Why = Undischarged, without(files, kinds.programs), fmt.Sprintf("no object of %s needs %s: it may load it by name", j.set[user].Name, names[0])
	return v, nil
}

// plugins judges a package of modules that a library or program loads from a
// directory of its own.
func plugins(v Verdict, kinds kinds, files []string) Verdict {
	if onlyRuled(kinds.plugins) {
		v.Outcome, v.Why = Unneeded, "no configuration of the image names one of its modules"
		return v
	}
	v.Outcome, v.Files, v.Why = Undischarged, without(files, kinds.programs), "plugins that may be loaded"
	return v
}

// programs judges a package of programs: without a call of one, it is not
// needed.
func (j *judge) programs(ctx context.Context, v Verdict, user int, kinds kinds) (Verdict, error) {
	var names []string
	for _, p := range kinds.programs {
		names = append(names, path.Base(p))
	}
	if l := interpreterOf(names, languagesOf(j.facts.Kept(user))); l != "" {
		v.Outcome, v.Why = Undischarged, "runs the "+l+" files of "+j.set[user].Name
		v.Files = slices.Concat(kinds.programs, kinds.data)
		slices.Sort(v.Files)
		return v, nil
	}
	program, from, err := j.facts.Calls(ctx, user, names)
	if err != nil {
		return v, err
	}
	if program == "" {
		v.Outcome, v.Why = Unneeded, fmt.Sprintf("no kept file of %s calls %s", j.set[user].Name, few(names))
		return v, nil
	}
	v.Outcome, v.Why = Undischarged, from+" names the command "+program
	for _, p := range kinds.programs {
		if path.Base(p) == program {
			v.Files = append(v.Files, p)
		}
	}
	v.Files = append(v.Files, kinds.data...)
	slices.Sort(v.Files)
	return v, nil
}

// few names the first of some things.
func few(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " or others of its programs"
	}
	return strings.Join(names, " or ")
}

// without returns the paths that are not among others.
func without(paths, others []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return slices.Contains(others, p) })
}
