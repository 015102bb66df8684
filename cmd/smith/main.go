// Command smith builds microcontainers: container images that hold one
// program, exactly the files it needs, and nothing else.
package main

import (
	"os"

	"smith/internal/cli"
)

// Set at build time by -ldflags.
var (
	version = "dev"
	commit  = "unknown"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr, cli.Version{Number: version, Commit: commit}))
}
