package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"smith/internal/cache/store"
	"smith/internal/size"
)

func (a *app) cacheCommand() *cobra.Command {
	var prune, asJSON bool
	var limit sizeFlag
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Show or prune the cache",
		Long: `Show where the cache is and what it holds. --prune removes everything;
--max-size removes the least recently used entries until the rest fits. Nothing
is lost but time: a build makes again what it lacks.`,
		Example: `  smith cache
  smith cache --max-size 2GiB
  smith cache --prune`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := a.store()
			if err != nil {
				return err
			}
			view := cacheView{Directory: st.Dir()}
			if prune || cmd.Flags().Changed("max-size") {
				removed, err := st.Prune(cmd.Context(), int64(limit))
				if err != nil {
					return err
				}
				view.Removed = &cacheShare{Files: removed.Entries, Size: removed.Bytes}
			}
			usage, err := st.Usage()
			if err != nil {
				return err
			}
			view.add(usage)
			if asJSON {
				return a.printJSON(view)
			}
			return a.showCache(view)
		},
	}
	cmd.Flags().BoolVar(&prune, "prune", false, "remove everything from the cache")
	cmd.Flags().Var(&limit, "max-size", "remove the least recently used entries until this size is left")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.MarkFlagsMutuallyExclusive("prune", "max-size")
	return cmd
}

// A cacheView is what smith cache --json prints.
type cacheView struct {
	Directory string       `json:"directory"`
	Contents  []cacheShare `json:"contents"`
	Files     int          `json:"files"`
	Size      int64        `json:"size"`
	Removed   *cacheShare  `json:"removed,omitempty"`
}

// A cacheShare is a part of the cache.
type cacheShare struct {
	What  string `json:"what,omitempty"`
	Files int    `json:"files"`
	Size  int64  `json:"size"`
}

// add counts the buckets of the cache under what they are to a user.
func (v *cacheView) add(usage map[string]store.Usage) {
	v.Contents = []cacheShare{}
	for _, what := range []string{downloads, packageLists, openedPackages, openedLayers, packedLayers, beingWritten, other} {
		share := cacheShare{What: what}
		for bucket, u := range usage {
			if bucketHolds(bucket) == what {
				share.Files, share.Size = share.Files+u.Entries, share.Size+u.Bytes
			}
		}
		if share.Files > 0 {
			v.Contents = append(v.Contents, share)
		}
		v.Files, v.Size = v.Files+share.Files, v.Size+share.Size
	}
}

// What the cache holds, in a user's words.
const (
	downloads      = "downloaded files"
	packageLists   = "package lists"
	openedPackages = "opened packages"
	openedLayers   = "opened layers"
	packedLayers   = "packed layers"
	beingWritten   = "being written"
	other          = "other"
)

// bucketHolds says what a bucket of the cache holds.
func bucketHolds(bucket string) string {
	switch bucket {
	case "":
		return beingWritten
	case "files":
		return downloads
	case "deb", "deb-control", "rpm", "apk":
		return openedPackages
	case "layer", "layer-form", "archive":
		return openedLayers
	case "blobs", "recipes":
		return packedLayers
	}
	for _, family := range []string{"deb-", "rpm-", "apk-", "apt-"} {
		if strings.HasPrefix(bucket, family) {
			return packageLists
		}
	}
	return other
}

func (a *app) showCache(v cacheView) error {
	if v.Removed != nil {
		fmt.Fprintf(a.stdout, "removed %s, %s\n", count(v.Removed.Files, "file"), size.Format(v.Removed.Size))
	}
	fmt.Fprintf(a.stdout, "%s: %s in %s\n", v.Directory, size.Format(v.Size), count(v.Files, "file"))
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, share := range v.Contents {
		fmt.Fprintf(w, "%s\t%d\t%s\t\n", share.What, share.Files, size.Format(share.Size))
	}
	return w.Flush()
}
