package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"smith/internal/capability"
	"smith/internal/explain"
	"smith/internal/nearest"
	"smith/internal/oci/image"
	"smith/internal/program"
	"smith/internal/size"
	"smith/internal/smithfile"
	"smith/internal/tree"
	"smith/record"
)

// A whyCommand is smith why.
type whyCommand struct {
	*app
	platform string
	pkg      string
	all      bool
	orphans  bool
	asJSON   bool
}

func (a *app) whyCommand() *cobra.Command {
	w := &whyCommand{app: a}
	cmd := &cobra.Command{
		Use:   "why IMAGE [PATH]",
		Short: "Tell why a file is in an image",
		Long: `Tell why a file is in an image: the shortest chain from what smith.yaml asks
for to the file, each step with its reason, and the package it comes from. The
reasons are those of the build record. Of an image without one, made by smith
or not, it is worked out what its program needs.`,
		Example: `  smith why image.tar.gz /usr/lib/x86_64-linux-gnu/libz.so.1
  smith why image.tar.gz --all /lib64/ld-linux-x86-64.so.2
  smith why image.tar.gz --package zlib1g
  smith why image.tar.gz --orphans      # files that only a glob explains`,
		Args: arguments(1, 2, "an image and a path, such as image.tar.gz /usr/bin/cat"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.run(cmd.Context(), args[0], args[1:])
		},
	}
	f := cmd.Flags()
	f.StringVar(&w.platform, "platform", "", "which platform's image, such as linux/arm64")
	f.BoolVar(&w.all, "all", false, "every reason, not only the shortest chain")
	f.StringVar(&w.pkg, "package", "", "what brought a package")
	f.BoolVar(&w.orphans, "orphans", false, "list the files that only a glob, or nothing, explains")
	f.BoolVar(&w.asJSON, "json", false, "print JSON, an object a line")
	return cmd
}

func (w *whyCommand) run(ctx context.Context, name string, paths []string) error {
	questions := len(paths)
	for _, asked := range []bool{w.pkg != "", w.orphans} {
		if asked {
			questions++
		}
	}
	if questions != 1 {
		return usagef("smith why needs one of a path, --package NAME and --orphans")
	}
	img, err := w.openImage(ctx, name, w.platform)
	if err != nil {
		return err
	}
	defer img.done()
	explained, err := img.explain(ctx)
	if err != nil {
		return err
	}
	switch {
	case w.orphans:
		return w.listOrphans(ctx, img, explained)
	case w.pkg != "":
		return w.whyPackage(explained)
	}
	return w.whyPath(img, explained, paths[0])
}

