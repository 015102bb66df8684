package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"smith/internal/oci/image"
	"smith/internal/pipeline"
	"smith/internal/smithfile"
)

func (a *app) wrapCommand() *cobra.Command {
	b := &buildCommand{specCommand: specCommand{app: a}}
	s := &smithfile.Spec{Type: "host"}
	cmd := &cobra.Command{
		Use:   "wrap PROGRAM [-- ARGS]",
		Short: "Build an image of one of this machine's programs",
		Long: `Build an image of one of this machine's programs and exactly what it needs,
without a smith.yaml. The program is the image's entry point; ARGS are its
default arguments.`,
		Example: `  smith wrap /usr/bin/curl -i curl.tar.gz -- --version
  smith wrap python3 -i python.tar.gz --path '/opt/app/**' -- /opt/app/main.py`,
		Args: arguments(1, -1, "a program, such as /usr/bin/curl"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); len(args) > 1 && dash != 1 {
				return usagef("%s takes one program; put its arguments after --", cmd.CommandPath())
			}
			return b.wrap(cmd.Context(), s, args[0], args[1:])
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return usagef("%w; the program's own arguments stand after --", err)
	})
	f := cmd.Flags()
	b.outputFlags(cmd)
	f.StringSliceVar(&s.Paths, "path", nil, "a further glob of files to keep")
	f.StringArrayVarP(&s.Env, "env", "e", nil, "an environment variable, NAME=value")
	f.StringVarP(&s.User, "user", "u", "", "who runs the process, as USER or USER:GROUP (default 10:10)")
	f.BoolVar(&s.NSS, "nss", false, "let the program look up users and hosts by name")
	return cmd
}

// wrapped stands for the file name of a spec that smith wrap made.
const wrapped = "the command line"

func (b *buildCommand) wrap(ctx context.Context, s *smithfile.Spec, program string, args []string) error {
	found, err := exec.LookPath(program)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return fmt.Errorf("cannot wrap %s: %w", program, errors.Unwrap(err))
	}
	if found, err = filepath.Abs(found); err != nil {
		return fmt.Errorf("cannot wrap %s: %w", program, err)
	}
	s.Paths = append([]string{found}, s.Paths...)
	s.Entrypoint, s.Cmd = []string{found}, args
	return b.build(ctx, pipeline.Request{Spec: s, SpecName: wrapped, Labels: image.Labels{Name: filepath.Base(found)}})
}
