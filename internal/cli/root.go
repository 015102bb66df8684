// Package cli is smith's command line: one file per command. It turns flags
// into calls, shows progress, prints results and chooses the exit code. It knows
// no formats.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"smith/internal/cache/store"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // the work could not be done
	exitUsage  = 2 // the command line is invalid
)

// Version identifies the binary.
type Version struct {
	Number string `json:"version"`
	Commit string `json:"commit"`
}

// Main runs smith with the given arguments and returns its exit code.
func Main(args []string, stdout, stderr io.Writer, version Version) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := newOutput(stdout)
	app := &app{stdout: out, stderr: stderr, version: version}
	root := app.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if out.err != nil && (err == nil || errors.Is(err, out.err)) {
		err = fmt.Errorf("cannot write the output: %w", bare(out.err))
	}
	var exit exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, errReported):
		return exitFailed
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "smith: interrupted"+unchanged(cmd))
		return exitFailed
	}
	for line := range strings.SplitSeq(safeText(err.Error()), "\n") {
		fmt.Fprintf(stderr, "%s %s\n", painted(stderr).bad("smith:"), line)
	}
	if errors.As(err, new(usageError)) || !app.started {
		fmt.Fprintf(stderr, "smith: try '%s'\n", helpFor(cmd))
		return exitUsage
	}
	return exitFailed
}

// unchanged ends what is said of an interrupted command which replaces its
// result as a whole, at its end.
func unchanged(cmd *cobra.Command) string {
	switch cmd.Name() {
	case "smith", "build", "wrap", "lock", "report":
		return "; nothing was changed"
	}
	return ""
}

// helpFor returns the command that prints the help of a command.
func helpFor(cmd *cobra.Command) string {
	if cmd.HasParent() && cmd.Name() != "help" {
		return cmd.CommandPath() + " --help"
	}
	return "smith help"
}

// Command returns the command line, for the generator of man pages.
func Command() *cobra.Command {
	root := (&app{stdout: io.Discard, stderr: io.Discard}).root()
	root.DisableAutoGenTag = true
	return root
}

// errReported is returned by a command that has printed the error itself.
var errReported = errors.New("reported")

// An exitError is the exit code of a program that a command ran and that has
// printed its errors itself.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// A usageError reports that the command line is invalid.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// An app is one run of smith.
type app struct {
	stdout, stderr io.Writer
	version        Version
	started        bool // the command line was valid

	verbose, quiet bool
	insecure       bool
	offline        bool
	ca, cert, key  string
	progress       string
	cacheDir       string
	maxSize        sizeFlag
}

func (a *app) root() *cobra.Command {
	build := &buildCommand{specCommand: specCommand{app: a}}
	showVersion := false
	root := &cobra.Command{
		Use:   "smith",
		Short: "Build microcontainers: images of one program and exactly what it needs",
		Long: `smith takes a program and exactly the files that it needs, down to the last
shared library, out of an image or this machine's own files and writes an OCI
image: the same bytes each time. Nothing that it unpacks is executed, and it
needs no root and no daemon.

smith alone is smith build: it reads ./smith.yaml and writes ./image.tar.gz.`,
		Example: `  smith                              # smith.yaml → image.tar.gz
  smith wrap /usr/bin/curl -i curl.tar.gz
  smith ls image.tar.gz
  podman run oci-archive:image.tar.gz`,
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return a.begin()
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if showVersion {
				return a.printVersion()
			}
			return build.run(cmd.Context())
		},
	}
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.PersistentFlags()
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "print details of what is done and why")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print errors only")
	flags.BoolVarP(&a.insecure, "insecure", "k", false, "do not check TLS certificates")
	flags.StringVar(&a.ca, "ca", "", "file of CA certificates for registries, besides the system's")
	flags.StringVar(&a.cert, "cert", "", "file of the client certificate for registries")
	flags.StringVar(&a.key, "key", "", "file of the client certificate's key")
	flags.BoolVar(&a.offline, "offline", false, "use no network: take packages and images from the cache and from directories")
	flags.StringVar(&a.progress, "progress", "auto", "how progress is shown: auto (bars on a terminal, otherwise a line for each slow step), plain, none")
	flags.StringVar(&a.cacheDir, "cache-dir", "", "directory of the cache (default: smith in the user's cache directory)")
	root.Flags().BoolVarP(&showVersion, "version", "V", false, "print the version")
	build.flags(root)
	root.SetHelpCommand(helpCommand())
	root.AddCommand(a.uploadCommand(), a.downloadCommand(), a.loginCommand(), a.logoutCommand())
	root.AddCommand(build.command(), a.lockCommand(), a.fetchCommand(), a.wrapCommand(), a.lsCommand(), a.inspectCommand(), a.depsCommand(),
		a.verifyCommand(), a.whyCommand(), a.diffCommand(), a.graphCommand(), a.reportCommand(), a.runCommand(), a.testCommand(), a.schemaCommand(), a.cacheCommand(), a.versionCommand())
	return root
}

// noArguments is cobra.NoArgs with a hint for a mistyped command.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	if cmd.HasParent() {
		text = fmt.Sprintf("%s takes no argument %q", cmd.CommandPath(), args[0])
	}
	if cmd.Name() == "build" {
		return usagef("%s; to build an image from it, write \"package: %s\" into smith.yaml", text, args[0])
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return usageError{errors.New(text)}
}

// helpCommand is smith help, which reports an unknown command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if at, _, err := cmd.Root().Find(args); err == nil {
				for _, sub := range at.Commands() {
					names = append(names, sub.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			at, rest, err := cmd.Root().Find(args)
			if err != nil || at == nil || len(rest) > 0 {
				return noArguments(cmd.Root(), args)
			}
			return at.Help()
		},
	}
}

// arguments requires least arguments and at most most, unless that is negative;
// what describes those that are missing.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least {
			return usagef("%s needs %s", cmd.CommandPath(), what)
		}
		if most >= 0 && len(args) > most {
			return usagef("%s takes no argument %q", cmd.CommandPath(), args[most])
		}
		return nil
	}
}

// begin checks the global flags.
func (a *app) begin() error {
	a.started = true
	switch a.progress {
	case "auto", "plain", "none":
	default:
		return usagef("--progress %q: use auto, plain or none", a.progress)
	}
	if a.verbose && a.quiet {
		return usagef("-v and -q contradict each other")
	}
	return nil
}

// store opens the cache.
func (a *app) store() (*store.Store, error) {
	dir := a.cacheDir
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("cannot find a directory for the cache: %w; name one with --cache-dir", err)
		}
		dir = filepath.Join(base, "smith")
	}
	return store.Open(dir)
}
