package archive

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"smith/internal/oci/image"
)

// Tags returns the tags of the archive's images, sorted and each once. An
// image without one is left out.
func (a *Archive) Tags() []string {
	tags := map[string]bool{}
	for _, e := range a.entries {
		for _, name := range e.names {
			tags[tagOf(name)] = true
		}
	}
	return slices.Sorted(maps.Keys(tags))
}

// tagOf returns the tag of a name, which may be a full reference
// (registry.example.org/team/app:1.2) or the tag alone: both stand in
// org.opencontainers.image.ref.name.
func tagOf(name string) string {
	last := name[strings.LastIndexByte(name, '/')+1:]
	if _, tag, ok := strings.Cut(last, ":"); ok {
		return tag
	}
	if last == name {
		return name
	}
	return image.DefaultTag
}

func (e entry) has(tag string) bool {
	return slices.ContainsFunc(e.names, func(name string) bool { return name == tag || tagOf(name) == tag })
}

// choose returns the entries that a tag names; there are several where each
// stands for platforms of its own. With no tag it is "latest" if that is
// there, else the only image.
func (a *Archive) choose(tag string) ([]entry, error) {
	wanted := tag
	if tag == "" {
		wanted = image.DefaultTag
	}
	var found []entry
	for _, e := range a.entries {
		if e.has(wanted) {
			found = append(found, e)
		}
	}
	switch {
	case len(found) == 0 && tag != "":
		return nil, fmt.Errorf("it has no tag %q; %s", tag, a.listTags())
	case len(found) == 0:
		found = a.entries
	}
	names := map[string]bool{}
	for _, e := range found {
		name := ""
		if len(e.names) > 0 {
			name = e.names[0]
		}
		names[name] = true
	}
	if len(names) == 1 {
		return found, nil
	}
	if tag != "" {
		list := slices.Sorted(maps.Keys(names))
		return nil, fmt.Errorf("tag %q names several images: %s", tag, strings.Join(list, ", "))
	}
	return nil, fmt.Errorf("it holds several images; name one by its tag (…:TAG); %s", a.listTags())
}

func (a *Archive) listTags() string {
	if tags := a.Tags(); len(tags) > 0 {
		return "it has the tags: " + strings.Join(tags, ", ")
	}
	return "it has no tags: leave the tag out"
}
