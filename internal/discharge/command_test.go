package discharge

import (
	"bytes"
	"testing"
)

func TestTextCalls(t *testing.T) {
	for text, want := range map[string]bool{
		`run(["sed", x])`:         true,
		"x = `sed -n p`":          true,
		"exec /usr/bin/sed -n":    true,
		`"/bin/sed"`:              true,
		`system('sed')`:           true,
		"used sed here":           false,
		`"based"`:                 false,
		`"sedan"`:                 false,
		`"sed":`:                  true,
		`/usr/share/sed`:          false,
		`"sed is a fine program"`: false,
	} {
		r := bytes.NewReader([]byte(text))
		got, err := CallsOne(r, r.Size(), []string{"awk", "sed"})
		if err != nil {
			t.Fatal(err)
		}
		if got != map[bool]string{true: "sed"}[want] {
			t.Errorf("%s: got %q, want a call: %v", text, got, want)
		}
	}
}

func FuzzCallsOne(f *testing.F) {
	f.Add([]byte(`run("sed")`))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		if _, err := CallsOne(r, r.Size(), []string{"sed"}); err != nil {
			t.Skip(err) // refused, and not crashed
		}
	})
}
