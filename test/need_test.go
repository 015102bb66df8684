package test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"smith/test/fixture"
)

// fixtureTimeout is how long making a fixture from a mirror may take.
const fixtureTimeout = 10 * time.Minute

// lack ends a script that cannot run here: by hand it is skipped, in CI it
// fails, since there everything must be tested.
func lack(ts *testscript.TestScript, reason string) {
	if os.Getenv("CI") == "true" {
		ts.Fatalf("%s (skipped without CI=true)", reason)
	}
	ts.Value(testKey{}).(testscript.T).Skip(reason)
}

// needTools ends a script where a program is not installed.
func needTools(ts *testscript.TestScript, names ...string) {
	for _, name := range names {
		if _, err := lookPath(ts, name); err != nil {
			lack(ts, name+" is not installed")
		}
	}
}

// lookPath finds a program on the script's PATH, which has the system's
// folders that a user's may lack.
func lookPath(ts *testscript.TestScript, name string) (string, error) {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// needRoot ends a script whose tool works for root only.
func needRoot(ts *testscript.TestScript, what string) {
	if os.Getuid() != 0 {
		lack(ts, what+" needs root")
	}
}

// runNeed ends a script where a tool is missing: `need skopeo jq`. `need root`
// is there too.
func runNeed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: need TOOL…")
	}
	for _, name := range args {
		if name == "root" {
			needRoot(ts, "this script")
			continue
		}
		needTools(ts, name)
	}
}

// runFixture makes images for the script to read in $BASE: `fixture debian`.
func runFixture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: fixture NAME…")
	}
	ctx, cancel := context.WithTimeout(context.Background(), fixtureTimeout)
	defer cancel()
	for _, name := range args {
		dir, err := fixture.Make(ctx, os.Stderr, name)
		if errors.Is(err, fixture.ErrNoTool) {
			lack(ts, err.Error())
		}
		ts.Check(err)
		forms, err := os.ReadDir(dir)
		ts.Check(err)
		for _, form := range forms {
			err := os.Symlink(filepath.Join(dir, form.Name()), filepath.Join(ts.Getenv("BASE"), form.Name()))
			if err != nil && !errors.Is(err, fs.ErrExist) {
				ts.Fatalf("%v", err)
			}
		}
	}
}

// runTestdata sets $DATA to the folder of real data that SMITH_TESTDATA names
// and wants these paths in it: `testdata rootfs/alpine`. Without the variable
// the script is skipped.
func runTestdata(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: testdata PATH…")
	}
	root := os.Getenv("SMITH_TESTDATA")
	if root == "" {
		ts.Value(testKey{}).(testscript.T).Skip("SMITH_TESTDATA is not set")
	}
	for _, path := range args {
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			ts.Fatalf("SMITH_TESTDATA is set, but: %v", err)
		}
	}
	ts.Setenv("DATA", root)
}
