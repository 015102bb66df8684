package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

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
	return map[string]string{
		"/etc/passwd": merged(users, passwd(f.User)),
		"/etc/group":  merged(groups, group(f.User, f.Groups, taken)),
	}, nil
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
	var lines []string
	for line := range strings.SplitSeq(string(data), "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines, nil
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
