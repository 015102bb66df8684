package nearest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHolders(t *testing.T) {
	paths := []string{"/bin/sh", "/usr/share/misc/magic.mgc", "/usr/bin/absent"}
	f := NewHolders(paths)
	for _, seen := range [][2]string{
		{"/usr/bin/sh", "dash"},
		{"/bin/sh", "busybox"},
		{"/bin/sh", "dash"},
		{"/usr/local/bin/sh", "other"},
		{"/usr/share/misc/magic.mgc", "libmagic-mgc"},
		{"/usr/share/misc/magic", "libmagic1"},
	} {
		f.See(seen[0], func() string { return seen[1] })
	}
	f.SeeName("sh", func() string { return "a name without a directory" })
	want := map[string][]string{"/bin/sh": {"busybox", "dash"}, "/usr/share/misc/magic.mgc": {"libmagic-mgc"}}
	if diff := cmp.Diff(want, f.Holders(paths)); diff != "" {
		t.Error(diff)
	}
}
