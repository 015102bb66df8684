package rpmdb

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/distro/rpm/rpmfile"
)

// TestDatabaseOfParentAndChild adds packages to a database, as with a parent
// image, and asks rpm and SQLite.
func TestDatabaseOfParentAndChild(t *testing.T) {
	rpm, sqlite := judge(t, "rpm"), judge(t, "sqlite3")
	all := realPackages(t, "rpm-repo/centos7-httpd/[a-h]*.rpm")
	half := len(all) / 2
	parent := Database(all[:half+1], nil) // one is in both
	headers, err := Read(parent)
	if err != nil {
		t.Fatal(err)
	}
	if len(headers) != half+1 {
		t.Errorf("%d headers, want %d", len(headers), half+1)
	}
	root := t.TempDir()
	file := filepath.Join(root, "var/lib/rpm/rpmdb.sqlite")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, Database(all[half:], headers), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) string {
		command := exec.CommandContext(t.Context(), name, args...)
		command.Env = append(os.Environ(), "HOME="+root)
		out, err := command.CombinedOutput()
		if err != nil {
			t.Errorf("%s %s: %v: %s", name, args, err, out)
		}
		return string(out)
	}
	if got := run(sqlite, file, "PRAGMA integrity_check; PRAGMA foreign_key_check"); got != "ok\n" {
		t.Errorf("SQLite: %s", got)
	}
	var want []string
	for _, p := range sorted(all) {
		want = append(want, nevra(p.Header))
	}
	got := strings.Fields(run(rpm, "--root="+root, "--dbpath=/var/lib/rpm", "-qa", "--qf", "%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n"))
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	lines := func(data []byte) []string { return slices.Sorted(strings.Lines(string(data))) }
	if diff := cmp.Diff(lines(Manifest(all, nil)), lines(Manifest(all[half:], Manifest(all[:half+1], nil)))); diff != "" {
		t.Errorf("manifest: %s", diff)
	}
	if data := Database(all, nil); string(data) != string(Database(all[half:], headers)) {
		t.Error("the packages of two layers give another database than those of one")
	}
}

// TestReadsSQLite reads a database that SQLite itself has written, with another
// size of pages.
func TestReadsSQLite(t *testing.T) {
	sqlite := judge(t, "sqlite3")
	all := realPackages(t, "rpm/forms/*.rpm")
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a.sqlite"), filepath.Join(dir, "b.sqlite")
	if err := os.WriteFile(from, Database(all, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), sqlite, from, "PRAGMA page_size=1024; VACUUM INTO '"+to+"'").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	headers, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	var names, want []string
	for _, h := range headers {
		names = append(names, h.String(rpmfile.TagName))
	}
	for _, p := range sorted(all) {
		want = append(want, p.Header.String(rpmfile.TagName))
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(Database(nil, nil))
	d := newDatabase()
	d.add("Packages", "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY,blob BLOB)", []row{{1, record(nil, make([]byte, 9000))}})
	f.Add(d.bytes())
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = Read(data) })
}
