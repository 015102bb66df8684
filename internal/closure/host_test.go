package closure

import (
	"runtime"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/source/host"
	"smith/internal/tree"
)

func machine(t testing.TB) *tree.Tree {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("this machine runs no Linux")
	}
	o, err := host.New("/").Open(t.Context(), ocispec.Platform{})
	if err != nil {
		t.Fatal(err)
	}
	return o.Tree
}

func TestCatOfThisMachine(t *testing.T) {
	s := selected(t, Input{Source: machine(t), Roots: roots("/usr/bin/cat"), Entrypoint: []string{"cat"}})
	for _, l := range show(t, s) {
		t.Log(l)
	}
}

func BenchmarkCat(b *testing.B) {
	for b.Loop() {
		selected(b, Input{Source: machine(b), Roots: roots("/usr/bin/cat")})
	}
}

func BenchmarkPython(b *testing.B) {
	for b.Loop() {
		selected(b, Input{Source: machine(b), Roots: roots("/usr/bin/python3", "/usr/lib/python3.11")})
	}
}
