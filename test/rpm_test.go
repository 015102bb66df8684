package test

import (
	"context"
	"errors"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"smith/test/fixture"
)

// runRPMRepository makes a repository of RPM packages out of this machine's
// Debian packages and what they depend on, and sets RPMS to its folder:
// `rpm-repository NAME…`.
func runRPMRepository(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: rpm-repository PACKAGE…")
	}
	dir, err := fixture.RPMRepository(context.Background(), os.Stderr, args...)
	if errors.Is(err, fixture.ErrNoTool) && os.Getenv("CI") == "" {
		ts.Value(testKey{}).(testscript.T).Skip(err)
	}
	ts.Check(err)
	ts.Setenv("RPMS", dir)
}
