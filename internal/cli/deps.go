package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"smith/internal/elf/loader"
	"smith/internal/source/host"
	"smith/internal/tree"
)

// A depsCommand is smith deps.
type depsCommand struct {
	*app
	root     string
	platform string
	level    string
	asJSON   bool
}

func (a *app) depsCommand() *cobra.Command {
	d := &depsCommand{app: a}
	cmd := &cobra.Command{
		Use:   "deps FILE…",
		Short: "List the libraries of programs, executing nothing",
		Long: `List the libraries of programs and shared objects in the order in which the
dynamic linker would load them, their interpreter, and what is missing. An ldd
that executes nothing and works for any architecture.

The exit code is 1 if anything is missing, or if a file cannot be read: the
others are listed all the same. --json prints an object a line for each file:
file, interpreter ("" for a static program), libraries (name, path, neededBy),
missing (name, neededBy, searched), and error for a file that cannot be read.`,
		Example: `  smith deps /usr/bin/curl
  smith deps --root image.tar.gz /usr/bin/cat
  smith deps --json --root ./rootfs /usr/bin/git /usr/bin/vim
  smith deps --cpu x86-64-v3 /usr/bin/python3`,
		Args: arguments(1, -1, "a file, such as /usr/bin/curl"),
		RunE: func(cmd *cobra.Command, args []string) error { return d.run(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.StringVar(&d.root, "root", "/", "directory or image that holds the files")
	f.StringVar(&d.platform, "platform", "", "which platform's image, such as linux/arm64")
	f.StringVar(&d.level, "cpu", "", "CPU whose variants of libraries are picked, such as x86-64-v3 (default: the baseline)")
	f.BoolVar(&d.asJSON, "json", false, "print one JSON object a line for each file")
	return cmd
}

// dependencies is what is printed of one file.
type dependencies struct {
	File        string       `json:"file"`
	Interpreter string       `json:"interpreter"`
	Libraries   []dependency `json:"libraries"`
	Missing     []absence    `json:"missing"`
	Error       string       `json:"error,omitempty"`
}

type dependency struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	NeededBy string `json:"neededBy"`
	found    string
}

type absence struct {
	Name     string   `json:"name"`
	NeededBy string   `json:"neededBy"`
	Searched []string `json:"searched"`
	text     string
}

func (d *depsCommand) run(ctx context.Context, files []string) error {
	if levels := loader.Levels(); d.level != "" && !slices.Contains(levels, d.level) {
		return usagef("--cpu %q: use one of %s", d.level, strings.Join(levels, ", "))
	}
	options := loader.Options{Level: d.level}
	root, done, err := d.open(ctx, &options)
	if err != nil {
		return err
	}
	defer done()
	l := loader.New(root, options)
	results := make([]dependencies, len(files))
	var group errgroup.Group
	group.SetLimit(8)
	for i, file := range files {
		group.Go(func() error {
			results[i] = d.one(ctx, l, file)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	failed := false
	for _, r := range results {
		if err := d.print(r, len(files) > 1); err != nil {
			return err
		}
		failed = failed || r.Error != "" || len(r.Missing) > 0
	}
	if failed {
		return errReported
	}
	return nil
}

// open returns the tree that the files lie in: a directory's or an image's, whose
// environment and working directory apply.
func (d *depsCommand) open(ctx context.Context, o *loader.Options) (*tree.Tree, func(), error) {
	if info, err := os.Stat(d.root); err == nil && info.IsDir() && !isLayout(d.root) {
		dir, err := filepath.Abs(d.root)
		if err != nil {
			return nil, nil, fmt.Errorf("cannot find directory %s: %w", d.root, err)
		}
		if d.platform != "" {
			return nil, nil, usagef("--platform chooses among an image's platforms, and %s is a directory", d.root)
		}
		t, err := host.Tree(dir, nil)
		return t, func() {}, err
	}
	opened, err := d.openImage(ctx, d.root, d.platform)
	if err != nil {
		return nil, nil, err
	}
	c := opened.Image.Config.Config
	o.Env, o.Dir = c.Env, c.WorkingDir
	return opened.Tree, opened.done, nil
}

func (d *depsCommand) one(ctx context.Context, l *loader.Loader, file string) dependencies {
	r := dependencies{File: file, Libraries: []dependency{}, Missing: []absence{}}
	name := file
	if d.root == "/" {
		if absolute, err := filepath.Abs(file); err == nil {
			name = filepath.ToSlash(absolute)
		}
	}
	p, err := l.Load(ctx, tree.Clean(name))
	var gone *tree.PathError
	switch {
	case errors.As(err, &gone):
		r.Error = "no such file"
	case err != nil:
		r.Error = err.Error()
	}
	if err != nil {
		return r
	}
	if p.Interpreter != nil {
		r.Interpreter = p.Interpreter.Path
	}
	for _, lib := range p.Libraries {
		r.Libraries = append(r.Libraries, dependency{lib.Name, lib.Path, lib.NeededBy, lib.Found})
	}
	for _, m := range p.Missing {
		r.Missing = append(r.Missing, absence{m.Name, m.NeededBy, append([]string{}, m.Searched...), m.Reason})
		if m.Kind == loader.Linker {
			r.Interpreter = m.Name
		}
	}
	for _, v := range p.Versions {
		if !v.Weak {
			r.Missing = append(r.Missing, absence{v.Version, v.NeededBy, []string{v.Library}, "version not defined"})
		}
	}
	return r
}

func (d *depsCommand) print(r dependencies, many bool) error {
	if d.asJSON {
		e := json.NewEncoder(d.stdout)
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	if many {
		fmt.Fprintf(d.stdout, "%s:\n", r.File)
	}
	if r.Error != "" {
		fmt.Fprintf(d.stderr, "smith: %s: %s\n", r.File, r.Error)
		return nil
	}
	if r.Interpreter == "" && len(r.Libraries)+len(r.Missing) == 0 {
		fmt.Fprintln(d.stdout, "\tstatically linked")
	}
	for _, lib := range r.Libraries {
		fmt.Fprintf(d.stdout, "\t%s => %s", lib.Name, lib.Path)
		if d.verbose {
			fmt.Fprintf(d.stdout, " (needed by %s; %s)", lib.NeededBy, lib.found)
		}
		fmt.Fprintln(d.stdout)
	}
	if r.Interpreter != "" {
		fmt.Fprintf(d.stdout, "\t%s\n", r.Interpreter)
	}
	for _, m := range r.Missing {
		fmt.Fprintf(d.stdout, "\t%s => not found (%s)\n", m.Name, m.explain())
	}
	return nil
}

// explain tells who asked, what stood in the way, and where it was looked for.
func (m absence) explain() string {
	text := "needed by " + m.NeededBy
	if m.text != "" {
		text += "; " + m.text
	}
	if len(m.Searched) > 0 {
		text += "; searched " + strings.Join(m.Searched, ", ")
	}
	return text
}
