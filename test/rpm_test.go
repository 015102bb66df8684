package test

import (
	"context"
	"errors"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"smith/test/fixture"
)

// runRPMDistribution makes a distribution of RPM packages out of this machine's
// Debian packages and sets RPMS to its folder: `rpm-distribution`.
func runRPMDistribution(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: rpm-distribution")
	}
	ctx, cancel := context.WithTimeout(context.Background(), fixtureTimeout)
	defer cancel()
	dir, err := fixture.Distribution(ctx, os.Stderr)
	if errors.Is(err, fixture.ErrNoTool) {
		lack(ts, err.Error())
	}
	ts.Check(err)
	ts.Setenv("RPMS", dir)
}
