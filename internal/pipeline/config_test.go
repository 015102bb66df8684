package pipeline

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/oci/image"
	"smith/internal/program"
	"smith/internal/smithfile"
	"smith/internal/tree"
)

func base(entrypoint, cmd []string, env ...string) *image.Image {
	img := &image.Image{}
	img.Config.Config.Entrypoint, img.Config.Config.Cmd, img.Config.Config.Env = entrypoint, cmd, env
	return img
}

func TestCommand(t *testing.T) {
	a, b, c := []string{"/a"}, []string{"/b"}, []string{"c"}
	for name, test := range map[string]struct {
		spec            smithfile.Spec
		parent, pkg     *image.Image
		entrypoint, cmd []string
	}{
		"spec alone":                      {smithfile.Spec{Entrypoint: a, Cmd: c}, nil, nil, a, c},
		"no cmd made for another program": {smithfile.Spec{Entrypoint: a}, base(b, c), nil, a, nil},
		"spec's cmd, base's entry point":  {smithfile.Spec{Cmd: c}, base(b, a), nil, b, c},
		"base's both":                     {smithfile.Spec{}, base(b, c), nil, b, c},
		"never a mixture of two bases":    {smithfile.Spec{}, base(b, nil), base(nil, c), b, nil},
		"parent says nothing":             {smithfile.Spec{}, base(nil, nil), base(nil, c), nil, c},
	} {
		entrypoint, cmd := command(&test.spec, test.parent, test.pkg)
		if diff := cmp.Diff([][]string{test.entrypoint, test.cmd}, [][]string{entrypoint, cmd}); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestEnv(t *testing.T) {
	s := &smithfile.Spec{Env: []string{"A=spec", "D=4"}}
	got := containerConfig(s, base(nil, nil, "A=pkg", "B=pkg", "C=pkg"), base(nil, nil, "B=parent")).Env
	want := []string{"PATH=" + program.DefaultPath, "A=spec", "B=parent", "C=pkg", "D=4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = containerConfig(&smithfile.Spec{Env: []string{"PATH=/bin"}}, nil, nil).Env
	if diff := cmp.Diff([]string{"PATH=/bin"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestUserOfParent(t *testing.T) {
	files := tree.New()
	for name, text := range map[string]string{"/etc/passwd": "root:x:0:0::/:\nweb:x:33:34::/:\n", "/etc/group": "staff:x:50:\n"} {
		if err := files.Insert(name, tree.NewFile([]byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string][2]int{
		"": {10, 10}, "web": {33, 34}, "web:staff": {33, 50}, "1000": {1000, 0}, "33": {33, 34}, "1:2": {1, 2},
	} {
		parent := &image.Image{}
		parent.Config.Config.User = text
		got, err := user(&smithfile.Spec{}, parent, files)
		if err != nil || got.UID != want[0] || got.GID != want[1] {
			t.Errorf("%q: got %+v, %v, want %v", text, got, err, want)
		}
	}
	parent := &image.Image{}
	parent.Config.Config.User = "nobody"
	_, err := user(&smithfile.Spec{}, parent, files)
	if want := `cannot inherit the parent's user: "nobody" is not in its /etc/passwd; name one with the key user`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Whatever stands in a parent's /etc/passwd and /etc/group, and whatever its
// config calls its user: ids are numbers, or there is an error.
func FuzzNumericUser(f *testing.F) {
	f.Add("web:staff", "root:x:0:0::/:\nweb:x:33:34::/:\n", "staff:x:50:\n")
	f.Add(":", ":::::\n", "a:b:-1:")
	f.Fuzz(func(t *testing.T, user, passwd, group string) {
		files := tree.New()
		for name, text := range map[string]string{"/etc/passwd": passwd, "/etc/group": group} {
			if err := files.Insert(name, tree.NewFile([]byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		numbers, err := numericUser(user, files)
		if err != nil {
			return
		}
		for id := range strings.SplitSeq(numbers, ":") {
			if _, err := strconv.ParseUint(id, 10, 32); err != nil {
				t.Errorf("%q of %q", numbers, user)
			}
		}
	})
}
