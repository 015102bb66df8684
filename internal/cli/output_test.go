package cli

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"smith/internal/golden"
)

// Nothing of a foreign name reaches a terminal that could control it.
func TestSafeText(t *testing.T) {
	for text, want := range map[string]string{
		"/usr/bin/é\n\tx":        "/usr/bin/é\n\tx",
		"\x1b[31mred\x1b[0m":     "\x1b[31mred\x1b[0m",
		"a\x1b]0;title\x07b":     `a\x1b]0;title\ab`,
		"a\x1b[2Jb\r\x00":        `a\x1b[2Jb\r\x00`,
		"\u009b2J \u202egnp.exe": `\u009b2J \u202egnp.exe`,
		"bad \xff utf8":          `bad \xff utf8`,
	} {
		if got := safeText(text); got != want {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

// A write that fails is remembered though the command does not look.
func TestLostOutput(t *testing.T) {
	closed, err := os.Create(t.TempDir() + "/closed")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	if code := Main([]string{"version"}, closed, &stderr, Version{Number: "1"}); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if !strings.HasPrefix(stderr.String(), "smith: cannot write the output: ") {
		t.Errorf("got %q", stderr.String())
	}
	o := newOutput(closed)
	if _, err := o.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) || !errors.Is(o.err, fs.ErrClosed) {
		t.Errorf("%v, %v", err, o.err)
	}
}

// Lines break between words, and what follows is indented.
func TestWrapped(t *testing.T) {
	texts := golden.New(t)
	const text = "52 that something may load, not kept: libnss_nis.so.2, a-name-that-takes-more-than-a-line-of-this-width, x"
	for name, width := range map[string]int{"40 columns": 40, "80 columns": 80} {
		for line := range strings.SplitSeq(wrapText(text, width), "\n") {
			if n := utf8.RuneCountInString(line); n > width && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s: %d columns: %q", name, n, line)
			}
		}
	}
	texts.Add("40 columns", wrapText(text, 40))
	texts.Add("80 columns", wrapText(text, 80))
	texts.Add("no terminal", wrapText(text, 0))
}
