package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"smith/internal/capability"
	"smith/internal/oci/image"
	"smith/internal/size"
	"smith/internal/tree"
	"smith/record"
)

// An inspectCommand is smith inspect.
type inspectCommand struct {
	*app
	platform string
	asJSON   bool
}

func (a *app) inspectCommand() *cobra.Command {
	i := &inspectCommand{app: a}
	cmd := &cobra.Command{
		Use:   "inspect IMAGE",
		Short: "Show an image's config, layers, sizes, annotations and inputs",
		Example: `  smith inspect image.tar.gz
  smith inspect --json image.tar.gz | jq .config`,
		Args: arguments(1, 1, "an image, such as image.tar.gz"),
		RunE: func(cmd *cobra.Command, args []string) error { return i.run(cmd.Context(), args[0]) },
	}
	cmd.Flags().StringVar(&i.platform, "platform", "", "which platform's image, such as linux/arm64")
	cmd.Flags().BoolVar(&i.asJSON, "json", false, "print JSON")
	return cmd
}

// An inspection is what smith inspect --json prints.
type inspection struct {
	Name        string                `json:"name"`
	Digest      digest.Digest         `json:"digest"`
	MediaType   string                `json:"mediaType"`
	Platform    string                `json:"platform"`
	Created     string                `json:"created,omitempty"`
	Config      image.ContainerConfig `json:"config"`
	Layers      []inspectedLayer      `json:"layers"`
	Size        int64                 `json:"size"`
	Unpacked    int64                 `json:"unpacked"`
	Files       int                   `json:"files"`
	Annotations map[string]string     `json:"annotations,omitempty"`
	Inputs      []record.Input        `json:"inputs,omitempty"`
	Packages    []record.Share        `json:"packages,omitempty"`
	// Capabilities are those of files, by path, as getcap(8) shows them.
	Capabilities map[string]string `json:"capabilities,omitempty"`
	Scanners     scannerView       `json:"scanners"`
	Excluded     []record.Finding  `json:"excluded,omitempty"`
	Allowed      []record.Finding  `json:"allowed,omitempty"`
	Suspects     []record.Finding  `json:"suspects,omitempty"`
	Warnings     []string          `json:"warnings,omitempty"`
	Spec         json.RawMessage   `json:"spec,omitempty"`
}

type inspectedLayer struct {
	Digest    digest.Digest `json:"digest"`
	DiffID    digest.Digest `json:"diffID"`
	MediaType string        `json:"mediaType"`
	Size      int64         `json:"size"`
	// Unpacked and Files count what of the layer no later one hides.
	Unpacked int64 `json:"unpacked"`
	Files    int   `json:"files"`
}

func (i *inspectCommand) run(ctx context.Context, name string) error {
	img, err := i.openImage(ctx, name, i.platform)
	if err != nil {
		return err
	}
	defer img.done()
	shown, err := inspect(ctx, img)
	if err != nil {
		return fmt.Errorf("cannot inspect %s: %w", name, err)
	}
	if i.asJSON {
		return i.printJSON(shown)
	}
	return shown.print(i.stdout)
}

func inspect(ctx context.Context, img *openedImage) (*inspection, error) {
	s := &inspection{
		Name: img.Name, Digest: img.Image.Descriptor.Digest, MediaType: img.Image.Manifest.MediaType,
		Platform: image.PlatformName(img.Platform), Config: img.Image.Config.Config,
		Annotations: map[string]string{}, Capabilities: map[string]string{}, Size: int64(len(img.Image.ConfigBytes)),
	}
	maps.Copy(s.Annotations, img.Image.Manifest.Annotations)
	maps.Copy(s.Annotations, img.Image.Descriptor.Annotations)
	s.Created = s.Annotations[ocispec.AnnotationCreated]
	if created := img.Image.Config.Created; created != nil {
		s.Created = created.UTC().Format("2006-01-02T15:04:05Z07:00")
	}
	for _, l := range img.Image.Layers {
		s.Layers = append(s.Layers, inspectedLayer{Digest: l.Descriptor.Digest, DiffID: l.DiffID, MediaType: l.Descriptor.MediaType, Size: l.Descriptor.Size})
		s.Size += l.Descriptor.Size
	}
	if r := img.Record; r != nil {
		s.Inputs, s.Excluded, s.Allowed, s.Suspects, s.Warnings = r.Inputs, r.Excluded, r.Allowed, r.Suspects, r.Warnings
		s.Packages = r.Packages()
	}
	var err error
	if s.Scanners, err = scanned(img.Tree); err != nil {
		return nil, err
	}
	if s.Spec, err = img.Image.Attachment(ctx, image.MediaTypeSpec); err != nil {
		return nil, err
	}
	return s, s.measure(img.Tree)
}

