package rootfs

import (
	"fmt"
	"slices"
	"strings"

	"smith/internal/smithfile"
)

// nsswitch looks everything up in files, and hosts in the DNS as well
// (nsswitch.conf(5)).
const nsswitch = `passwd:     files
shadow:     files
group:      files
hosts:      files dns
`

// hosts is an /etc/hosts (hosts(5)) of a machine without a name.
const hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

// home is where a process may write.
const home = "/write"

// passwd returns /etc/passwd (passwd(5)): the built-in users, and the image's
// where it is none of them.
func passwd(u smithfile.User) string {
	var b strings.Builder
	for id, name := range smithfile.BuiltinUsers() {
		fmt.Fprintf(&b, "%s:x:%d:%d:%s:%s:\n", name, id, id, name, home)
	}
	if u.UID >= len(smithfile.BuiltinUsers()) {
		fmt.Fprintf(&b, "%s:x:%d:%d:%s:%s:\n", u.Name, u.UID, u.GID, u.Name, home)
	}
	return b.String()
}

// group returns /etc/group (group(5)): the built-in groups, the user's own
// where it is none of them, and further groups, whose ids are counted up from
// the own group's past those that are taken. The user is a member of these.
func group(u smithfile.User, further []string, taken map[int]bool) string {
	builtin := smithfile.BuiltinGroups()
	member := func(name string) string {
		if slices.Contains(further, name) {
			return u.Name
		}
		return ""
	}
	var b strings.Builder
	for id, name := range builtin {
		fmt.Fprintf(&b, "%s:x:%d:%s\n", name, id, member(name))
	}
	if u.GID >= len(builtin) {
		fmt.Fprintf(&b, "%s:x:%d:%s\n", u.Group, u.GID, member(u.Group))
	}
	id := u.GID
	known := append(builtin, u.Group)
	for _, name := range further {
		if slices.Contains(known, name) {
			continue
		}
		known = append(known, name)
		for id = max(id+1, len(builtin)); taken[id]; {
			id++
		}
		fmt.Fprintf(&b, "%s:x:%d:%s\n", name, id, u.Name)
	}
	return b.String()
}
