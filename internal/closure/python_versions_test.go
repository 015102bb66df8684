package closure

import (
	"testing"

	"smith/internal/golden"
)

// Modules of a Python that the image does not have are warned of.
func TestPythonVersions(t *testing.T) {
	texts := golden.New(t)
	for _, c := range []struct{ name, lines string }{
		{"a venv of another version", "file 0755 usr/bin/python3.11\nfile 0644 opt/venv/lib/python3.12/site-packages/a.py\nfile 0644 opt/venv/lib/python3.12/site-packages/b.py"},
		{"an extension of another version", "file 0755 usr/bin/python3.11\nfile 0644 usr/lib/python3/dist-packages/a.cpython-312-x86_64-linux-gnu.so"},
		{"extensions of several versions", "file 0755 usr/bin/python3.11\nfile 0644 usr/lib/a.cpython-312-x86_64-linux-gnu.so\nfile 0644 usr/lib/a.cpython-311-x86_64-linux-gnu.so"},
		{"no interpreter", "file 0644 opt/lib/python3.9/site-packages/a.py"},
		{"the version that the image has", "file 0755 usr/bin/python3.11\nfile 0644 opt/venv/lib/python3.11/site-packages/a.py\nfile 0644 usr/lib/a.cpython-311-x86_64-linux-gnu.so"},
		{"a program that embeds it", "file 0644 usr/lib/libpython3.12.so.1.0\nfile 0644 usr/lib/python3.12/site-packages/a.py"},
		{"modules of all versions of Debian", "file 0644 usr/lib/python3/dist-packages/a.py"},
	} {
		s := selected(t, Input{Source: files(t, c.lines), Roots: roots("/**"), Interpreters: "none"})
		for _, w := range s.Warnings {
			texts.Add(c.name, w)
		}
	}
}
