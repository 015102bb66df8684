package closure

import (
	"context"
	"slices"
	"strings"

	"smith/internal/tree"
	"smith/record"
)

// nsswitchPath is where glibc reads which modules look names up
// (nsswitch.conf(5)).
const nsswitchPath = "/etc/nsswitch.conf"

// builtinServices are those of the nsswitch.conf that smith writes.
var builtinServices = []string{"dns", "files"}

// lookups are functions of glibc's that look names up.
var lookups = []string{
	"getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname2", "gethostbyname_r", "gethostbyname2_r", "gethostbyaddr", "gethostbyaddr_r",
	"getpwnam", "getpwnam_r", "getpwuid", "getpwuid_r", "getgrnam", "getgrnam_r", "getgrgid", "getgrgid_r", "initgroups", "getgrouplist",
	"getservbyname", "getservbyname_r", "getservbyport", "getservbyport_r", "getprotobyname", "getprotobyname_r",
}

// nss brings the modules by which glibc looks names up: libnss_NAME.so.2 for
// each service in the nsswitch.conf that the image will have. Since glibc 2.34
// libc.so.6 holds "files" and "dns" itself; before, they are also what a
// program without nsswitch.conf gets. Other services are kept where the source
// has them: glibc goes on without.
func nss(ctx context.Context, s *selector, out *outcome) error {
	libc := s.library("libc.so.6")
	if libc == nil {
		return nil
	}
	services, err := s.services(libc)
	if err != nil {
		return err
	}
	for _, service := range services.names {
		name := "libnss_" + service + ".so.2"
		reason := record.Reason{Rule: record.RuleNSS, From: libc.path, Detail: name + ", for " + service + " in " + services.where}
		found, missing, err := s.loader.Find(ctx, name, libc.path)
		if err != nil {
			return err
		}
		switch {
		case missing == nil:
			out.needs(edge{to: found.Path, names: []string{name}, reason: reason})
		case s.holdsNames(libc) || !slices.Contains(builtinServices, service):
		case services.asked:
			out.lacks(Problem{
				Name: name, From: libc.path, Text: "not found, and this glibc cannot do " + service + " without it", Searched: missing.Searched,
			})
		default:
			out.warn("the source has no " + name + ", without which this glibc cannot do " + service + " (" + services.where + ")")
		}
	}
	return nil
}

// holdsNames says whether a libc has the services "files" and "dns" built in.
func (s *selector) holdsNames(libc *item) bool {
	f, err := s.loader.ELF(libc.node)
	return err == nil && slices.Contains(f.VersionDefs, "GLIBC_2.34")
}

// nameServices are the services that the image will use, sorted.
type nameServices struct {
	names []string
	where string
	asked bool // whether the image's configuration names them
}

func (s *selector) services(libc *item) (found nameServices, err error) {
	n := s.inImage(nsswitchPath)
	if n == nil && s.in.NSS {
		return nameServices{builtinServices, "nss", true}, nil
	}
	if n == nil {
		return s.defaultServices(libc)
	}
	data, err := n.ReadAll(maxConfig)
	if err != nil {
		return found, err
	}
	found = nameServices{where: nsswitchPath, asked: true}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		_, list, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		for _, word := range strings.Fields(withoutActions(list)) {
			if !strings.Contains(word, "/") {
				found.names = append(found.names, word)
			}
		}
	}
	slices.Sort(found.names)
	found.names = slices.Compact(found.names)
	return found, nil
}

// defaultServices returns what glibc looks names up with where there is no
// nsswitch.conf, if anything kept looks names up and this glibc needs modules
// for it.
func (s *selector) defaultServices(libc *item) (found nameServices, err error) {
	if s.holdsNames(libc) {
		return found, nil
	}
	for _, it := range s.sorted() {
		if it.node.Kind != tree.File {
			continue
		}
		use, err := s.firstImport(it, lookups)
		if err != nil {
			return found, err
		}
		if use != "" {
			return nameServices{names: builtinServices, where: "glibc's defaults, for " + use + " in " + it.path}, nil
		}
	}
	return found, nil
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

// library returns the first kept library by path whose name a glob matches, or
// nil.
func (s *selector) library(pattern string) *item {
	if all := s.libraries(pattern); len(all) > 0 {
		return all[0]
	}
	return nil
}

// libraries returns the kept libraries whose names a glob matches, by path.
func (s *selector) libraries(pattern string) []*item {
	var all []*item
	for n, it := range s.items {
		if n.Kind == tree.File && tree.Match(pattern, n.Name()) {
			all = append(all, it)
		}
	}
	slices.SortFunc(all, func(a, b *item) int { return comparePaths(a.path, b.path) })
	return all
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
