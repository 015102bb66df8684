package smithfile

import (
	"slices"
	"strconv"
	"strings"
)

const (
	// DefaultID is the user and group that an image runs as where nothing is
	// said, and the id of a user or group that is given by an unknown name.
	DefaultID = 10
	// DefaultName is the name of a user or group that has none.
	DefaultName = "smith"
	// maxID is the greatest id; the one above it means "no id" to the kernel.
	maxID = 1<<32 - 2
)

// BuiltinUsers returns the users that every image with an /etc/passwd has:
// the index is the id.
func BuiltinUsers() []string { return []string{"root", "daemon", "bin", "sys"} }

// BuiltinGroups returns the groups that every image with an /etc/group has:
// the index is the id.
func BuiltinGroups() []string { return append(BuiltinUsers(), "adm", "tty") }

// A User is who an image's program runs as.
type User struct {
	UID, GID int
	// Name and Group are for /etc/passwd and /etc/group.
	Name, Group string
	// Named says that the user or the group was given by name, so that the
	// image needs files that know it.
	Named bool
}

// ParseUser reads "user" or "user:group", each a name or a number, as the
// original smith did: a name that is not built in gets DefaultID, a number
// that is not built in gets DefaultName, and what is left out gets both.
// What Decode refuses as a user counts as left out.
func ParseUser(user string) User {
	if !rules["user"].matches(user) {
		user = ""
	}
	name, group, _ := strings.Cut(user, ":")
	u := User{}
	var namedUser, namedGroup bool
	u.UID, u.Name, namedUser = identity(name, BuiltinUsers())
	u.GID, u.Group, namedGroup = identity(group, BuiltinGroups())
	if group == "" && namedUser && u.UID == DefaultID {
		u.Group = u.Name // as on any system: a user has a group of its own
	}
	u.Named = namedUser || namedGroup
	return u
}

func identity(word string, builtin []string) (id int, name string, named bool) {
	if word == "" {
		return DefaultID, DefaultName, false
	}
	if id, err := strconv.Atoi(word); err == nil {
		if id < len(builtin) {
			return id, builtin[id], false
		}
		return id, DefaultName, false
	}
	if id := slices.Index(builtin, word); id >= 0 {
		return id, word, true
	}
	return DefaultID, word, true
}

// checkUser refuses ids that do not fit, which a pattern cannot say.
func checkUser(user string) bool {
	for word := range strings.SplitSeq(user, ":") {
		if strings.Trim(word, "0123456789") != "" || word == "" {
			continue
		}
		if id, err := strconv.ParseInt(word, 10, 64); err != nil || id > maxID {
			return false
		}
	}
	return true
}
