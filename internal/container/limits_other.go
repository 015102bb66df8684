//go:build !linux

package container

// limits are Linux' own.
func limits() []string { return nil }
