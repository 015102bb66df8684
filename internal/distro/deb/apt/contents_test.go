package apt

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const contentsText = `This file maps each file available to the package from which it originates.

FILE                                            LOCATION
bin/cat                                         utils/coreutils
usr/share/a b  c.txt                            non-free/x11/other,utils/coreutils
./usr/bin/both	utils/a,main/utils/b
usr/lib/none                                    libs/unwanted
`

func TestParseContents(t *testing.T) {
	wanted := map[string]string{"coreutils": "amd64", "b": "amd64", "available": "all"}
	got, err := parseContents(strings.NewReader("x available/coreutils\n"+contentsText), wanted)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"coreutils": {"/bin/cat", "/usr/share/a b  c.txt"}, "b": {"/usr/bin/both"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func FuzzParseContents(f *testing.F) {
	f.Add(contentsText, "coreutils")
	f.Add("\n \n,/,a/b \t\n", "b")
	f.Fuzz(func(t *testing.T, text, name string) {
		got, err := parseContents(strings.NewReader(text), map[string]string{name: "all"})
		if err != nil {
			return
		}
		for _, path := range got[name] {
			if !strings.HasPrefix(path, "/") || strings.Contains(path, "\n") {
				t.Errorf("%q", path)
			}
		}
	})
}
