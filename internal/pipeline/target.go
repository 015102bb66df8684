package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"smith/internal/reference"
)

// checkTarget reports, before any work, that an image cannot be written where
// it should go: downloads and compression take long. A registry answers for
// itself.
func checkTarget(target reference.Reference) error {
	dir := target.Path
	switch target.Kind {
	case reference.Archive:
		if info, err := os.Stat(target.Path); err == nil && info.IsDir() {
			return fmt.Errorf("cannot write %s: it is a directory; oci:%[1]s writes a layout into it", target.Path)
		}
		dir = filepath.Dir(target.Path)
	case reference.Layout:
		for { // a layout's directory is made where it does not exist
			_, err := os.Stat(dir)
			if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
				break
			}
			dir = filepath.Dir(dir)
		}
	default:
		return nil
	}
	probe, err := os.CreateTemp(dir, ".smith-*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", target.Path, unwrapped(err))
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return fmt.Errorf("cannot write %s: %w", target.Path, err)
	}
	return nil
}

// unwrapped drops the name of a temporary file from an error.
func unwrapped(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return fmt.Errorf("directory %s: %w", filepath.Dir(at.Path), at.Err)
	}
	return err
}
