//go:build !linux

package container

import "github.com/opencontainers/runtime-spec/specs-go"

// Containers run on Linux only: find refuses other systems first.

func rlimits() []specs.POSIXRlimit { return nil }

func machineMemory() int64 { return 0 }

func canLimit() bool { return false }

func emulated(string) bool { return false }
