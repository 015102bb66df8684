package lock

import (
	"slices"
	"strings"
)

// Requests are what the spec asked for, under the keys that it has there.
type Requests struct {
	// Packages are names, with versions where the spec has them, and files.
	Packages []string `yaml:"packages,omitempty"`
	// Modules are streams of RPM modules, "nodejs:20".
	Modules []string `yaml:"modules,omitempty"`
	// DebugDeps are additional packages with debug information.
	DebugDeps []string `yaml:"debugdeps,omitempty"`
	// Recommends reports whether recommended packages were included.
	Recommends bool `yaml:"recommends,omitempty"`
	// DebugInfo reports whether packages with debug information were included.
	DebugInfo bool `yaml:"debuginfo,omitempty"`
}

// IsZero reports whether nothing was asked for.
func (r Requests) IsZero() bool { return len(r.all()) == 0 }

// Sort sorts the lists and removes duplicates.
func (r *Requests) Sort() {
	for _, list := range []*[]string{&r.Packages, &r.Modules, &r.DebugDeps} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
}

// A request is one of all, comparable.
type request struct{ kind, name string }

func (r request) String() string { return r.kind + r.name }

// all returns the requests in the order of the fields.
func (r Requests) all() []request {
	var all []request
	for _, list := range []struct {
		kind  string
		names []string
	}{{"", r.Packages}, {"module ", r.Modules}, {"the debug information of ", r.DebugDeps}} {
		for _, name := range list.names {
			all = append(all, request{list.kind, name})
		}
	}
	if r.Recommends {
		all = append(all, request{kind: "recommended packages"})
	}
	if r.DebugInfo {
		all = append(all, request{kind: "debug information"})
	}
	return all
}

// Changes describes how the requests of the spec now differ from those of the
// lock, "" if they do not.
func (r Requests) Changes(now Requests) string {
	before, after := r.all(), now.all()
	var changes []string
	for _, one := range after {
		if !slices.Contains(before, one) {
			changes = append(changes, "the spec now asks for "+one.String())
		}
	}
	for _, one := range before {
		if !slices.Contains(after, one) {
			changes = append(changes, "the spec no longer asks for "+one.String())
		}
	}
	return strings.Join(changes, ", ")
}
