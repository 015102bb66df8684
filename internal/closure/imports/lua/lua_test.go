package lua

import (
	"os"
	"testing"

	"smith/internal/closure/imports/importstest"
	"smith/internal/golden"
)

// What a script of every form refers to.
func TestRead(t *testing.T) {
	src, err := os.ReadFile("testdata/script")
	if err != nil {
		t.Fatal(err)
	}
	golden.New(t).Add("script", importstest.Text(Read(src)))
}

func FuzzRead(f *testing.F) {
	src, err := os.ReadFile("testdata/script")
	if err != nil {
		f.Fatal(err)
	}
	importstest.Fuzz(f, Read, string(src), "\x00\"'", "<<E")
}
