package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
)

const (
	// recipeBucket is where the cache keeps what became of a recipe.
	recipeBucket = "recipes"
	// recipeForm changes whenever the same tree would be packed to other bytes,
	// or something else is kept of it.
	recipeForm = "layer 2"
)

// An identifier is content that can be told from any other without reading
// all of it. "" means that it cannot.
type identifier interface{ Identity() string }

// recipe returns a key for everything that the bytes of a layer follow from.
// Two layers of one recipe are equal; two recipes may give equal layers.
func recipe(ctx context.Context, members []member) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, recipeForm)
	for _, m := range members {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		h := m.header
		fmt.Fprintf(sum, "%q %c %o %d %d %d %d %q", h.Name, h.Typeflag, h.Mode, h.Uid, h.Gid, h.ModTime.Unix(), h.Size, h.Linkname)
		for _, name := range slices.Sorted(maps.Keys(h.PAXRecords)) {
			fmt.Fprintf(sum, " %q=%q", name, h.PAXRecords[name])
		}
		if h.Size > 0 {
			id, err := m.identity()
			if err != nil {
				return "", err
			}
			fmt.Fprintf(sum, " %q", id)
		}
		fmt.Fprintln(sum)
	}
	return digest.NewDigest(digest.SHA256, sum).String(), nil
}

// identity names the bytes of a file: by where they lie, else by their digest.
func (m member) identity() (string, error) {
	if c, ok := m.node.Content.(identifier); ok {
		if id := c.Identity(); id != "" {
			return "at " + id, nil
		}
	}
	d, err := m.node.Digest()
	return d.String(), err
}

// packed is what the cache remembers of a layer.
type packed struct {
	Descriptor ocispec.Descriptor `json:"descriptor"`
	DiffID     digest.Digest      `json:"diffID"`
	// Files are the digests of the files that have bytes, one after the other.
	Files []byte `json:"files"`
}

// digests returns those of all members that have bytes, 32 bytes each.
func digests(members []member) ([]byte, error) {
	var all []byte
	for _, m := range members {
		if m.header.Size == 0 {
			continue
		}
		d, err := m.node.Digest()
		if err == nil {
			all, err = hex.AppendDecode(all, []byte(d.Encoded()))
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// tell gives the members the digests that were found when they were packed. It
// is false where those cannot be theirs.
func (p packed) tell(members []member) bool {
	full := slices.DeleteFunc(slices.Clone(members), func(m member) bool { return m.header.Size == 0 })
	if len(p.Files) != len(full)*sha256.Size {
		return false
	}
	for i, sum := range slices.Collect(slices.Chunk(p.Files, sha256.Size)) {
		full[i].node.Known(digest.NewDigestFromBytes(digest.SHA256, sum))
	}
	return true
}

// recall finds a layer that was packed before and is still in the cache.
func recall(cache *store.Store, key string) (packed, bool) {
	var p packed
	data, err := cache.Load(recipeBucket, key)
	if err != nil || json.Unmarshal(data, &p) != nil {
		return p, false
	}
	e, err := cache.Open(blobBucket, p.Descriptor.Digest.String())
	if err != nil {
		return p, false
	}
	defer e.Close()
	return p, e.Size() == p.Descriptor.Size
}

func (p packed) remember(cache *store.Store, key string) error {
	data, err := encode(p)
	if err != nil {
		return err
	}
	return cache.Save(recipeBucket, key, data)
}

// layer returns the layer, whose bytes are read from the cache. They were summed
// when they were packed; the cache looks for damage since then.
func (p packed) layer(cache *store.Store) Layer {
	entry := func() (*store.Entry, error) {
		e, err := cache.Open(blobBucket, p.Descriptor.Digest.String())
		if err != nil {
			return nil, fmt.Errorf("cannot read layer %s: %w: it was taken out of the cache; run smith again", p.Descriptor.Digest, err)
		}
		return e, nil
	}
	open := func(context.Context) (io.ReadCloser, error) {
		e, err := entry()
		if err != nil {
			return nil, err
		}
		if e.Size() != p.Descriptor.Size {
			e.Close()
			return nil, fmt.Errorf("cannot read layer %s: the cache has %d bytes of it, not %d", p.Descriptor.Digest, e.Size(), p.Descriptor.Size)
		}
		return entryReader{io.NewSectionReader(e, 0, e.Size()), e}, nil
	}
	file := func() (*os.File, int64, error) {
		e, err := entry()
		if err != nil {
			return nil, 0, err
		}
		return e.File(), 0, nil
	}
	return Layer{Blob: Blob{Descriptor: p.Descriptor, Open: open, File: file}, DiffID: p.DiffID}
}

type entryReader struct {
	io.Reader
	io.Closer
}
