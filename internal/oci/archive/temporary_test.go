//go:build unix && !aix && !solaris

package archive

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"smith/internal/event"
	"smith/internal/oci/image"
)

// What killed processes left is taken away by the next that writes there; what
// a living one writes, and what is something else, is not.
func TestLeftovers(t *testing.T) {
	blob := strings.Repeat("0123456789abcdef", 4)
	for target, names := range map[string]struct{ left, living, other string }{
		"a.tar": {".a.tar.ABCDEFGHIJ", ".a.tar.2345672345", ".a.tar.abcdefghij .a.tar.ABCDEFGHI .b.tar.ABCDEFGHIJ a.tar.ABCDEFGHIJ"},
		"oci:a": {"a/.index.json.ABCDEFGHIJ a/.oci-layout.ABCDEFGHIJ a/blobs/sha256/." + blob + ".ABCDEFGHIJ", "a/.index.json.2345672345", "a/blobs/sha256/.0123.ABCDEFGHIJ a/.other.ABCDEFGHIJ"},
	} {
		t.Run(target, func(t *testing.T) {
			dir := t.TempDir()
			form, path, layout := strings.Cut(target, ":")
			at := filepath.Join(dir, form)
			if layout {
				at = "oci:" + filepath.Join(dir, path)
			}
			write := func() {
				t.Helper()
				if _, err := Write(t.Context(), output(t, at), image.Of(newImage(t, "ann")), image.Labels{}, event.Silent{}); err != nil {
					t.Fatal(err)
				}
			}
			write()
			all := strings.Fields(names.left + " " + names.living + " " + names.other)
			for _, name := range all {
				writeFile(t, filepath.Join(dir, name), []byte("x"))
			}
			f, err := os.OpenFile(filepath.Join(dir, names.living), os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			hold(f)
			write()
			for _, name := range all {
				_, err := os.Lstat(filepath.Join(dir, name))
				if left := slices.Contains(strings.Fields(names.left), name); left == (err == nil) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// Who writes and who takes away leftovers do not meet.
func TestSweepSparesTheLiving(t *testing.T) {
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 200 {
				sweep(dir, ".", func(file string) bool { return isTemporary(file, "a") })
				if err := replace(dir, "a", write([]byte("x"))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if names := listing(t, dir.Name()); len(names) != 1 {
		t.Errorf("left are %q", names)
	}
}
