package closure

import (
	"context"
	"slices"
	"strings"

	"smith/internal/record"
	"smith/internal/tree"
)

// nsswitchPath is where glibc reads which modules look names up
// (nsswitch.conf(5)).
const nsswitchPath = "/etc/nsswitch.conf"

// builtinServices are those of the nsswitch.conf that smith writes.
var builtinServices = []string{"dns", "files"}

// nss brings the modules by which glibc looks names up: libnss_NAME.so.2 for
// each service in the nsswitch.conf that the image will have. Since glibc 2.34
// libc.so.6 holds "files" and "dns" itself. Other services are kept where the
// source has them: glibc goes on without.
func nss(ctx context.Context, s *selector, out *outcome) error {
	libc := s.library("libc.so.6")
	if libc == nil {
		return nil
	}
	services, where, err := s.services()
	if err != nil {
		return err
	}
	for _, service := range services {
		name := "libnss_" + service + ".so.2"
		reason := record.Reason{Rule: "nss", From: libc.path, Detail: name + ", for " + service + " in " + where}
		found, missing, err := s.loader.Find(ctx, name, libc.path)
		if err != nil {
			return err
		}
		switch {
		case missing == nil:
			out.needs(edge{to: found.Path, names: []string{name}, reason: reason})
		case slices.Contains(builtinServices, service) && !s.holdsNames(libc):
			out.lacks(Problem{
				Name: name, From: libc.path, Text: "not found, and this glibc cannot do " + service + " without it", Searched: missing.Searched,
			})
		}
	}
	return nil
}

// holdsNames says whether a libc has the services "files" and "dns" built in.
func (s *selector) holdsNames(libc *item) bool {
	f, err := s.loader.ELF(libc.node)
	return err == nil && slices.Contains(f.VersionDefs, "GLIBC_2.34")
}

// services returns the names of the services that the image will use, sorted.
func (s *selector) services() (names []string, where string, err error) {
	n := s.inImage(nsswitchPath)
	if n == nil && s.in.NSS {
		return builtinServices, "nss", nil
	}
	if n == nil {
		return nil, "", nil
	}
	data, err := n.ReadAll(maxConfig)
	if err != nil {
		return nil, "", err
	}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		_, list, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		for _, word := range strings.Fields(withoutActions(list)) {
			if !strings.Contains(word, "/") {
				names = append(names, word)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nsswitchPath, nil
}

// withoutActions drops "[NOTFOUND=return]" and the like.
func withoutActions(list string) string {
	for {
		before, rest, open := strings.Cut(list, "[")
		if !open {
			return list
		}
		_, after, _ := strings.Cut(rest, "]")
		list = before + " " + after
	}
}

// maxConfig bounds the configuration files that rules read.
const maxConfig = 1 << 20

// library returns the kept file of that name, or nil. Of several the first by
// path is taken.
func (s *selector) library(pattern string) *item {
	var first *item
	for n, it := range s.items {
		if n.Kind == tree.File && strings.Contains(n.Name(), ".so") && tree.Match(pattern, n.Name()) && (first == nil || it.path < first.path) {
			first = it
		}
	}
	return first
}

// inImage returns the file that the image will have at a path, as things
// stand, or nil: kept, or in the parent.
func (s *selector) inImage(name string) *tree.Node {
	at, err := s.view.Resolve(name)
	if err != nil || at.Node.Kind != tree.File {
		return nil
	}
	if s.items[at.Node] == nil && s.view.holder(at.Node) == ofSource {
		return nil
	}
	return at.Node
}
