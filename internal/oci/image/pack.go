package image

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/cache/store"
	"smith/internal/compress/gzip"
	"smith/internal/event"
	"smith/internal/tree"
)

// blobBucket is where the cache keeps packed layers, by their digest.
const blobBucket = "blobs"

// Pack makes a layer of a tree, as it stands: modes, owners and times are
// written as the nodes have them, in whole seconds. The same tree gives the
// same bytes on every machine. The layer lies in the cache; one that was
// packed before is found there again and nothing is compressed. Afterwards the
// nodes know their digests.
//
// Entries follow each other as Tree.Walk gives them, folders explicit, the
// root itself left out. Of the names of a hard-linked file the first is the
// file and the others are links to it. The form is ustar, and pax where a
// name, a link or a number does not fit (POSIX.1-2001, pax) or there are
// extended attributes, which stand in records that begin with SCHILY.xattr (OCI
// image specification, layer.md). A device, a FIFO or a socket in the tree is
// an error.
func Pack(ctx context.Context, cache *store.Store, files *tree.Tree, listener event.Listener) (Layer, error) {
	members, err := list(files)
	if err != nil {
		return Layer{}, fmt.Errorf("cannot pack the layer: %w", err)
	}
	key, err := recipe(ctx, members)
	if err != nil {
		return Layer{}, fmt.Errorf("cannot pack the layer: %w", err)
	}
	if p, ok := recall(cache, key); ok && p.tell(members) {
		return p.layer(cache), nil
	}
	p, err := pack(ctx, cache, members, listener)
	if err == nil {
		err = p.remember(cache, key)
	}
	if err != nil {
		return Layer{}, fmt.Errorf("cannot pack the layer: %w", err)
	}
	return p.layer(cache), nil
}

// A member is a node on its way into a tar.
type member struct {
	node   *tree.Node
	header tar.Header
}

// list returns the members of a tree in their order.
func list(files *tree.Tree) ([]member, error) {
	var members []member
	first := map[*tree.Inode]string{}
	err := files.Walk(func(n *tree.Node) error {
		if n.Parent() == nil {
			return nil
		}
		h := tar.Header{
			Name: n.Path()[1:], Mode: int64(n.Mode & 0o7777), Uid: n.UID, Gid: n.GID, ModTime: n.ModTime.Truncate(1e9),
			PAXRecords: attributes(n),
		}
		switch n.Kind {
		case tree.Dir:
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		case tree.Symlink:
			h.Typeflag, h.Linkname = tar.TypeSymlink, n.Link
		case tree.File:
			h.Typeflag, h.Size = tar.TypeReg, n.Size
			if first[n.Inode] != "" && n.Inode != nil {
				h.Typeflag, h.Size, h.Linkname, h.PAXRecords = tar.TypeLink, 0, first[n.Inode], nil
			} else {
				first[n.Inode] = h.Name
			}
		default:
			return fmt.Errorf("%s: an image holds no %s", n.Path(), n.Kind)
		}
		members = append(members, member{n, h})
		return nil
	})
	return members, err
}

// attributes returns the records of a node's extended attributes.
func attributes(n *tree.Node) map[string]string {
	if len(n.Xattrs) == 0 {
		return nil
	}
	records := map[string]string{}
	for name, value := range n.Xattrs {
		records["SCHILY.xattr."+name] = value
	}
	return records
}

// pack writes the members into the cache as a compressed tar.
func pack(ctx context.Context, cache *store.Store, members []member, listener event.Listener) (packed, error) {
	var total int64
	for _, m := range members {
		total += m.header.Size
	}
	step := listener.Step(event.Pack, "layer", total)
	defer step.Done()

	w, err := cache.Create(blobBucket)
	if err != nil {
		return packed{}, err
	}
	defer w.Discard()
	whole, plain := sha256.New(), sha256.New()
	z := gzip.NewWriter(io.MultiWriter(w, whole))
	err = writeTar(ctx, io.MultiWriter(z, plain), members, step)
	if closing := z.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return packed{}, err
	}
	files, err := digests(members)
	if err != nil {
		return packed{}, err
	}
	p := packed{
		Files: files,
		Descriptor: ocispec.Descriptor{
			MediaType: ocispec.MediaTypeImageLayerGzip,
			Digest:    digest.NewDigest(digest.SHA256, whole),
			Size:      w.Size(),
		},
		DiffID: digest.NewDigest(digest.SHA256, plain),
	}
	e, err := w.Commit(p.Descriptor.Digest.String())
	if err != nil {
		return packed{}, err
	}
	return p, e.Close()
}

// writeTar writes the plain tar.
func writeTar(ctx context.Context, w io.Writer, members []member, step event.Step) error {
	tw := tar.NewWriter(w)
	buffer := make([]byte, 256<<10)
	for _, m := range members {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := tw.WriteHeader(&m.header); err != nil {
			return fmt.Errorf("%s: %w", m.node.Path(), err)
		}
		if m.header.Size == 0 {
			continue
		}
		sum := digest.SHA256.Digester()
		if err := copyFile(ctx, io.MultiWriter(tw, sum.Hash()), m.node, buffer, step); err != nil {
			return err
		}
		m.node.Known(sum.Digest())
	}
	return tw.Close()
}

// copyFile writes the bytes of a file, exactly its size.
func copyFile(ctx context.Context, w io.Writer, n *tree.Node, buffer []byte, step event.Step) error {
	r, err := n.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	for left := n.Size; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := buffer[:min(left, int64(len(buffer)))]
		if _, err := io.ReadFull(r, part); err != nil {
			return fmt.Errorf("cannot read %s: %w", n.Path(), err)
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
		left -= int64(len(part))
		step.Advance(int64(len(part)))
	}
	return nil
}