// explain works out why each file of an image is there.
func (o *openedImage) explain(ctx context.Context) (*explain.Image, error) {
	explained, err := explain.Explain(ctx, explain.Subject{
		Name: o.Name, Tree: o.Tree, Config: o.Image.Config.Config.ImageConfig, Platform: o.Platform, Record: o.Record,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot explain %s: %w", o.Name, err)
	}
	return explained, nil
}

func (w *whyCommand) whyPath(img *openedImage, explained *explain.Image, name string) error {
	f := explained.File(name)
	if f == nil {
		// A symlink among the directories of the path leads to the file.
		at, err := img.Tree.Lookup(name)
		if err != nil {
			return notInImage(explained, name, err)
		}
		f = explained.File(at.Path())
	}
	if f == nil {
		return usagef("%s is the root of the image: it is there for all that it holds", name)
	}
	chains := explained.All(f)
	if !w.all && len(chains) > 0 {
		chains = []explain.Chain{explained.Why(f)}
	}
	if w.asJSON {
		return w.answer(explained, f, chains)
	}
	if len(chains) == 0 {
		fmt.Fprintf(w.stdout, "%s: nothing that smith can see needs it%s\n", printable(f.Path), noRecord(explained))
	}
	for i, c := range chains {
		if i > 0 {
			fmt.Fprintln(w.stdout)
		}
		w.printChain(c)
	}
	if attribute := f.Node.Xattrs[capability.Attribute]; attribute != "" {
		fmt.Fprintln(w.stdout, "has "+capability.Text(attribute)+byWhom(f))
	}
	w.printOrigin(f, explained.Input(f))
	return nil
}

// byWhom says who gave a file its capabilities.
func byWhom(f *explain.File) string {
	if len(f.Capabilities) > 0 {
		return "  (the key capabilities)"
	}
	return ""
}

func noRecord(explained *explain.Image) string {
	if explained.Recorded {
		return ""
	}
	return "; the image has no build record, so this is worked out from its entry point"
}

// notInImage names the files that may be meant.
func notInImage(explained *explain.Image, name string, err error) error {
	var gone *tree.PathError
	if !errors.As(err, &gone) || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	finder := nearest.NewPathFinder(path.Clean("/" + name))
	for _, f := range explained.Files {
		finder.See(f.Path, func() string { return "" })
	}
	var near []string
	for _, h := range finder.Found() {
		near = append(near, h.Path)
	}
	if len(near) == 0 {
		return fmt.Errorf("%s is not in %s; smith ls %[2]s lists what is", name, explained.Name)
	}
	return fmt.Errorf("%s is not in %s; there is %s", name, explained.Name, strings.Join(near, ", "))
}

// printChain shows a chain, a step a line.
func (w *whyCommand) printChain(c explain.Chain) {
	for i, s := range c {
		arrow := "→ "
		if i == 0 {
			arrow = ""
		}
		fmt.Fprintf(w.stdout, "%s%s  (%s)\n", arrow, printable(s.File.Path), printable(s.Reason.String()))
	}
}

// printOrigin ends a chain: what the file's bytes came from, and what vouched
// for that.
func (w *whyCommand) printOrigin(f *explain.File, in *record.Input) {
	if f.Origin != nil {
		fmt.Fprintf(w.stdout, "→ %s\n", originText(f.Origin, in))
	}
}

// originText names an origin and what vouched for it, as far as that is known.
func originText(o *record.Origin, in *record.Input) string {
	text := o.String()
	switch {
	case o.Kind == record.KindPackage: // known by its version
	case in == nil && o.Digest != "":
		text += ", layer " + o.Digest
	case in != nil && in.Digest != "":
		text += " " + in.Digest
	}
	text = printable(text)
	if in == nil {
		return text
	}
	if voucher := in.Voucher(); voucher != "" {
		text += " ← " + printable(voucher)
	}
	return text
}

// An answer is what smith why --json prints of a file.
type answer struct {
	Path   string          `json:"path"`
	Type   record.FileType `json:"type"`
	Size   int64           `json:"size"`
	Origin *record.Origin  `json:"origin,omitempty"`
	Input  *record.Input   `json:"input,omitempty"`
	// Capabilities are as getcap(8) shows them.
	Capabilities string         `json:"capabilities,omitempty"`
	WorkedOut    bool           `json:"workedOut,omitempty"`
	Chains       [][]answerStep `json:"chains"`
}

type answerStep struct {
	Path string `json:"path"`
	record.Reason
}

func (w *whyCommand) answer(explained *explain.Image, f *explain.File, chains []explain.Chain) error {
	a := answer{Path: f.Path, Type: f.Type, Size: f.Size, Origin: f.Origin, Input: explained.Input(f), WorkedOut: f.WorkedOut, Chains: [][]answerStep{}}
	if attribute := f.Node.Xattrs[capability.Attribute]; attribute != "" {
		a.Capabilities = capability.Text(attribute)
	}
	for _, c := range chains {
		var steps []answerStep
		for _, s := range c {
			steps = append(steps, answerStep{s.File.Path, s.Reason})
		}
		a.Chains = append(a.Chains, steps)
	}
	return json.NewEncoder(w.stdout).Encode(a)
}

// whyPackage shows the shortest chain that enters a package, and what it gave.
func (w *whyCommand) whyPackage(explained *explain.Image) error {
	files := explained.FilesOf(w.pkg)
	if len(files) == 0 {
		return fmt.Errorf("no file of %s is from a package %s; %s", explained.Name, w.pkg, knownPackages(explained))
	}
	if w.asJSON {
		for _, f := range files {
			if err := w.answer(explained, f, []explain.Chain{explained.Why(f)}); err != nil {
				return err
			}
		}
		return nil
	}
	first, bytes := files[0], int64(0)
	for _, f := range files {
		bytes += f.Size
		if brought(explained.Why(f), explained.Why(first)) {
			first = f
		}
	}
	w.printChain(explained.Why(first))
	w.printOrigin(first, explained.Input(first))
	fmt.Fprintf(w.stdout, "it gave %s, %s\n", count(len(files), "file"), size.Format(bytes))
	return nil
}

// brought reports whether a chain explains better than another what brought a
// package: a need tells more than what only follows from the package being
// there, such as its licence; of two needs the shorter chain is taken.
func brought(chain, other explain.Chain) bool {
	follows := func(c explain.Chain) bool {
		if len(c) == 0 {
			return true
		}
		role := c[len(c)-1].Reason.Rule.Role()
		return role == record.RoleMetadata || role == record.RoleStructure
	}
	if follows(chain) != follows(other) {
		return follows(other)
	}
	return len(chain) < len(other)
}

func knownPackages(explained *explain.Image) string {
	names := explained.Packages()
	if len(names) == 0 {
		return "it is not made from packages, or has no build record"
	}
	var list []string
	for _, p := range names {
		list = append(list, p.String())
	}
	return "it has " + strings.Join(list, ", ")
}

func (w *whyCommand) listOrphans(ctx context.Context, img *openedImage, explained *explain.Image) error {
	named, err := namedPaths(ctx, img)
	if err != nil {
		return err
	}
	for _, f := range explained.Orphans(func(p string) bool { return named[p] }) {
		if w.asJSON {
			if err := w.answer(explained, f, explained.All(f)); err != nil {
				return err
			}
			continue
		}
		why := "nothing"
		if len(f.Reasons) > 0 {
			why = printable(f.Reasons[0].String())
		}
		fmt.Fprintf(w.stdout, "%10s  %s  (%s)\n", size.Format(f.Size), printable(f.Path), why)
	}
	return nil
}

// namedPaths returns the paths that an image's spec names without a glob, and
// that of the program it runs.
func namedPaths(ctx context.Context, img *openedImage) (map[string]bool, error) {
	named := map[string]bool{}
	config := img.Image.Config.Config
	if words := image.Program(config.ImageConfig); len(words) > 0 {
		named[program.Existing(img.Tree, config.Env, config.WorkingDir, words[0])] = true
	}
	data, err := img.Image.Attachment(ctx, image.MediaTypeSpec)
	if data == nil || err != nil {
		return named, err
	}
	var s smithfile.Spec
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("cannot read the spec of %s: %w", img.Name, err)
	}
	for _, p := range s.Paths {
		named[tree.Clean(p)] = true
	}
	return named, nil
}
