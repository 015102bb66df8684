package pipeline

import (
	"cmp"
	"slices"
	"time"

	"smith/internal/oci/image"
	"smith/internal/recording"
	"smith/internal/source"
	"smith/record"
)

// record writes down what the image was made from and why each file is in it,
// and returns the finished image.
func (b *Builder) record(r Request, from *offered, c *chosen, files *assembled, layers []image.Layer) (*Built, error) {
	selection := c.selection
	rec := &record.Record{
		Version: record.Version, Spec: r.SpecName, Platform: image.PlatformName(from.platform), Inputs: slices.Concat(files.inputs, from.parent.Inputs),
		Excluded: selection.Excluded, Allowed: selection.Allowed, Suspects: selection.Suspects, Warnings: selection.Warnings,
		Dependencies: c.dependencies,
	}
	if from.overlay != nil {
		rec.Inputs = append(rec.Inputs, record.Input{Kind: record.KindOverlay, Name: "rootfs"})
	}
	var err error
	if rec.Files, err = recording.Files(files.tree, files.reasons); err != nil {
		return nil, err
	}
	slices.SortFunc(rec.Files, func(a, b record.File) int { return cmp.Compare(a.Path, b.Path) })
	rec.Inputs = contributing(rec.Inputs, rec.Files)
	rec.Scripts = b.scripts(c.pkg, files.tree)
	rec.Inputs = complete(c.pkg, rec.Inputs)
	img, err := newImage(r, from, c, layers, rec)
	if err != nil {
		return nil, err
	}
	return &Built{
		Platform: from.platform, Image: img, Record: rec, Program: programOf(files.tree, c.launch.config),
		Unpacked: unpacked(rec.Files), Files: len(rec.Files), unneeded: selection.Unneeded,
	}, nil
}

// unpacked is the size of files in bytes.
func unpacked(files []record.File) int64 {
	var size int64
	for _, f := range files {
		size += f.Size
	}
	return size
}

// complete returns inputs with what is known only since their files were read.
func complete(pkg *source.Offer, inputs []record.Input) []record.Input {
	if pkg.Packages == nil {
		return inputs
	}
	return pkg.Packages.Complete(inputs)
}

// newImage puts the image together.
func newImage(r Request, from *offered, c *chosen, layers []image.Layer, rec *record.Record) (*image.Image, error) {
	config := image.Config{Config: c.launch.config}
	config.Platform = from.platform
	if from.parent.Image != nil {
		config.History, config.Author = from.parent.Image.Config.History, from.parent.Image.Config.Author
	}
	if created := created(r, c); !created.IsZero() {
		config.Created = &created
	}
	form, err := r.Spec.JSON()
	if err != nil {
		return nil, err
	}
	data, err := rec.JSON()
	if err != nil {
		return nil, err
	}
	attachments := []image.Blob{image.NewBlob(image.MediaTypeSpec, form), image.NewBlob(image.MediaTypeRecord, data)}
	if list := packageList(rec); list != "" {
		attachments = append(attachments, image.NewBlob(image.MediaTypePackages, []byte(list)))
	}
	return image.New(config, layers, attachments...)
}

// created is SOURCE_DATE_EPOCH, else the newest date that the inputs carry,
// else zero: never the time of the build.
func created(r Request, c *chosen) time.Time {
	if r.Epoch != nil {
		return *r.Epoch
	}
	return c.created.UTC()
}
