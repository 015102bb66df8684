package archive

import (
	"crypto/rand"
	"io/fs"
	"os"
	"path"
	"regexp"
)

// A file that will take the place of another stands beside it under a temporary
// name. Who writes it holds a lock on it, which ends with the process: one that
// nobody holds was left by a process that was killed, and is taken away by the
// next that writes there. Where the system has no such locks it stays.

// createTemporary makes the file that will become name, and locks it.
func createTemporary(dir *os.Root, name string) (f *os.File, temporary string, err error) {
	for {
		temporary = path.Join(path.Dir(name), temporaryName(path.Base(name)))
		f, err = dir.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, "", err
		}
		hold(f)
		if stands(dir, temporary, f) {
			return f, temporary, nil
		}
		f.Close() // somebody took it for a leftover before it was locked
	}
}

// stands says whether a name still leads to a file.
func stands(dir *os.Root, name string, f *os.File) bool {
	there, err := dir.Lstat(name)
	if err != nil {
		return false
	}
	ours, err := f.Stat()
	return err == nil && os.SameFile(there, ours)
}

// temporaryName returns a name for a file that will become name.
func temporaryName(name string) string { return temporaryPrefix(name) + rand.Text()[:10] }

func temporaryPrefix(name string) string { return "." + name[:min(len(name), 100)] + "." }

var random = regexp.MustCompile(`^[A-Z2-7]{10}$`) // as rand.Text has it

// isTemporary says whether a file is one that should have become name.
func isTemporary(file, name string) bool {
	prefix := temporaryPrefix(name)
	return len(file) > len(prefix) && file[:len(prefix)] == prefix && random.MatchString(file[len(prefix):])
}

var temporaryBlob = regexp.MustCompile(`^\.[0-9a-f]{64}\.[A-Z2-7]{10}$`)

// sweep takes away the leftovers in a folder of those that left says. What
// cannot be taken away stays: it is in nobody's way.
func sweep(dir *os.Root, folder string, left func(file string) bool) {
	entries, err := fs.ReadDir(dir.FS(), folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !left(e.Name()) {
			continue
		}
		name := path.Join(folder, e.Name())
		f, err := dir.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			continue
		}
		if abandoned(f) {
			_ = dir.Remove(name)
		}
		f.Close()
	}
}
