package pipeline

import (
	"slices"
	"testing"

	"smith/internal/tree"
)

func TestWithoutAliases(t *testing.T) {
	files := tree.New()
	for name, n := range map[string]*tree.Node{
		"/usr/bin/ping":  tree.NewFile(nil, 0o755),
		"/usr/bin/ping4": {Kind: tree.Symlink, Link: "ping"},
		"/usr/bin/vi":    {Kind: tree.Symlink, Link: "/usr/bin/gone"},
	} {
		if err := files.Insert(name, n); err != nil {
			t.Fatal(err)
		}
	}
	got := withoutAliases(files, []string{"/usr/bin/ping", "/usr/bin/ping4", "/usr/bin/vi"})
	if want := []string{"/usr/bin/ping", "/usr/bin/vi"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}

func TestNamesake(t *testing.T) {
	programs := []string{"/usr/sbin/apache2", "/usr/sbin/apache2ctl", "/usr/bin/curl"}
	for request, want := range map[string]string{
		"curl":                          "/usr/bin/curl",
		"curl=7.88.1-10+deb12u8":        "/usr/bin/curl",
		"curl/bookworm-backports":       "/usr/bin/curl",
		"apache2-bin:amd64":             "/usr/sbin/apache2",
		"./apache2-bin_2.4.1_amd64.deb": "/usr/sbin/apache2",
		"apache":                        "",
		"openjdk-17-jre-headless":       "",
	} {
		if got := namesake([]string{request}, programs); got != want {
			t.Errorf("%s: the entry point is %q, not %q", request, got, want)
		}
	}
}

func TestNoProgram(t *testing.T) {
	for want, programs := range map[string][]string{
		"the image has no entry point: name the program with the key entrypoint":                                                            nil,
		"the image has no entry point: name the program with the key entrypoint, such as /usr/bin/a (the package has a, b)":                 {"/usr/bin/a", "/usr/bin/b"},
		"the image has no entry point: name the program with the key entrypoint, such as /bin/a (the package has a, b, c, d, e, f, 1 more)": {"/bin/a", "/bin/b", "/bin/c", "/bin/d", "/bin/e", "/bin/f", "/bin/g"},
	} {
		if got := noProgram(programs); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
