package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"smith/internal/capability"
	"smith/internal/tree"
	"smith/record"
)

// An lsCommand is smith ls.
type lsCommand struct {
	*app
	platform string
	asJSON   bool
}

func (a *app) lsCommand() *cobra.Command {
	l := &lsCommand{app: a}
	cmd := &cobra.Command{
		Use:   "ls IMAGE [PATH]",
		Short: "List the files of an image",
		Long: `List the files of an image, its layers stacked, as tar tv does. PATH is a
folder or file to begin at. With --json each line is an object: path, type
(file, dir, symlink, hardlink), mode, size, link, digest, capabilities, origin.`,
		Example: `  smith ls image.tar.gz
  smith ls image.tar.gz /usr/lib
  smith ls --json image.tar.gz | jq -r .path`,
		Args: arguments(1, 2, "an image, such as image.tar.gz"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.run(cmd.Context(), args[0], append(args, "/")[1])
		},
	}
	cmd.Flags().StringVar(&l.platform, "platform", "", "which platform's image, such as linux/arm64")
	cmd.Flags().BoolVar(&l.asJSON, "json", false, "print one JSON object a line for each file")
	return cmd
}

// A listed file is one line of smith ls --json.
type listed struct {
	Path   string          `json:"path"`
	Type   record.FileType `json:"type"`
	Mode   string          `json:"mode"`
	Size   int64           `json:"size"`
	Link   string          `json:"link,omitempty"`
	Digest string          `json:"digest,omitempty"`
	// Capabilities are as getcap(8) shows them.
	Capabilities string         `json:"capabilities,omitempty"`
	Origin       *record.Origin `json:"origin,omitempty"`
}

func (l *lsCommand) run(ctx context.Context, name, start string) error {
	img, err := l.openImage(ctx, name, l.platform)
	if err != nil {
		return err
	}
	defer img.done()
	at, err := img.Tree.Lookup(start)
	if err != nil {
		return fmt.Errorf("cannot list %s in %s: %w", start, name, err)
	}
	first := map[*tree.Inode]string{}
	origins := origins(img.Record)
	return at.Node.Walk(func(n *tree.Node) error {
		if n.Parent() == nil {
			return nil
		}
		again := ""
		if n.Inode != nil {
			if again = first[n.Inode]; again == "" {
				first[n.Inode] = n.Path()
			}
		}
		if l.asJSON {
			return l.line(n, again, origins)
		}
		_, err := fmt.Fprintln(l.stdout, tarLine(n, again))
		return err
	})
}

// origins returns what a record knows of files' origins, by path.
func origins(r *record.Record) map[string]*record.Origin {
	known := map[string]*record.Origin{}
	if r != nil {
		for _, f := range r.Files {
			known[f.Path] = f.Origin
		}
	}
	return known
}

func (l *lsCommand) line(n *tree.Node, again string, origins map[string]*record.Origin) error {
	f := listed{Path: n.Path(), Type: n.Kind.Type(), Mode: fmt.Sprintf("%04o", n.Mode), Link: n.Link, Origin: origins[n.Path()]}
	switch {
	case again != "":
		f.Type, f.Link = record.TypeHardlink, again
	case n.Kind == tree.File:
		sum, err := n.Digest()
		if err != nil {
			return err
		}
		f.Size, f.Digest = n.Size, sum.String()
	}
	if attribute := n.Xattrs[capability.Attribute]; attribute != "" {
		f.Capabilities = capability.Text(attribute)
	}
	if f.Origin == nil {
		f.Origin = n.Origin
	}
	return json.NewEncoder(l.stdout).Encode(f)
}

// tarLine shows a node as tar tv does.
func tarLine(n *tree.Node, again string) string {
	kind, size, suffix := "-", n.Size, ""
	switch {
	case again != "":
		kind, size, suffix = "h", 0, " link to "+printable(again[1:])
	case n.Kind == tree.Symlink:
		kind, suffix = "l", " -> "+printable(n.Link)
	case n.Kind == tree.Dir:
		kind, suffix = "d", "/"
	case n.Kind == tree.Device:
		kind = "c"
	case n.Kind == tree.FIFO:
		kind = "p"
	}
	return fmt.Sprintf("%s%s %d/%d %10d %s %s%s", kind, permissions(n.Mode), n.UID, n.GID, size,
		when(n.ModTime), printable(n.Path()[1:]), suffix)
}

// when is the date of a file. A directory that no entry of a layer lists has
// none.
func when(t time.Time) string {
	const form = "2006-01-02 15:04"
	if t.IsZero() {
		return fmt.Sprintf("%-*s", len(form), "-")
	}
	return t.UTC().Format(form)
}

// permissions shows mode bits as ls(1) does.
func permissions(mode uint32) string {
	text := []byte("rwxrwxrwx")
	for i := range text {
		if mode&(1<<(8-i)) == 0 {
			text[i] = '-'
		}
	}
	for _, special := range []struct {
		bit uint32
		at  int
		on  byte
	}{{0o4000, 2, 's'}, {0o2000, 5, 's'}, {0o1000, 8, 't'}} {
		if mode&special.bit == 0 {
			continue
		}
		if text[special.at] == '-' {
			special.on -= 'a' - 'A'
		}
		text[special.at] = special.on
	}
	return string(text)
}

// printable quotes a name that would disturb a terminal or a line.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}
