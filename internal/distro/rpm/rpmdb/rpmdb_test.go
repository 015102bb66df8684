package rpmdb

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/cache/store/storetest"
	"smith/internal/distro/rpm/rpmfile"
)

// judge returns the path of a program that tells what is right.
func judge(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed (test/install.sh)", name)
	}
	return path
}

// realPackages returns real packages.
func realPackages(t *testing.T, globs ...string) []Package {
	t.Helper()
	dir := os.Getenv("SMITH_TESTDATA")
	if dir == "" {
		t.Skip("SMITH_TESTDATA is not set: no real packages to read")
	}
	st := storetest.New(t)
	var all []Package
	for _, glob := range globs {
		files, err := filepath.Glob(filepath.Join(dir, glob))
		if err != nil || len(files) == 0 {
			t.Fatal(glob, err)
		}
		for _, file := range files {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := rpmfile.Read(t.Context(), st, f)
			f.Close()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Close() })
			all = append(all, Package{p, func(path string) bool { return strings.HasPrefix(path, "/usr/") }})
		}
	}
	return all
}

// TestRPMReadsTheDatabase asks rpm and SQLite about databases of some sizes.
func TestRPMReadsTheDatabase(t *testing.T) {
	rpm, sqlite := judge(t, "rpm"), judge(t, "sqlite3")
	for name, globs := range map[string][]string{
		"small": {"rpm/forms/*.rpm", "rpm/v4-v6/v4/rpm-basic-2.3.4-5.el9.noarch.rpm", "rpm/v4-v6/v6/rpm-i18n-1.0-1.noarch.rpm"},
		"large": {"rpm-repo/centos7-httpd/[a-h]*.rpm"},
	} {
		t.Run(name, func(t *testing.T) {
			all := realPackages(t, globs...)
			root := t.TempDir()
			file := filepath.Join(root, "var/lib/rpm/rpmdb.sqlite")
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			data := Database(all, nil)
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Fatal(err)
			}
			slices.Reverse(all)
			if !bytes.Equal(data, Database(all, nil)) {
				t.Error("another order of packages gives another database")
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
			db := []string{"--root=" + root, "--dbpath=/var/lib/rpm"}
			var want []string
			for _, p := range sorted(all) {
				want = append(want, nevra(p.Header))
			}
			got := strings.Fields(run(rpm, append(db, "-qa", "--qf", "%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n")...))
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			checkOwners(t, all, func(args ...string) string { return run(rpm, append(db, args...)...) }, root)
			if got := string(Manifest(all, nil)); got != run(rpm, append(db, "-qa", "--qf", manifestFormat)...) {
				t.Errorf("manifest: %s", got)
			}
		})
	}
}

// manifestFormat is how Azure Linux makes its list, but for packages whose size
// has more than 32 bits.
const manifestFormat = `%{NAME}\t%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\t%{BUILDTIME}\t%{VENDOR}\t%{EPOCH}\t%{LONGSIZE}\t%{ARCH}\t%{EPOCHNUM}\t%{SOURCERPM}\n`

// checkOwners asks for the owner and the states of the files of a package.
func checkOwners(t *testing.T, all []Package, rpm func(...string) string, root string) {
	t.Helper()
	for _, p := range all {
		i := slices.IndexFunc(p.Files, func(f rpmfile.File) bool { return p.Holds(f.Path) && f.Digest != "" })
		if i < 0 {
			continue
		}
		path := p.Files[i].Path
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, path), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		name := p.Header.String(rpmfile.TagName)
		if got := rpm("-qf", "--qf", "%{NAME}\n", path); !strings.Contains(got, name+"\n") {
			t.Errorf("%s is of %s, not of %s", path, got, name)
		}
		var want strings.Builder
		for _, f := range p.Files {
			state := "not installed"
			if p.Holds(f.Path) {
				state = "normal"
			}
			fmt.Fprintf(&want, "%-13s %s\n", state, f.Path)
		}
		if diff := cmp.Diff(want.String(), rpm("-q", "--state", name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestTrees writes tables of one to many thousand rows.
func TestTrees(t *testing.T) {
	sqlite := judge(t, "sqlite3")
	for _, n := range []int{0, 1, 50, 130, 500, 5000, 100_000} {
		d := newDatabase()
		var rows []row
		for i := range n {
			rows = append(rows, row{int64(i + 1), record(strings.Repeat("x", i%100), int64(i), []byte{byte(i)})})
		}
		d.add("t", "CREATE TABLE t (a TEXT, b INTEGER, c BLOB)", rows)
		for i := range 60 {
			d.add(fmt.Sprint("u", i), fmt.Sprintf("CREATE TABLE u%d (a)", i), []row{{1, record(bytes.Repeat([]byte{1}, i*997))}})
		}
		file := filepath.Join(t.TempDir(), "t.sqlite")
		if err := os.WriteFile(file, d.bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), sqlite, file,
			"PRAGMA integrity_check; SELECT count(*), coalesce(sum(length(a)),0), coalesce(max(b),-1) FROM t; SELECT length(a) FROM u59").CombinedOutput()
		sum := 0
		for i := range n {
			sum += i % 100
		}
		want := fmt.Sprintf("ok\n%d|%d|%d\n%d\n", n, sum, n-1, 59*997)
		if err != nil || string(out) != want {
			t.Errorf("%d rows: %v: %s, want %s", n, err, out, want)
		}
	}
}
