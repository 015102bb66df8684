// Package control reads Debian's control data: paragraphs of fields as in
// Packages, Release, .sources and a package's control file (deb822(5)),
// relations between packages (deb-control(5)), and the order of versions
// (deb-version(7)). It reads no files and knows no repositories.
package control

import "strings"

// A Field is one field of a paragraph.
type Field struct {
	Name string
	// Value is the text after the colon without space around it. Further lines
	// follow as they stand, each with the space it begins with: "a\n b\n .\n c".
	Value string
}

// Lines returns the value's lines that are not blank, without space around
// them: the form of lists such as SHA256 in a Release.
func (f Field) Lines() []string {
	var lines []string
	for line := range strings.Lines(f.Value) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// A Paragraph is a list of fields in the order in which they stand.
type Paragraph []Field

// Get returns the value of the first field of that name, in any case of
// letters, or "" where there is none.
func (p Paragraph) Get(name string) string {
	f, _ := p.Find(name)
	return f.Value
}

// Find returns the first field of that name, in any case of letters.
func (p Paragraph) Find(name string) (Field, bool) {
	for _, f := range p {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return Field{}, false
}

// String returns the paragraph as it stands in a file: each field on its own
// lines, with a line feed at the end of the last.
func (p Paragraph) String() string {
	var b strings.Builder
	for _, f := range p {
		b.WriteString(f.Name)
		b.WriteByte(':')
		if f.Value != "" && f.Value[0] != '\n' {
			b.WriteByte(' ')
		}
		b.WriteString(f.Value)
		b.WriteByte('\n')
	}
	return b.String()
}

// IsName reports whether dpkg takes a text for the name of a package (its
// pkg_name_is_illegal): letters, digits and "-+._", the first a letter or digit.
func IsName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("-+._", rune(c))) {
			return false
		}
	}
	return name != ""
}
