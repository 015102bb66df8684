package accounts

import (
	"fmt"
	"strings"
	"testing"

	"smith/internal/golden"
)

// Commands as packages of Debian and Fedora have them, and what they make.
func TestCommand(t *testing.T) {
	texts := golden.New(t)
	for _, line := range []string{
		"adduser --system --home /var/lib/redis --quiet --group redis",
		"adduser --system --group --no-create-home --home=/nonexistent _chrony",
		"adduser --quiet --system --no-create-home --home /run/radvd radvd",
		"adduser --quiet --system --ingroup postfix --uid 109 postfix",
		"adduser --system --gid 33 x", "adduser dovecot mail", "adduser --group plain", "addgroup --system --gid 120 bind", "addgroup x users",
		"useradd --system -u 48 -g apache -s /sbin/nologin -d /usr/share/httpd -c Apache apache", "useradd -rMs /bin/false -G wheel,tty app", "useradd -rd/var/x y",
		"groupadd -r nginx", "groupadd --gid=26 postgres", "/usr/sbin/usermod -a -G ssl-cert postgres", "usermod -s /bin/sh x", "gpasswd -a web www-data", "gpasswd -d web x",
		"adduser", "adduser --quiet", "userdel x", "useradd -u",
	} {
		words := strings.Fields(line)
		c, ok := Command(words[0], words[1:])
		texts.Add(line, describe(c, ok))
	}
	for _, c := range Sysusers("# comment\nu redis - \"Redis: server\" /var/lib/redis -\nu! named 25:named - -\ng input - -\ng kvm 36\nm web www-data\nr - 500-900\nu a%i -\nu\n") {
		texts.Add(fmt.Sprint("sysusers ", describe(c, true)), "")
	}
}

func describe(c Change, ok bool) string {
	var all []string
	if c.User != nil {
		all = append(all, fmt.Sprintf("user %+v", *c.User))
	}
	if c.Group != nil {
		all = append(all, fmt.Sprintf("group %+v", *c.Group))
	}
	if len(c.Of) > 0 {
		all = append(all, fmt.Sprintf("%s in %v", c.Member, c.Of))
	}
	if !ok {
		all = append(all, "nothing")
	}
	return strings.Join(all, "; ")
}

func resolved(s *Set) string {
	users, groups := s.Resolve(map[string]int{"root": 0, "app": 10}, map[string]int{"root": 0, "app": 10})
	var b strings.Builder
	for _, u := range users {
		fmt.Fprintf(&b, "%s:%d:%d:%s:%s\n", u.Name, u.ID, u.GroupID, u.Comment, u.Home)
	}
	for _, g := range groups {
		fmt.Fprintf(&b, "group %s:%d:%v\n", g.Name, g.ID, g.Members)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestResolve(t *testing.T) {
	texts := golden.New(t)
	var s Set
	if !s.Empty() {
		t.Error("an empty set is not empty")
	}
	for _, line := range []string{
		"adduser --system --home /var/lib/redis --group redis", "adduser --system radvd", "useradd -u 48 -g apache apache", "adduser redis adm", "adduser redis redis",
		"adduser --system --group bad:name", "useradd -c a:b\nc colon",
	} {
		words := strings.Fields(line)
		c, _ := Command(words[0], words[1:])
		s.Apply(c)
	}
	s.Need("www-data", "nobody", "none")
	texts.Add("some", resolved(&s))
	s.Apply(Change{Group: &Group{"more", Dynamic}})
	texts.Add("one more changes no other number", resolved(&s))
	s.Apply(Change{User: &User{Name: "app", ID: Dynamic}})
	texts.Add("a number that is given already", resolved(&s))
}

// Numbers do not collide, however many accounts there are.
func TestNumbersAreDistinct(t *testing.T) {
	var s Set
	for i := range 500 {
		s.Apply(Change{User: &User{Name: fmt.Sprint("u", i), ID: Dynamic}})
	}
	users, groups := s.Resolve(map[string]int{"x": 500}, nil)
	seen := map[int]string{500: "x"}
	for _, u := range users {
		if seen[u.ID] != "" {
			t.Fatalf("%s and %s both have %d", u.Name, seen[u.ID], u.ID)
		}
		seen[u.ID] = u.Name
	}
	if len(groups) != 500 {
		t.Errorf("%d groups", len(groups))
	}
}

func FuzzCommand(f *testing.F) {
	f.Add("adduser --system --group x")
	f.Add("useradd -rd/var/x -u 4294967295 y")
	f.Add("u redis - \"a b\" /x")
	f.Fuzz(func(t *testing.T, text string) {
		var s Set
		words := strings.Fields(text)
		if len(words) > 0 {
			if c, ok := Command(words[0], words[1:]); ok {
				s.Apply(c)
			}
		}
		for _, c := range Sysusers(text) {
			s.Apply(c)
		}
		users, groups := s.Resolve(nil, nil)
		for _, e := range append(users, groups...) {
			if strings.ContainsAny(e.Name+e.Comment+e.Home+strings.Join(e.Members, ""), ":\n") {
				t.Errorf("%+v breaks a line", e)
			}
		}
	})
}
