package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"smith/internal/distro/accounts"
	"smith/internal/tree"
)

// accountFiles returns /etc/passwd and /etc/group: the parent's lines, then
// those that the image needs and the parent lacks.
func accountFiles(f Furniture) (map[string]string, error) {
	users, err := parentLines(f.Parent, "/etc/passwd")
	if err != nil {
		return nil, err
	}
	groups, err := parentLines(f.Parent, "/etc/group")
	if err != nil {
		return nil, err
	}
	for _, line := range users {
		if name, id := account(line); name == f.User.Name && f.User.Named && id != f.User.UID {
			return nil, fmt.Errorf("the parent's /etc/passwd gives user %s the id %d, not %d: write user: %[2]d, or choose another name", name, id, f.User.UID)
		}
	}
	taken := map[int]bool{}
	for _, line := range groups {
		_, id := account(line)
		taken[id] = true
	}
	own := map[string]string{"/etc/passwd": passwd(f.User), "/etc/group": group(f.User, f.Groups, taken)}
	if f.Others != nil {
		more := others(f.Others, append(users, splitLines(own["/etc/passwd"])...), append(groups, splitLines(own["/etc/group"])...))
		own["/etc/passwd"], own["/etc/group"] = own["/etc/passwd"]+more[0], own["/etc/group"]+more[1]
	}
	return map[string]string{"/etc/passwd": merged(users, own["/etc/passwd"]), "/etc/group": merged(groups, own["/etc/group"])}, nil
}

// maxAccounts bounds a parent's /etc/passwd or /etc/group, in bytes.
const maxAccounts = 8 << 20

// parentLines returns the lines of a file of the parent, none where it has no
// such file.
func parentLines(parent *tree.Tree, name string) ([]string, error) {
	if parent == nil {
		return nil, nil
	}
	at, err := parent.Resolve(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && at.Node.Kind != tree.File {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the parent's %s: %w", name, err)
	}
	data, err := at.Node.ReadAll(maxAccounts)
	if err != nil {
		return nil, fmt.Errorf("cannot read the parent's %s: %w", name, err)
	}
	return splitLines(string(data)), nil
}

// splitLines returns the lines of a text that are not empty.
func splitLines(text string) []string {
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" {
			all = append(all, line)
		}
	}
	return all
}

// others returns the lines of /etc/passwd and /etc/group for the accounts of
// packages, beside those that some lines have already. Members that a known
// group gets are in a line of its own, to be merged.
func others(set *accounts.Set, users, groups []string) [2]string {
	ids := func(lines []string) map[string]int {
		all := map[string]int{}
		for _, line := range lines {
			if name, id := account(line); id >= 0 {
				all[name] = id
			}
		}
		return all
	}
	knownUsers, knownGroups := ids(users), ids(groups)
	more, moreGroups := set.Resolve(knownUsers, knownGroups)
	var text [2]string
	for _, u := range more {
		if _, known := knownUsers[u.Name]; !known {
			text[0] += fmt.Sprintf("%s:x:%d:%d:%s:%s:\n", u.Name, u.ID, u.GroupID, u.Comment, u.Home)
		}
	}
	for _, g := range moreGroups {
		if _, known := knownGroups[g.Name]; !known {
			text[1] += fmt.Sprintf("%s:x:%d:%s\n", g.Name, g.ID, strings.Join(g.Members, ","))
		}
	}
	return text
}

// account returns the name and id of a line of passwd(5) or group(5); the id is
// -1 where it is not a number.
func account(line string) (name string, id int) {
	fields := strings.SplitN(line, ":", 4)
	if len(fields) < 3 {
		return fields[0], -1
	}
	n, err := strconv.ParseUint(fields[2], 10, 32)
	if err != nil {
		return fields[0], -1
	}
	return fields[0], int(n)
}

// merged appends the lines of a text that have a name of their own. Members of
// a group that both have are added to the line that stays.
func merged(lines []string, text string) string {
	at := map[string]int{}
	for i, line := range lines {
		if name, _ := account(line); name != "" {
			if _, known := at[name]; !known {
				at[name] = i
			}
		}
	}
	all := append([]string(nil), lines...)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		name, _ := account(line)
		if i, known := at[name]; known {
			all[i] = withMembers(all[i], line)
			continue
		}
		all = append(all, line)
	}
	return strings.Join(all, "\n") + "\n"
}

// groupFields is how many fields a line of group(5) has; the last one lists the
// members.
const groupFields = 4

// withMembers adds the members of one line of group(5) to another.
func withMembers(line, other string) string {
	have, more := strings.Split(line, ":"), strings.Split(other, ":")
	if len(have) != groupFields || len(more) != groupFields || more[3] == "" {
		return line
	}
	members := strings.FieldsFunc(have[3], func(r rune) bool { return r == ',' })
	for member := range strings.SplitSeq(more[3], ",") {
		known := false
		for _, m := range members {
			known = known || m == member
		}
		if !known {
			members = append(members, member)
		}
	}
	have[3] = strings.Join(members, ",")
	return strings.Join(have, ":")
}
