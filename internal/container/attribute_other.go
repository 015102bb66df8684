//go:build !linux

package container

import (
	"errors"
	"os"
)

// setAttribute is not needed: images run on Linux only.
func setAttribute(*os.File, string, string) error { return errors.ErrUnsupported }
