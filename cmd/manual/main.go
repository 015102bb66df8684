// Command manual writes what is made from smith's commands: man pages,
// completions for shells, and docs/commands.md.
//
//	go run ./cmd/manual build/share       # man/*.1 and completions/*
//	go run ./cmd/manual -markdown docs/commands.md
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"smith/internal/cli"
)

func main() {
	markdown := flag.String("markdown", "", "write the commands' reference to this file, and nothing else")
	flag.Parse()
	err := write(*markdown, flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1)
	}
}

func write(markdown, dir string) error {
	root := cli.Command()
	if markdown != "" {
		return os.WriteFile(markdown, reference(root), 0o644)
	}
	if dir == "" {
		return fmt.Errorf("name a directory for the man pages and completions")
	}
	return share(root, dir)
}

// share writes man pages and completions as they lie under /usr/share.
func share(root *cobra.Command, dir string) error {
	man := filepath.Join(dir, "man", "man1")
	completions := filepath.Join(dir, "completions")
	for _, d := range []string{man, completions} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	// The date would be that of the build.
	header := &doc.GenManHeader{Title: "SMITH", Section: "1", Source: "smith", Manual: "smith"}
	if err := doc.GenManTree(root, header, man); err != nil {
		return err
	}
	for name, write := range map[string]func(string) error{
		"smith.bash": func(f string) error { return root.GenBashCompletionFileV2(f, true) },
		"_smith":     root.GenZshCompletionFile,
		"smith.fish": func(f string) error { return root.GenFishCompletionFile(f, true) },
		"smith.ps1":  root.GenPowerShellCompletionFileWithDesc,
	} {
		if err := write(filepath.Join(completions, name)); err != nil {
			return err
		}
	}
	return nil
}

// reference returns the text of docs/commands.md: all commands, one after the
// other.
func reference(root *cobra.Command) []byte {
	var out bytes.Buffer
	fmt.Fprintln(&out, "# Commands\n\nMade from the commands themselves by `make docs`; `smith help COMMAND` says the same.")
	section(&out, root)
	return out.Bytes()
}

// section writes a command and those below it.
func section(out *bytes.Buffer, cmd *cobra.Command) {
	if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
		return
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(out, "\n## %s\n\n%s\n\n    %s\n", cmd.CommandPath(), text, cmd.UseLine())
	if cmd.Example != "" {
		fmt.Fprintf(out, "\nExamples:\n\n```\n%s\n```\n", cmd.Example)
	}
	if flags := cmd.LocalFlags().FlagUsages(); flags != "" {
		fmt.Fprintf(out, "\nOptions:\n\n```\n%s```\n", flags)
	}
	for _, c := range cmd.Commands() {
		section(out, c)
	}
}
