package rpmfile

import (
	"slices"
	"strings"

	"smith/internal/distro/rpm/relation"
	"smith/internal/distro/scriptlet"
)

// Scripts returns the scriptlets that would run when the package is installed
// for the first time, by their names in spec files, in their order, with what
// rpm calls them with: the number of the package's versions that there will be
// (rpm-scriptlets(7)). One for another program than /bin/sh begins
// with a line that names it: "#!<lua>"; one that is a program alone, such as
// %post -p /sbin/ldconfig, is the command to run it. What runs when something
// else is installed, or files that begin with a path, has a Trigger.
func (p *Package) Scripts() []scriptlet.Script {
	h := p.Header
	var all []scriptlet.Script
	own := func(name string, text, program Tag, before bool) {
		if h.Has(text) || h.Has(program) {
			all = append(all, scriptlet.Script{Name: name, Text: scriptText(h.String(text), h.String(program)), Args: []string{"1"}, Before: before})
		}
	}
	own("pretrans", tagPreTrans, tagPreTransProg, true)
	own("pre", tagPreIn, tagPreInProg, true)
	own("post", tagPostIn, tagPostInProg, false)
	all = append(all, triggers(h, packageTriggers)...)
	all = append(all, triggers(h, fileTriggers)...)
	own("posttrans", tagPostTrans, tagPostTransProg, false)
	return append(all, triggers(h, transFileTriggers)...)
}

// scriptText is a script with a first line for its program.
func scriptText(text, program string) string {
	switch {
	case program == "" || program == "/bin/sh":
		return text
	case text == "":
		return program + "\n"
	}
	return "#!" + program + "\n" + text
}

// triggerTags are where one kind of triggers stands: scripts with their
// programs; and conditions, each with the number of its script.
type triggerTags struct {
	kind                         string // before "triggerin"
	scripts, programs            Tag
	names, versions, flags, from Tag
}

// The kinds of triggers (rpm's docs/manual/triggers.md and file_triggers.md).
var (
	packageTriggers = triggerTags{
		"", tagTriggerScripts, tagTriggerScriptProg, tagTriggerName, tagTriggerVersion, tagTriggerFlags, tagTriggerIndex,
	}
	fileTriggers = triggerTags{
		"file", tagFileTriggerScripts, tagFileTriggerScriptProg, tagFileTriggerName, tagFileTriggerVersion, tagFileTriggerFlags, tagFileTriggerIndex,
	}
	transFileTriggers = triggerTags{
		"transfile", tagTransFileTriggerScripts, tagTransFileTriggerScriptProg, tagTransFileTriggerName, tagTransFileTriggerVersion,
		tagTransFileTriggerFlags, tagTransFileTriggerIndex,
	}
)

// Bits of a condition's flags, beside those of a relation.
const (
	senseTriggerIn    = 1 << 16
	senseTriggerPreIn = 1 << 25
)

// triggers returns the triggers of a kind that an installation sets off; those
// of removals are left out, for nothing is removed from a new root.
func triggers(h *Header, tags triggerTags) []scriptlet.Script {
	words, conditions := conditions(h, tags)
	programs := h.Strings(tags.programs)
	var all []scriptlet.Script
	for i, text := range h.Strings(tags.scripts) {
		if c := conditions[uint64(i)]; len(c) > 0 {
			all = append(all, scriptlet.Script{
				Name: tags.kind + words[uint64(i)] + " -- " + joined(c),
				Text: scriptText(text, at(programs, i)), Args: []string{"1", "1"}, Trigger: trigger(c, tags.kind != ""),
			})
		}
	}
	return all
}

// conditions returns what sets off the scripts of triggers at an installation,
// and what such a trigger is called, by the numbers of the scripts.
func conditions(h *Header, tags triggerTags) (words map[uint64]string, all map[uint64][]relation.Relation) {
	versions, flags, scripts := h.Strings(tags.versions), h.Numbers(tags.flags), h.Numbers(tags.from)
	words, all = map[uint64]string{}, map[uint64][]relation.Relation{}
	for i, name := range h.Strings(tags.names) {
		script, flag := at(scripts, i), at(flags, i)
		switch {
		case flag&senseTriggerIn != 0:
			words[script] = "triggerin"
		case flag&senseTriggerPreIn != 0:
			words[script] = "triggerprein"
		default:
			continue
		}
		r := relation.Relation{Name: name, Op: sense(flag)}
		if r.Op != 0 {
			r.EVR = relation.ParseEVR(at(versions, i))
		}
		all[script] = append(all[script], r)
	}
	return words, all
}

// sense is the part of a condition's flags that compares versions.
func sense(flags uint64) relation.Op {
	var op relation.Op
	for bit, o := range map[uint64]relation.Op{2: relation.Less, 4: relation.Greater, 8: relation.Equal} {
		if flags&bit != 0 {
			op |= o
		}
	}
	return op
}

// joined shows conditions as a spec file has them, the first of many.
func joined(conditions []relation.Relation) string {
	const most = 10
	var words []string
	for _, r := range conditions[:min(len(conditions), most)] {
		words = append(words, r.String())
	}
	if len(conditions) > most {
		words = append(words, "…")
	}
	return strings.Join(words, " ")
}

func trigger(conditions []relation.Relation, files bool) *scriptlet.Trigger {
	t := &scriptlet.Trigger{}
	if files {
		for _, r := range conditions {
			t.Prefixes = append(t.Prefixes, r.Name)
		}
		return t
	}
	t.Package = func(name, version string) bool {
		is := relation.Relation{Name: name, Op: relation.Equal, EVR: relation.ParseEVR(version)}
		return slices.ContainsFunc(conditions, func(r relation.Relation) bool { return r.Matches(is) })
	}
	return t
}
