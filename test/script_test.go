// Package test holds the end-to-end tests: scripts that a user could type, run
// against the real smith, with real images and real container tools. README.md
// tells of the commands that a script has beside testscript's own.
package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestScripts(t *testing.T) {
	smith, cache := buildSmith(t), t.TempDir()
	engine := &dockerEngine{}
	t.Cleanup(engine.stop)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup:               func(env *testscript.Env) error { return setUp(env, smith, cache) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"smith":            runSmith,
			"exits":            runExits,
			"need":             runNeed,
			"fixture":          runFixture,
			"testdata":         runTestdata,
			"runc-run":         runRunc,
			"runc-start":       startRunc,
			"crun-run":         runCrun,
			"podman-run":       runPodman,
			"podman-load":      loadPodman,
			"docker-load":      engine.load,
			"docker-run":       engine.run,
			"docker":           engine.docker,
			"registry":         runRegistry,
			"rpm-distribution": runRPMDistribution,
		},
	})
}

// buildSmith returns the program under test: the one that SMITH names, else
// one built now, as a release is.
func buildSmith(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("SMITH"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "smith")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "smith/cmd/smith")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot build smith: %v\n%s", err, out)
	}
	return path
}

// testKey is where a script's *testing.T is kept among the script's values.
type testKey struct{}

func setUp(env *testscript.Env, smith, cache string) error {
	env.Values[testKey{}] = env.T()
	env.Values[serversKey{}] = map[string]*server{}
	base := filepath.Join(env.WorkDir, ".base")
	env.Setenv("BASE", base)
	env.Setenv("SMITH", smith)
	// For scripts that read one large image: it is unpacked once for all.
	env.Setenv("SHARED_CACHE", cache)
	// testscript's HOME is not a folder; programs keep their state there.
	home := filepath.Join(env.WorkDir, ".home")
	env.Setenv("HOME", home)
	env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
	env.Setenv("PATH", filepath.Dir(smith)+":"+os.Getenv("PATH")+":/usr/sbin:/sbin")
	return errors.Join(os.MkdirAll(home, 0o755), os.MkdirAll(base, 0o755))
}

// runSmith runs smith: `smith ARGS`. `! smith ARGS` wants exit code 1 or 2.
func runSmith(ts *testscript.TestScript, neg bool, args []string) {
	finish(ts, neg, ts.Exec(ts.Getenv("SMITH"), args...))
}

// runExits runs a program and wants an exact exit code: `exits 2 smith nonsense`.
func runExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGS]")
	}
	program := args[1]
	if program == "smith" {
		program = ts.Getenv("SMITH")
	}
	code := "0"
	if err := ts.Exec(program, args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError) //nolint:errorlint // Exec returns it bare
		if !ok {
			ts.Fatalf("cannot run %s: %v", program, err)
		}
		code = fmt.Sprint(exit.ExitCode())
	}
	if code != args[0] {
		ts.Fatalf("%s exits with %s, want %s", args[1], code, args[0])
	}
}

// finish judges the end of a program as testscript's exec does.
func finish(ts *testscript.TestScript, neg bool, err error) {
	switch {
	case err != nil && !neg:
		ts.Fatalf("unexpected failure: %v", err)
	case err == nil && neg:
		ts.Fatalf("unexpected success")
	}
}
