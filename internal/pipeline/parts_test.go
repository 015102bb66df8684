package pipeline

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/closure"
)

func TestLeftOut(t *testing.T) {
	lacking := map[string]*closure.Problem{}
	for _, name := range []string{"/a", "/b", "/c", "/d"} {
		lacking[name] = &closure.Problem{Name: "/usr/bin/python3", From: name, Root: name}
	}
	lacking["/m.so"] = &closure.Problem{Name: "libm.so.6", From: "/deep.so", Root: "/m.so"}
	lacking["/secret"] = &closure.Problem{Name: "/secret", From: "/secret", Root: "/secret"}
	want := []string{
		"left out of what the package holds, for others may not read it: /secret; to keep that, name it in paths",
		"left out of what the package holds, for want of /usr/bin/python3: /a, /b, /c, 1 more; to keep that, add the package that has it to packages",
		"left out of what the package holds, for want of libm.so.6: /m.so; to keep that, add the package that has it to packages",
	}
	if d := cmp.Diff(want, leftOut(lacking)); d != "" {
		t.Error(d)
	}
}
