// Package accounts works out the users and groups that a system has after its
// packages were installed: those that scripts make with adduser(8), useradd(8)
// and their like, those of sysusers.d(5), and those that every system of a
// distribution has. Nothing is executed.
package accounts

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// Dynamic is the number of an account that any system chooses for itself.
const Dynamic = -1

// A User is a line of /etc/passwd.
type User struct {
	Name string
	// ID is its number, or Dynamic.
	ID int
	// Group is its primary group by name or number; "" is one of its own name.
	Group         string
	Comment, Home string
}

// A Group is a line of /etc/group.
type Group struct {
	Name string
	// ID is its number, or Dynamic.
	ID int
}

// A Change is what one command or line does: any part may be absent.
type Change struct {
	User  *User
	Group *Group
	// Member is a user, and Of are groups that it becomes a member of.
	Member string
	Of     []string
}

// A Set collects accounts. The zero value is empty. It is not safe for
// concurrent use.
type Set struct {
	users   map[string]User
	groups  map[string]Group
	members map[string][]string // of groups
}

// validName is what the tools take for a name, lest a line of /etc/passwd says
// something else.
func validName(name string) bool {
	if name == "" || len(name) > 32 || name[0] == '-' {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && r != '.' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) && strings.Trim(name, "0123456789.-") != ""
}

// field is a text that can be a field of /etc/passwd.
func field(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ':' || r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
}

// Apply adds what a change makes. What is there already stays.
func (s *Set) Apply(c Change) {
	if s.users == nil {
		s.users, s.groups, s.members = map[string]User{}, map[string]Group{}, map[string][]string{}
	}
	if g := c.Group; g != nil {
		s.group(*g)
	}
	if u := c.User; u != nil && validName(u.Name) && (u.ID == Dynamic || valid(u.ID)) {
		if _, known := s.users[u.Name]; !known {
			s.users[u.Name] = *u
			s.primary(*u)
		}
	}
	for _, g := range c.Of {
		if validName(c.Member) && validName(g) && !slices.Contains(s.members[g], c.Member) {
			s.members[g] = append(s.members[g], c.Member)
		}
	}
}

func valid(id int) bool { return id >= 0 && id < 1<<32-1 }

func (s *Set) group(g Group) {
	if _, known := s.groups[g.Name]; !known && validName(g.Name) && (g.ID == Dynamic || valid(g.ID)) {
		s.groups[g.Name] = g
	}
}

// primary adds the primary group of a user where it is given by name.
func (s *Set) primary(u User) {
	name := u.Group
	if name == "" {
		s.group(Group{u.Name, u.ID})
		return
	}
	if !number(name) {
		s.Need(name)
		s.group(Group{name, Dynamic})
	}
}

func number(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// Need adds an account that every system of a distribution has, where the name
// is that of one.
func (s *Set) Need(names ...string) {
	for _, name := range names {
		if id, ok := baseGroups[name]; ok {
			s.Apply(Change{Group: &Group{name, id}})
		}
		if u, ok := baseUsers[name]; ok {
			s.Apply(Change{User: &u})
		}
	}
}

// IsBase reports whether every system of a distribution has a user or group of
// the name.
func IsBase(name string) bool {
	_, user := baseUsers[name]
	_, group := baseGroups[name]
	return user || group
}

// Empty reports whether the set has no account.
func (s *Set) Empty() bool { return len(s.users)+len(s.groups) == 0 }

// User returns the user of a name.
func (s *Set) User(name string) (User, bool) {
	u, ok := s.users[name]
	return u, ok
}

// Entry is an account with its numbers.
type Entry struct {
	Name          string
	ID, GroupID   int
	Comment, Home string
	Members       []string // of a group
}

// first and last are the numbers that a system gives to the accounts of
// packages (adduser.conf(5), FIRST_SYSTEM_UID).
const (
	first = 100
	last  = 999
)

// Resolve gives each account a number and returns users and groups, both
// sorted by number. Numbers that are not fixed follow from the name, so that
// an account keeps its number when others come and go. taken are numbers by
// names that are given already.
func (s *Set) Resolve(takenUsers, takenGroups map[string]int) (users, groups []Entry) {
	groupIDs := numbers(takenGroups, s.groups, func(g Group) (string, int) { return g.Name, g.ID })
	for name := range s.groups {
		groups = append(groups, Entry{Name: name, ID: groupIDs[name], Members: slices.Sorted(slices.Values(s.members[name]))})
	}
	// A user whose number is free to choose has that of the group of its name,
	// as adduser --group and sysusers.d(5) have it where they can.
	wanted := map[string]User{}
	for name, u := range s.users {
		if id, ok := groupIDs[name]; ok && u.ID == Dynamic && (u.Group == "" || u.Group == name) && !used(takenUsers, s.users, id) {
			u.ID = id
		}
		wanted[name] = u
	}
	userIDs := numbers(takenUsers, wanted, func(u User) (string, int) { return u.Name, u.ID })
	for name, u := range s.users {
		e := Entry{Name: name, ID: userIDs[name], Comment: field(u.Comment), Home: cmp.Or(field(u.Home), "/nonexistent")}
		group := cmp.Or(u.Group, name)
		if id, err := strconv.ParseUint(group, 10, 32); err == nil {
			e.GroupID = int(id)
		} else {
			e.GroupID = groupIDs[group]
		}
		users = append(users, e)
	}
	order := func(a, b Entry) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name)) }
	slices.SortFunc(users, order)
	slices.SortFunc(groups, order)
	return users, groups
}

func used(taken map[string]int, users map[string]User, id int) bool {
	for _, n := range taken {
		if n == id {
			return true
		}
	}
	for _, u := range users {
		if u.ID == id {
			return true
		}
	}
	return false
}

// numbers gives numbers to all of some accounts.
func numbers[T any](taken map[string]int, all map[string]T, of func(T) (string, int)) map[string]int {
	ids, busy := map[string]int{}, map[int]bool{}
	for name, id := range taken {
		ids[name], busy[id] = id, true
	}
	var free []string
	for _, a := range all {
		name, id := of(a)
		if _, given := ids[name]; given {
			continue
		}
		if id == Dynamic {
			free = append(free, name)
			continue
		}
		ids[name], busy[id] = id, true
	}
	slices.Sort(free)
	for _, name := range free {
		h := fnv.New32a()
		fmt.Fprint(h, name)
		id := first + int(h.Sum32()%(last-first+1))
		for range last - first {
			if !busy[id] {
				break
			}
			if id++; id > last {
				id = first
			}
		}
		ids[name], busy[id] = id, true
	}
	return ids
}
