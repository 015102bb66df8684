package test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"smith/test/fixture"
)

// kills is how often smith is killed; each kill comes at another moment.
const kills = 100

// TestKill kills smith at random moments of a build and looks at what is left:
// the target is always the old image or the new one, and the cache serves the
// next build.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("a hundred builds take their time")
	}
	base, err := fixture.Make(context.Background(), io.Discard, "small")
	if errors.Is(err, fixture.ErrNoTool) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	spec := "name: killed\npackage: " + filepath.Join(base, "small.tar.gz") + "\npaths: [/usr/bin/bash, /usr/bin/curl]\n"
	if err := os.WriteFile(filepath.Join(dir, "smith.yaml"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	k := killer{t: t, smith: buildSmith(t), dir: dir, target: filepath.Join(dir, "image.tar.gz")}
	took := k.build(filepath.Join(dir, "reference"))
	k.want = k.sum()
	old := []byte("the old image")
	random := rand.New(rand.NewPCG(1, 2))
	cache := ""
	for i := range kills {
		if i%10 == 0 {
			cache = filepath.Join(dir, "cache", string(rune('a'+i/10)))
		}
		if i%2 == 0 {
			if err := os.WriteFile(k.target, old, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		k.killed(cache, time.Duration(random.Int64N(int64(took))))
		if got := k.sum(); got != k.want && got != sha256.Sum256(old) {
			t.Fatalf("kill %d left a target that is neither the old nor the new image", i)
		}
		if i%10 == 9 {
			k.build(cache)
			if k.sum() != k.want {
				t.Fatalf("after %d kills the cache serves another image", i+1)
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*image.tar.gz*"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills within %v", kills, took)
	if len(left) != 1 { // the last build was not killed
		t.Errorf("what those before left is not taken away: %q", left)
	}
}

type killer struct {
	t                  *testing.T
	smith, dir, target string
	want               [sha256.Size]byte
}

func (k killer) command(cache string) *exec.Cmd {
	cmd := exec.Command(k.smith, "--cache-dir", cache, "build", "-b", "1")
	cmd.Dir = k.dir
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=0")
	return cmd
}

// build builds to the end and returns how long it took.
func (k killer) build(cache string) time.Duration {
	k.t.Helper()
	began := time.Now()
	if out, err := k.command(cache).CombinedOutput(); err != nil {
		k.t.Fatalf("cannot build: %v\n%s", err, out)
	}
	return time.Since(began)
}

func (k killer) killed(cache string, after time.Duration) {
	k.t.Helper()
	var out bytes.Buffer
	cmd := k.command(cache)
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != -1 {
		k.t.Fatalf("smith failed before it was killed: %v\n%s", err, &out)
	}
}

func (k killer) sum() [sha256.Size]byte {
	k.t.Helper()
	data, err := os.ReadFile(k.target)
	if err != nil {
		k.t.Fatal(err)
	}
	return sha256.Sum256(data)
}
