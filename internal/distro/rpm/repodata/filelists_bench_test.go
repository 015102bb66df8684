package repodata

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
)

// Sizes of the metadata of a large distribution with its updates.
const (
	benchPackages = 69_000
	benchFiles    = 116 // of each package: eight million in all
	benchAsked    = 3000
)

// BenchmarkHolders asks which packages hold 3,000 paths, of metadata that was
// read into the cache before.
func BenchmarkHolders(b *testing.B) {
	st, err := store.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	lists, asked := benchRepository(b, st)
	defer lists.Close()
	for b.Loop() {
		for i, path := range asked {
			found, err := lists.Holders(b.Context(), path)
			if err != nil {
				b.Fatal(err)
			}
			if len(found) != 1 {
				b.Fatalf("path %d, %s: %d packages hold it", i, path, len(found))
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/3000-paths")
}

// benchRepository makes metadata, reads it into the cache, and returns its
// lists and paths to ask for. How long reading takes is logged.
func benchRepository(b *testing.B, st *store.Store) (*Filelists, []string) {
	b.Helper()
	dir := b.TempDir()
	data := map[string]Data{
		"primary":   benchMetadata(b, dir, "primary", "metadata", benchPrimary),
		"filelists": benchMetadata(b, dir, "filelists", "filelists", benchList),
	}
	index, err := OpenIndex(b.Context(), st, data["primary"], directory{dir, st})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := index.Close(); err != nil {
			b.Error(err)
		}
	})
	lists, err := OpenFilelists(b.Context(), st, data["filelists"], index, directory{dir, st})
	if err != nil {
		b.Fatal(err)
	}
	var asked []string
	for i := range benchAsked {
		asked = append(asked, benchPath(i*benchPackages/benchAsked, i%benchFiles))
	}
	return lists, asked
}

func benchPath(number, file int) string {
	return fmt.Sprintf("/usr/share/doc/package-%d/part-%d/file-%d.html", number, file/10, file)
}

func benchPrimary(w *bufio.Writer, number int, sum string) {
	fmt.Fprintf(w, `<package type="rpm"><name>package-%d</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/><checksum type="sha256">%s</checksum><location href="p.rpm"/></package>`, number, sum)
}

func benchList(w *bufio.Writer, number int, sum string) {
	fmt.Fprintf(w, `<package pkgid="%s" name="package-%d" arch="noarch">`, sum, number)
	for file := range benchFiles {
		w.WriteString("<file>" + benchPath(number, file) + "</file>")
	}
	w.WriteString("</package>")
}

// benchMetadata writes a metadata file of all packages.
func benchMetadata(b *testing.B, dir, name, root string, write func(*bufio.Writer, int, string)) Data {
	b.Helper()
	var text bytes.Buffer
	w := bufio.NewWriter(&text)
	fmt.Fprintf(w, `<%s packages="%d">`, root, benchPackages)
	for i := range benchPackages {
		write(w, i, fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, i))))
	}
	fmt.Fprintf(w, "</%s>", root)
	if err := errors.Join(w.Flush(), os.WriteFile(filepath.Join(dir, name+".xml"), text.Bytes(), 0o600)); err != nil {
		b.Fatal(err)
	}
	return Data{Location: name + ".xml", Digest: digest.FromBytes(text.Bytes()), Size: int64(text.Len())}
}
