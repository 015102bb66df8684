package control_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/deb/control"
)

func TestParagraphs(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []control.Paragraph
	}{
		{"nothing", "\n \n\t\n# only this\n", nil},
		{
			"fields", "Package: a\nVersion:1 \nEmpty:\n",
			[]control.Paragraph{{{"Package", "a"}, {"Version", "1"}, {"Empty", ""}}},
		},
		{
			"several, with more blank lines than needed, and no line feed at the end",
			"\n\nA: 1\n\n \nA: 2\nB: 3",
			[]control.Paragraph{{{"A", "1"}}, {{"A", "2"}, {"B", "3"}}},
		},
		{
			"further lines", "Description: one\n two\n .\n  three\nSHA256:\n 12 a\n 34 b\nB: c\n",
			[]control.Paragraph{{{"Description", "one\n two\n .\n  three"}, {"SHA256", "\n 12 a\n 34 b"}, {"B", "c"}}},
		},
		{
			"comments", "# first\nA: 1\n# between\n 2\n#last\nB: 3\n",
			[]control.Paragraph{{{"A", "1\n 2"}, {"B", "3"}}},
		},
		{"CR LF", "A: 1\r\n 2\r\n\r\nB: 3\r\n", []control.Paragraph{{{"A", "1\n 2"}}, {{"B", "3"}}}},
		{"colons in the value", "A: b: c\n", []control.Paragraph{{{"A", "b: c"}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readAll(iotest.OneByteReader(strings.NewReader(test.text)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBadParagraphs(t *testing.T) {
	for text, want := range map[string]string{
		"A: 1\nno field\n":                                     `line 2: "no field" is no field: want NAME: VALUE`,
		"A: 1\n 2\n\n b: 3":                                    `line 4: " b: 3" is no field: want NAME: VALUE`,
		"A: 1\n 2\nb c: 3\n":                                   `line 3: "b c: 3" is no field: want NAME: VALUE`,
		"-----BEGIN PGP-----\nA: 1\n":                          `line 1: "-----BEGIN PGP-----" is no field: want NAME: VALUE`,
		strings.Repeat("A: 1\n", 10001):                        `line 10001: paragraph of more than 10000 fields`,
		strings.Repeat("a", control.MaxParagraph+1):            `line 1: paragraph of more than 8388608 bytes`,
		strings.Repeat("abc: def\n", control.MaxParagraph/9+1): `line 932068: paragraph of more than 8388608 bytes`,
	} {
		_, err := readAll(strings.NewReader(text))
		if err == nil {
			t.Errorf("%.40q is taken", text)
		} else if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("%.40q: %s", text, diff)
		}
	}
}

func TestReadErrors(t *testing.T) {
	broken := errors.New("line is dead")
	r := control.NewReader(io.MultiReader(strings.NewReader("A: 1\n\nB: 2\n"), iotest.ErrReader(broken)))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if p, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("got %v, %v: a paragraph cut short passes for a whole one", p, err)
	}
}

func TestFind(t *testing.T) {
	p := control.Paragraph{{"Package", "a"}, {"SHA256", "\n 1 2\n\n  3 4 "}, {"package", "b"}}
	if got := p.Get("PACKAGE"); got != "a" {
		t.Errorf("got %q", got)
	}
	if f, found := p.Find("Version"); found {
		t.Errorf("got %v", f)
	}
	f, _ := p.Find("sha256")
	if diff := cmp.Diff([]string{"1 2", "3 4"}, f.Lines()); diff != "" {
		t.Error(diff)
	}
}

// What is read is written back the same.
func FuzzReader(f *testing.F) {
	f.Add("Package: a\nVersion: 1\nDescription: b\n c\n .\n d\n\n# comment\nPackage: e\n")
	f.Add("A:\n b\r\n\tc\nB: d:e\n \n\nC")
	f.Fuzz(func(t *testing.T, text string) {
		paragraphs, err := readAll(strings.NewReader(text))
		if err != nil {
			return
		}
		var b strings.Builder
		for _, p := range paragraphs {
			b.WriteString(p.String() + "\n")
		}
		again, err := readAll(strings.NewReader(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paragraphs {
			if one, err := control.Parse(p.String()); err != nil || cmp.Diff(p, one) != "" {
				t.Errorf("%q, %v", p, err)
			}
		}
		if diff := cmp.Diff(paragraphs, again); diff != "" {
			t.Error(diff)
		}
	})
}

func readAll(in io.Reader) ([]control.Paragraph, error) {
	var all []control.Paragraph
	for r := control.NewReader(in); ; {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

func TestIsName(t *testing.T) {
	for name, want := range map[string]bool{
		"libstdc++6": true, "0ad": true, "A.b_c-d": true, "": false, "-a": false, ".": false, "../x": false, "a b": false, "a/b": false, "ä": false, "a\x1b": false,
	} {
		if got := control.IsName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
