// Command smith builds microcontainers: container images that hold one
// program, exactly the files it needs, and nothing else.
package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"

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
// a moment and keeps most of what it allocates, so that a heap of up to 96 MiB
// may grow to five times what is live. A larger one may double: the limit grows
// with it, since a fixed limit below the live heap makes the collector run all
// the time. GOGC and GOMEMLIMIT in the environment turn this off.
func tuneMemory() {
	const percent, limit = 400, 96 << 20
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(percent)
	debug.SetMemoryLimit(limit)
	afterCollections(func() { debug.SetMemoryLimit(max(limit, 2*live())) })
}

// live returns the bytes that the last collection found in use, stacks and
// other memory of the runtime included.
func live() int64 {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) int64 { return int64(min(samples[i].Value.Uint64(), math.MaxInt64/4)) }
	heap := value(2) + value(3) + value(4) + value(5)
	return value(0) + max(0, value(1)-heap)
}

// afterCollections calls fn after each collection of garbage.
func afterCollections(fn func()) {
	type sentinel struct{ _ [16]byte }
	runtime.SetFinalizer(&sentinel{}, func(*sentinel) {
		fn()
		afterCollections(fn)
	})
}
