package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"smith/internal/smithfile"
)

func (a *app) versionCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return a.printJSON(a.version)
			}
			return a.printVersion()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printVersion() error {
	_, err := fmt.Fprintf(a.stdout, "smith version %s (built from sha %s)\n", a.version.Number, a.version.Commit)
	return err
}

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of smith.yaml",
		Long:  "Print the JSON Schema (draft 2020-12) of smith.yaml, for editors to complete and check it.",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			schema, err := smithfile.Schema()
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(schema)
			return err
		},
	}
}
