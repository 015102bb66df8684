package layer

import (
	"os"
	"path/filepath"
	"testing"

	"smith/internal/cache/store"
	"smith/internal/event"
)

// BenchmarkRead reads the layer named by LAYER into a new cache.
func BenchmarkRead(b *testing.B) {
	path := os.Getenv("LAYER")
	if path == "" {
		b.Skip("LAYER names no file")
	}
	for b.Loop() {
		st, err := store.Open(filepath.Join(b.TempDir(), "cache"))
		if err != nil {
			b.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		form, err := Sniff(b.Context(), st, f, event.Silent{}.Step(event.Open, "", 0))
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(form.Layer.Size())
		form.Layer.Close()
		f.Close()
	}
}