// measure counts the files of the stacked layers; a file with several names
// counts once.
func (s *inspection) measure(t *tree.Tree) error {
	seen := map[*tree.Inode]bool{nil: false}
	return t.Walk(func(n *tree.Node) error {
		if n.Parent() == nil {
			return nil
		}
		s.Files++
		if attribute := n.Xattrs[capability.Attribute]; attribute != "" {
			s.Capabilities[n.Path()] = capability.Text(attribute)
		}
		added := n.Size
		if n.Inode != nil && seen[n.Inode] {
			added = 0
		}
		s.Unpacked += added
		for i, l := range s.Layers {
			if n.Origin != nil && n.Origin.Digest == l.Digest.String() {
				s.Layers[i].Unpacked += added
				s.Layers[i].Files++
				break
			}
		}
		if n.Inode != nil {
			seen[n.Inode] = true
		}
		return nil
	})
}

// print shows the inspection to a person.
func (s *inspection) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	row("image", s.Name)
	row("digest", s.Digest.String())
	row("platform", s.Platform)
	row("created", s.Created)
	row("size", fmt.Sprintf("%s compressed, %s in %d files", size.Format(s.Size), size.Format(s.Unpacked), s.Files))
	s.printConfig(row)
	for _, l := range s.Layers {
		row("layer", fmt.Sprintf("%s  %s, %s in %d files", l.Digest, size.Format(l.Size), size.Format(l.Unpacked), l.Files))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Annotations)) {
		if !strings.HasPrefix(s.Annotations[name], "[{") { // the list of attachments is for machines
			row("annotation", name+"="+s.Annotations[name])
		}
	}
	s.printInputs(row)
	for _, name := range slices.Sorted(maps.Keys(s.Capabilities)) {
		row("capabilities", printable(name)+"  "+s.Capabilities[name])
	}
	row("scanners see", s.Scanners.String())
	findings := func(name string, list []record.Finding) {
		for _, f := range list {
			row(name, findingLine(f))
		}
	}
	findings("excluded", s.Excluded)
	findings("allowed missing", s.Allowed)
	findings("suspect", s.Suspects)
	for _, text := range s.Warnings {
		row("warning", text)
	}
	return w.Flush()
}

func (s *inspection) printConfig(row func(name, value string)) {
	c := s.Config
	row("user", c.User)
	row("entrypoint", words(c.Entrypoint))
	row("cmd", words(c.Cmd))
	row("dir", c.WorkingDir)
	for _, e := range c.Env {
		row("env", e)
	}
	row("ports", strings.Join(slices.Sorted(maps.Keys(c.ExposedPorts)), " "))
	row("volumes", strings.Join(slices.Sorted(maps.Keys(c.Volumes)), " "))
	row("stop signal", c.StopSignal)
	if c.Healthcheck != nil {
		row("healthcheck", words(c.Healthcheck.Test))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		row("label", name+"="+c.Labels[name])
	}
}

// printInputs shows what the image was made from: of packages, what they gave,
// the heaviest first, and then who vouched for how many of them.
func (s *inspection) printInputs(row func(name, value string)) {
	vouched := map[string]int{}
	for _, in := range s.Inputs {
		if in.Kind == record.KindPackage {
			vouched[in.Voucher()]++
			continue
		}
		row("made from", originText(&record.Origin{Kind: in.Kind, Name: in.Name}, &in))
	}
	for _, p := range s.Packages {
		row("package", fmt.Sprintf("%s  %s in %s", printable(p.String()), size.Format(p.Size), count(p.Files, "file")))
	}
	for _, voucher := range slices.Sorted(maps.Keys(vouched)) {
		row("vouched by", fmt.Sprintf("%s: %s", cmp.Or(printable(voucher), "unknown"), count(vouched[voucher], "package")))
	}
}

func findingLine(f record.Finding) string {
	text := f.Name
	if f.From != "" {
		text += " (" + f.From + ")"
	}
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	return text
}

// words shows arguments so that it can be seen where each ends.
func words(args []string) string {
	if len(args) == 0 {
		return ""
	}
	data, err := json.Marshal(args)
	if err != nil {
		return strings.Join(args, " ")
	}
	return string(data)
}
