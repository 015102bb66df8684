package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"smith/internal/cache/store"
	"smith/internal/lock"
)

// A lockCommand is smith lock.
type lockCommand struct {
	specCommand
	update, asJSON bool
}

func (a *app) lockCommand() *cobra.Command {
	l := &lockCommand{specCommand: specCommand{app: a}}
	cmd := &cobra.Command{
		Use:   "lock [--update [PACKAGE…]]",
		Short: "Lock the exact packages and images that a build uses",
		Long: `Write smith.lock beside smith.yaml: each package of the set, for each platform,
with its version, URL, size, digest and the key that vouched for it, and each
image with its digest. A build then uses exactly these. What a lock lists
already stays as it is; --update takes the newest version of everything, or of
the named packages and what they need.`,
		Example: `  smith lock
  smith lock --update
  smith lock --update openssl libssl3`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !l.update {
				return usagef("%s takes packages only with --update", cmd.CommandPath())
			}
			return l.run(cmd.Context(), args)
		},
	}
	l.specFlags(cmd)
	cmd.Flags().BoolVar(&l.update, "update", false, "take what the repositories offer now")
	cmd.Flags().BoolVar(&l.asJSON, "json", false, "print what changed as JSON")
	return cmd
}

func (l *lockCommand) run(ctx context.Context, packages []string) error {
	r, file, err := l.request()
	if err != nil {
		return err
	}
	old, err := lock.ReadFile(file)
	switch {
	case lock.Absent(err):
		old = nil
	case err != nil && !l.update:
		return err
	}
	if old != nil && (!l.update || len(packages) > 0) {
		if r.Keep, err = without(old, packages); err != nil {
			return err
		}
	}
	builder, display, err := l.builder()
	if err != nil {
		return err
	}
	now, err := builder.Lock(ctx, r)
	display.close()
	if err != nil {
		return err
	}
	if err := now.WriteFile(file); err != nil {
		return fmt.Errorf("cannot write %s: %w", file, bare(err))
	}
	changes := now.Changes(old)
	switch {
	case l.asJSON:
		return l.printJSON(changes)
	case !l.quiet:
		for _, c := range changes {
			fmt.Fprintln(l.stdout, c)
		}
	}
	return nil
}

// without returns a lock without some packages.
func without(l *lock.Lock, names []string) (*lock.Lock, error) {
	kept := &lock.Lock{Version: l.Version, Platforms: map[string]*lock.Platform{}}
	found := map[string]bool{}
	for name, p := range l.Platforms {
		one := *p
		one.Packages = slices.DeleteFunc(slices.Clone(p.Packages), func(p lock.Package) bool {
			if slices.Contains(names, p.Name) {
				found[p.Name] = true
			}
			return slices.Contains(names, p.Name)
		})
		kept.Platforms[name] = &one
	}
	for _, name := range names {
		if !found[name] {
			return nil, fmt.Errorf("smith.lock lists no package %q", name)
		}
	}
	return kept, nil
}

// A fetchCommand is smith fetch.
type fetchCommand struct {
	specCommand
	to string
}

func (a *app) fetchCommand() *cobra.Command {
	f := &fetchCommand{specCommand: specCommand{app: a}}
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Fetch the packages that smith.lock lists",
		Long: `Fetch the packages that smith.lock lists into the cache, so that a build needs
no network. With --to, copy their files into a directory to keep: name it with
the key archives, and builds find there what the mirrors have removed.`,
		Example: `  smith fetch
  smith fetch --to packages`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context()) },
	}
	f.specFlags(cmd)
	cmd.Flags().StringVar(&f.to, "to", "", "directory to copy the files to")
	return cmd
}

func (f *fetchCommand) run(ctx context.Context) error {
	r, file, err := f.request()
	if err != nil {
		return err
	}
	if r.Lock, err = lock.ReadFile(file); err != nil {
		if lock.Absent(err) {
			err = fmt.Errorf("%s does not exist; run \"smith lock\" to create it", file)
		}
		return err
	}
	builder, display, err := f.builder()
	if err != nil {
		return err
	}
	err = builder.Fetch(ctx, r, func(p lock.Package, e *store.Entry) error {
		if f.to == "" {
			return nil
		}
		return put(filepath.Join(f.to, filepath.FromSlash(lock.KeptAs(p))), e)
	})
	display.close()
	return err
}

// put writes a cache entry to a file, unless the file exists with that size.
func put(file string, e *store.Entry) error {
	if info, err := os.Stat(file); err == nil && info.Size() == e.Size() {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	w, err := os.CreateTemp(filepath.Dir(file), ".fetch.*")
	if err != nil {
		return err
	}
	_, err = io.Copy(w, io.NewSectionReader(e, 0, e.Size()))
	if err == nil {
		err = w.Chmod(0o644)
	}
	if closing := w.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(w.Name(), file)
	}
	if err != nil {
		os.Remove(w.Name())
		return fmt.Errorf("cannot write %s: %w", strings.TrimPrefix(file, "./"), err)
	}
	return nil
}
