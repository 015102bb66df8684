// Command smith builds microcontainers: container images that hold one
// program, exactly the files it needs, and nothing else.
package main

import (
	"os"
	"runtime/debug"

	"smith/internal/cli"
)

// Set at build time by -ldflags.
var (
	version = "dev"
	commit  = "unknown"
)

func main() {
	tuneMemory()
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr, cli.Version{Number: version, Commit: commit}))
}

// tuneMemory trades memory that a build does not need for time: a build lasts
// a moment and keeps most of what it makes. A large one collects as soon as it
// comes near the limit. Who sets GOGC or GOMEMLIMIT has the last word.
func tuneMemory() {
	const percent, limit = 400, 96 << 20
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}
