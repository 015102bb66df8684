package yumconfig

import (
	"strings"
	"testing"

	"smith/internal/golden"
)

func TestReplace(t *testing.T) {
	v := Variables{"releasever": "10.1", "releasever_major": "10", "releasever_minor": "1", "empty": "", "basearch": "x86_64"}
	for text, want := range map[string]string{
		"https://a/$releasever/${basearch}/":                         "https://a/10.1/x86_64/",
		"epel-${releasever_major}${releasever_minor:+-z}":            "epel-10-z",
		"epel-${releasever_major}${empty:+-z}":                       "epel-10",
		"${empty:-word}":                                             "word",
		"${unset:-word}":                                             "word",
		"${basearch:-word}":                                          "x86_64",
		"${unset:-${empty:-$basearch}}/x":                            "x86_64/x",
		"${unset:+${also_unset}}":                                    "",
		"${releasever_minor:+${releasever_major}.$releasever_minor}": "10.1",
		"${basearch:+a}b}":                                           "ab}",
		"a$":                                                         "a$",
		"$/":                                                         "$/",
		"${basearch":                                                 "${basearch",
		"${}":                                                        "${}",
	} {
		if got, err := v.Replace(text); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	texts := golden.New(t)
	for _, text := range []string{"$nothing", "${nothing}", "${empty:-$nothing}", "${basearch:+x", strings.Repeat("${empty:-", 30) + strings.Repeat("}", 30)} {
		_, err := v.Replace(text)
		texts.Error(text, err)
	}
}

func FuzzReplace(f *testing.F) {
	f.Add("https://a/${b:-${c:+d}}$e")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = Variables{"b": "x"}.Replace(text)
	})
}

// The options of a repository that say how its servers are talked to, and
// those that smith refuses.
func TestConnection(t *testing.T) {
	read := func(text string) (Repository, error) {
		sections, err := ParseINI(text)
		if err != nil {
			t.Fatal(err)
		}
		var main *Section
		if sections[0].Name == "main" {
			main = sections[0]
		}
		all, err := Repositories(sections, main, For("x86_64", "9"), "x.repo")
		if err != nil {
			return Repository{}, err
		}
		return all[0], nil
	}
	r, err := read(`[main]
sslverify=0
proxy=http://proxy.example.org:3128
proxy_username=pu
proxy_password=pp
includepkgs=main-only
[a]
baseurl=https://cdn.example.org/$releasever/
sslcacert=/etc/rhsm/ca.pem
sslclientcert=/etc/pki/entitlement/1.pem
sslclientkey=/etc/pki/entitlement/1-key.pem
username=u
password=p
includepkgs=own
metadata_expire=86400
`)
	if err != nil {
		t.Fatal(err)
	}
	c := r.Connection
	if !c.Insecure || c.CAFile != "/etc/rhsm/ca.pem" || c.CertFile != "/etc/pki/entitlement/1.pem" || c.KeyFile != "/etc/pki/entitlement/1-key.pem" ||
		c.User != "u" || c.Password != "p" || c.Proxy != "http://pu:pp@proxy.example.org:3128" || strings.Join(r.Include, " ") != "own main-only" {
		t.Errorf("%+v", r)
	}
	if r, err := read("[a]\nbaseurl=https://x/\nproxy=_none_\nsslverifystatus=no\n"); err != nil || r.Connection.Proxy != "none" {
		t.Errorf("%+v, %v", r, err)
	}
	texts := golden.New(t)
	for _, option := range []string{"sslverifystatus=1", "proxy_sslcacert=/ca.pem", "proxy_sslverify=0", "sslverify=perhaps"} {
		_, err := read("[a]\nbaseurl=https://x/\n" + option)
		texts.Error(option, err)
	}
}
