package record

import "strings"

// A Rule is why a path is in an image. The set is closed: a later version of
// smith may add rules, and programs that read records should show a rule that
// they do not know by its name.
type Rule string

// The rules. RuleInfos describes each.
const (
	// What the spec asks for.
	RulePath    Rule = "path"
	RuleOverlay Rule = "overlay"
	RuleBundle  Rule = "bundle"
	RuleEnv     Rule = "env"
	RuleService Rule = "service"

	// What the dynamic linker loads when a program starts.
	RuleInterpreter Rule = "interpreter"
	RuleNeeded      Rule = "needed"
	RulePreload     Rule = "preload"
	RuleFilter      Rule = "filter"
	RuleAuxiliary   Rule = "auxiliary"
	RuleAudit       Rule = "audit"
	RuleHwcaps      Rule = "hwcaps"
	RuleCache       Rule = "cache"

	// What programs load or read while they run.
	RuleDlopen             Rule = "dlopen"
	RuleUnwind             Rule = "unwind"
	RuleNSS                Rule = "nss"
	RuleGconv              Rule = "gconv"
	RulePlugin             Rule = "plugin"
	RuleData               Rule = "data"
	RuleScript             Rule = "script"
	RuleCommand            Rule = "command"
	RuleImport             Rule = "import"
	RuleInterpreterLibrary Rule = "interpreter-library"
	RuleDepends            Rule = "depends"
	RuleSymlink            Rule = "symlink"

	// What holds the rest together.
	RuleWay      Rule = "way"
	RuleSkeleton Rule = "skeleton"
	RuleMount    Rule = "mount"
	RuleAccount  Rule = "account"

	// What describes the image to others.
	RulePackageDatabase Rule = "package-database"
	RuleLicense         Rule = "license"
	RuleDebugInfo       Rule = "debuginfo"
)

// A Role says what the files of a rule are to an image.
type Role uint8

// The roles of rules.
const (
	// RoleAsked is what the spec asks for.
	RoleAsked Role = iota + 1
	// RoleNeed is what a kept file needs.
	RoleNeed
	// RoleStructure is what holds the rest together: directories and links on
	// the way, mount points, accounts.
	RoleStructure
	// RoleMetadata is what tells others about the image; no program of the image
	// needs it.
	RoleMetadata
)

// A RuleInfo describes a rule.
type RuleInfo struct {
	Rule Rule
	Role Role
	// Keeps says in one phrase what the rule keeps.
	Keeps string
}

// RuleInfos returns the description of every rule.
func RuleInfos() []RuleInfo {
	return []RuleInfo{
		{RulePath, RoleAsked, "what smith.yaml names: `paths`, the files of a package, the entry point"},
		{RuleOverlay, RoleAsked, "what lies in `rootfs/`"},
		{RuleBundle, RoleAsked, "data that programs expect, by the key `bundles`"},
		{RuleEnv, RoleAsked, "what a variable of the image's environment names"},
		{RuleService, RoleAsked, "what a unit of systemd or an init script of the package says"},

		{RuleInterpreter, RoleNeed, "the program interpreter of an executable: the dynamic linker"},
		{RuleNeeded, RoleNeed, "a library that an object needs (`DT_NEEDED`)"},
		{RulePreload, RoleNeed, "a library of `LD_PRELOAD` or `/etc/ld.so.preload`"},
		{RuleFilter, RoleNeed, "a library that an object filters (`DT_FILTER`)"},
		{RuleAuxiliary, RoleNeed, "a library that an object filters if it is present (`DT_AUXILIARY`)"},
		{RuleAudit, RoleNeed, "an auditor (`LD_AUDIT`, `DT_AUDIT`, `DT_DEPAUDIT`) and what it needs"},
		{RuleHwcaps, RoleNeed, "a variant of a kept library for newer processors"},
		{RuleCache, RoleNeed, "`/etc/ld.so.cache`, through which the linker finds a kept library"},

		{RuleDlopen, RoleNeed, "a library that an object's own note (`.note.dlopen`) names"},
		{RuleUnwind, RoleNeed, "`libgcc_s.so.1`, which glibc loads when a thread ends or is cancelled"},
		{RuleNSS, RoleNeed, "a module of the name service switch and its configuration"},
		{RuleGconv, RoleNeed, "a converter of `iconv` and the list of converters"},
		{RulePlugin, RoleNeed, "a module that the configuration of a kept library names"},
		{RuleData, RoleNeed, "a path that a kept file names in its read-only data"},
		{RuleScript, RoleNeed, "the program after `#!`"},
		{RuleCommand, RoleNeed, "a command that a shell script calls"},
		{RuleImport, RoleNeed, "a module that a script imports"},
		{RuleInterpreterLibrary, RoleNeed, "the standard library of an interpreter"},
		{RuleDepends, RoleNeed, "a dependency of a kept package that nothing else discharges"},
		{RuleSymlink, RoleNeed, "the target of a kept symlink"},

		{RuleWay, RoleStructure, "a directory or symlink on the way to a kept file"},
		{RuleSkeleton, RoleStructure, "a directory of every microcontainer"},
		{RuleMount, RoleStructure, "the mount point of a volume"},
		{RuleAccount, RoleStructure, "the accounts of the image's users"},

		{RulePackageDatabase, RoleMetadata, "what tells scanners of the packages and their distribution"},
		{RuleLicense, RoleMetadata, "the copyright file of a package"},
		{RuleDebugInfo, RoleMetadata, "the debug information of a kept object"},
	}
}

// Info returns the description of a rule. An unknown one, which another
// version of smith wrote, is a need.
func (r Rule) Info() (info RuleInfo, known bool) {
	for _, info := range RuleInfos() {
		if info.Rule == r {
			return info, true
		}
	}
	return RuleInfo{Rule: r, Role: RoleNeed}, false
}

// Role returns the role of a rule.
func (r Rule) Role() Role {
	info, _ := r.Info()
	return info.Role
}

// IsEdge reports whether a reason of the rule belongs into the graph of what
// brought what, in which the structure of the image has no place.
func (r Rule) IsEdge() bool { return r.Role() != RoleStructure }

// String describes a reason in a few words, for a reader who sees the path it
// belongs to and the one that it comes from.
func (r Reason) String() string {
	switch {
	case r.Rule == RuleWay:
		return "on the way to " + r.From
	case r.Rule == RuleSymlink:
		return "target of the symlink"
	case r.Detail == "":
		return string(r.Rule)
	case r.Rule == RulePath, strings.HasPrefix(r.Detail, string(r.Rule)):
		return r.Detail
	case r.Rule == RuleNeeded:
		return "needs " + r.Detail
	case r.Rule == RuleImport:
		return "imports " + r.Detail
	case r.Rule == RuleCommand:
		return "runs " + r.Detail
	}
	return string(r.Rule) + ": " + r.Detail
}
