package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"smith/internal/cli"
)

func TestReferenceIsCurrent(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "commands.md")
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, reference(cli.Command())) {
		t.Errorf("%s does not say what the commands say: make docs", file)
	}
}

func TestShare(t *testing.T) {
	dir := t.TempDir()
	if err := write("", dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"man/man1/smith.1", "man/man1/smith-build.1", "completions/smith.bash", "completions/_smith", "completions/smith.fish", "completions/smith.ps1"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := write("", ""); err == nil {
		t.Error("an empty directory name was accepted")
	}
}
