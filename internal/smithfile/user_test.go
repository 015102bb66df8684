package smithfile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseUser(t *testing.T) {
	for text, want := range map[string]User{
		// The table of the original smith.
		"root:root":     {0, 0, "root", "root", true},
		"0:0":           {0, 0, "root", "root", false},
		"daemon:daemon": {1, 1, "daemon", "daemon", true},
		"1:1":           {1, 1, "daemon", "daemon", false},
		"smith:0":       {10, 0, "smith", "root", true},
		"0:smith":       {0, 10, "root", "smith", true},
		"1000:1000":     {1000, 1000, "smith", "smith", false},
		"foo:bar":       {10, 10, "foo", "bar", true},
		"foo:1000":      {10, 1000, "foo", "smith", true},
		"1000:bar":      {1000, 10, "smith", "bar", true},
		"":              {10, 10, "smith", "smith", false},
		// Beyond it.
		"foo":           {10, 10, "foo", "foo", true},
		"1000":          {1000, 10, "smith", "smith", false},
		":tty":          {10, 5, "smith", "tty", true},
		"4:4":           {4, 4, "smith", "adm", false},
		"4294967294":    {4294967294, 10, "smith", "smith", false},
		"4294967295":    {10, 10, "smith", "smith", false},
		"-1:-1":         {10, 10, "smith", "smith", false},
		"a:b:c":         {10, 10, "smith", "smith", false},
		"a\nroot:x:0:0": {10, 10, "smith", "smith", false},
	} {
		if diff := cmp.Diff(want, ParseUser(text)); diff != "" {
			t.Errorf("ParseUser(%q): %s", text, diff)
		}
	}
}
