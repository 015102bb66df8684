package cli

import (
	"smith/internal/oci/image"
	"smith/internal/oci/registry"
	"smith/internal/pipeline"
)

// A builtOutput is what smith build --json prints.
type builtOutput struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	// Images are those of the platforms.
	Images   []builtImage    `json:"images"`
	Transfer *transferOutput `json:"transfer,omitempty"`
	// Debug is the separate image with debug information.
	Debug *builtOutput `json:"debug,omitempty"`
}

type builtImage struct {
	Platform string `json:"platform"`
	Digest   string `json:"digest"`
	// Size is that of config and layers, in bytes; Unpacked and Files count what
	// the new layer holds.
	Size     int64    `json:"size"`
	Layers   int      `json:"layers"`
	Unpacked int64    `json:"unpacked"`
	Files    int      `json:"files"`
	Packages int      `json:"packages"`
	Warnings []string `json:"warnings,omitempty"`
}

// A transferOutput is what a registry was sent.
type transferOutput struct {
	Uploaded tallyOutput `json:"uploaded"`
	Mounted  tallyOutput `json:"mounted"`
	Existing tallyOutput `json:"existing"`
}

type tallyOutput struct {
	Blobs int   `json:"blobs"`
	Size  int64 `json:"size"`
}

// built returns the result of a build for programs.
func built(r *pipeline.Result) builtOutput {
	out := builtOutput{Name: shown(r.Target), Digest: r.Digest.String(), Images: []builtImage{}, Transfer: transferred(r.Written)}
	for _, b := range r.Images {
		out.Images = append(out.Images, newBuiltImage(b))
	}
	if r.Debug != nil {
		out.Debug = &builtOutput{Name: shown(r.Debug.Target), Digest: r.Debug.Digest.String(), Images: []builtImage{}, Transfer: transferred(r.Debug.Written)}
		for _, b := range r.Images {
			if b.Debug != nil {
				out.Debug.Images = append(out.Debug.Images, newBuiltImage(*b.Debug))
			}
		}
	}
	return out
}

func newBuiltImage(b pipeline.Built) builtImage {
	return builtImage{
		Platform: image.PlatformName(b.Platform), Digest: b.Image.Descriptor.Digest.String(),
		Size: int64(len(b.Image.ConfigBytes)) + b.Image.LayersSize(), Layers: len(b.Image.Layers),
		Unpacked: b.Unpacked, Files: b.Files, Packages: len(b.Record.Packages()), Warnings: b.Record.Warnings,
	}
}

// transferred returns what a registry was sent, nil for other targets.
func transferred(w *registry.Written) *transferOutput {
	if w == nil {
		return nil
	}
	tally := func(t registry.Tally) tallyOutput { return tallyOutput{t.Blobs, t.Bytes} }
	return &transferOutput{tally(w.Uploaded), tally(w.Mounted), tally(w.Existing)}
}

// nameWithDigest returns the name of an image that was written, with its digest.
func nameWithDigest(o pipeline.Output) string {
	if o.Written != nil {
		return o.Written.Name
	}
	return shown(o.Target) + "@" + o.Digest.String()
}

// An uploadOutput is what smith upload --json prints.
type uploadOutput struct {
	Name     string          `json:"name"`
	Digest   string          `json:"digest"`
	Transfer *transferOutput `json:"transfer"`
}
