package rpmfile

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkRead reads a package of some MiB into an empty cache.
func BenchmarkRead(b *testing.B) {
	path := filepath.Join(testdata(b), "rpm-repo/centos7-httpd/glibc-2.17-317.el7.x86_64.rpm")
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		p, err := Read(b.Context(), openStore(b), f)
		if err != nil {
			b.Fatal(err)
		}
		p.Close()
		f.Close()
	}
}

// BenchmarkOpen opens the same from the cache and lists its entries.
func BenchmarkOpen(b *testing.B) {
	st := openStore(b)
	p, err := readFile(b, st, filepath.Join(testdata(b), "rpm-repo/centos7-httpd/glibc-2.17-317.el7.x86_64.rpm"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		again, err := Open(st, p.Digest)
		if err != nil {
			b.Fatal(err)
		}
		again.Entries(nil)
		again.Close()
	}
}
