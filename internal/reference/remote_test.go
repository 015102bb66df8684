package reference

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRemote(t *testing.T) {
	const (
		noRegistry = " is no image in a registry; write HOST/NAME:TAG, for Docker Hub docker.io/NAME:TAG"
		noName     = "the name of the image is empty or holds a control character"
		noLogin    = "what stands before the @ is no USER:PASSWORD, escaped as URLs have it"
	)
	digest := "@sha256:" + strings.Repeat("a", 64)
	for _, c := range []struct {
		name   string
		remote string
		login  Login
		parts  Remote
		err    string
	}{
		{"example.org/team/app:1.2", "example.org/team/app:1.2", Login{}, Remote{Host: "example.org", Repository: "team/app", Tag: "1.2"}, ""},
		{"https://example.org:5000/app", "example.org:5000/app", Login{}, Remote{Host: "example.org:5000", Repository: "app"}, ""},
		{
			"http://example.org/app:1" + digest, "http://example.org/app:1" + digest,
			Login{},
			Remote{Plain: true, Host: "example.org", Repository: "app", Tag: "1", Digest: digest[1:]},
			"",
		},
		{"https://me:pass@example.org/app:1", "example.org/app:1", Login{"me", "pass"}, Remote{Host: "example.org", Repository: "app", Tag: "1"}, ""},
		{
			"https://me:p%40ss/w@rd@example.org/app" + digest, "example.org/app" + digest,
			Login{"me", "p@ss/w@rd"},
			Remote{Host: "example.org", Repository: "app", Digest: digest[1:]},
			"",
		},
		{"index.docker.io/debian", "docker.io/library/debian", Login{}, Remote{Host: "docker.io", Repository: "library/debian"}, ""},
		{"registry-1.docker.io/team/app:1", "docker.io/team/app:1", Login{}, Remote{Host: "docker.io", Repository: "team/app", Tag: "1"}, ""},
		{"docker.io/debian", "docker.io/library/debian", Login{}, Remote{Host: "docker.io", Repository: "library/debian"}, ""},
		{"team/app:1", "", Login{}, Remote{}, `"team/app:1"` + noRegistry},
		{"image.tar.gz", "", Login{}, Remote{}, `"image.tar.gz"` + noRegistry},
		{"", "", Login{}, Remote{}, noName},
		{"example.org/a\nb", "", Login{}, Remote{}, noName},
		{"https://me@example.org/app", "", Login{}, Remote{}, noLogin},
		{"https://me:%zz@example.org/app", "", Login{}, Remote{}, noLogin},
	} {
		r, login, err := ParseRemote(c.name)
		switch {
		case c.err != "" && (err == nil || err.Error() != c.err):
			t.Errorf("%s: the error is %v, want %q", c.name, err, c.err)
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.err == "":
			if r.Remote != c.remote || login != c.login {
				t.Errorf("%s: %q with login %v, want %q with %v", c.name, r.Remote, login, c.remote, c.login)
			}
			if diff := cmp.Diff(c.parts, r.Split()); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", c.name, diff)
			}
		}
	}
}

// A password does not get into what goes on, nor into an error, whatever
// stands around it; a spec never has one.
func FuzzParseRemote(f *testing.F) {
	for _, s := range [][2]string{{"https://", "example.org/app:1"}, {"", "example.org/a@sha256:0"}, {"http://", "[::1]:5000/x"}, {"https://a/", "b"}, {"x@", "@y"}} {
		f.Add(s[0], s[1])
	}
	const secret = "s3cretZZ"
	f.Fuzz(func(t *testing.T, before, after string) {
		name := before + "user:" + secret + "@" + after
		if r, _, err := ParseRemote(name); err != nil && strings.Contains(err.Error(), secret) || strings.Contains(r.Remote, secret) {
			t.Errorf("%q: %q, %v", name, r.Remote, err)
		}
		for _, typ := range []string{"", "oci"} {
			if r, err := Parse("https://user:"+secret+"@"+after, Context{Type: typ}); err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%q: %q, %v", name, r.Remote, err)
			}
		}
	})
}
