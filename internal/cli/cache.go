package cli

import (
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"smith/internal/size"
)

func (a *app) cacheCommand() *cobra.Command {
	var prune bool
	var most sizeFlag
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Show or prune the cache",
		Long: `Show what the cache holds. With --prune, take everything out of it; with
--max-size, take out what was not used for longest until no more is left.
Nothing is lost but time: what a build misses it makes again.`,
		Example: `  smith cache
  smith cache --max-size 2GiB
  smith cache --prune`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := a.store()
			if err != nil {
				return err
			}
			if prune || cmd.Flags().Changed("max-size") {
				gone, err := st.Prune(cmd.Context(), int64(most))
				if err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "took out %s, %s\n", count(gone.Entries, "file"), size.Format(gone.Bytes))
			}
			return a.showCache()
		},
	}
	cmd.Flags().BoolVar(&prune, "prune", false, "take everything out of the cache")
	cmd.Flags().Var(&most, "max-size", "take out what was not used for longest until this is left")
	cmd.MarkFlagsMutuallyExclusive("prune", "max-size")
	return cmd
}

func (a *app) showCache() error {
	st, err := a.store()
	if err != nil {
		return err
	}
	usage, err := st.Usage()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	entries, bytes := 0, int64(0)
	for _, bucket := range slices.Sorted(maps.Keys(usage)) {
		u := usage[bucket]
		name := bucket
		if name == "" {
			name = "being written"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t\n", name, u.Entries, size.Format(u.Bytes))
		entries, bytes = entries+u.Entries, bytes+u.Bytes
	}
	fmt.Fprintf(w, "all\t%d\t%s\t\n", entries, size.Format(bytes))
	return w.Flush()
}
