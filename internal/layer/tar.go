package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"

	"smith/internal/tree"
)

// A position is a stream of which one can tell how far it was read.
// tar.Reader passes over contents with Seek, so that they are not copied.
type position interface {
	io.ReadSeeker
	Pos() int64
}

// indexTar reads the headers of a plain tar (POSIX.1-2001 pax, ustar, GNU and
// old forms) and leaves r somewhere at or after the end-of-archive mark. An
// error names the entry.
//
// Global pax headers are passed over, as every container runtime does; in
// practice they hold a comment. Sparse files are refused: their bytes do not
// lie in the tar as one section, and image builders do not write them.
func indexTar(r position) (*indexWriter, error) {
	w := newIndexWriter()
	tr := tar.NewReader(r)
	last := "the first"
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return w, nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, fmt.Errorf("tar entry after %s: %w", last, err)
		}
		last = fmt.Sprintf("%.200q", h.Name)
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		e, err := entry(h)
		if err == nil {
			err = w.add(e, r.Pos())
		}
		if err != nil {
			return nil, fmt.Errorf("tar entry %s: %w", last, err)
		}
	}
}

// xattrPrefix begins the pax records of extended attributes.
const xattrPrefix = "SCHILY.xattr."

// entry returns what a header says. The content of a file is left out.
func entry(h *tar.Header) (tree.Entry, error) {
	if h.Typeflag == tar.TypeLink {
		if h.Linkname == "" {
			return tree.Entry{}, errors.New("a hard link to nothing")
		}
		return tree.Entry{Path: h.Name, Hardlink: h.Linkname}, nil
	}
	n := &tree.Node{Mode: uint32(h.Mode) & 0o7777, UID: h.Uid, GID: h.Gid, ModTime: h.ModTime}
	switch h.Typeflag {
	case tar.TypeDir:
		n.Kind = tree.Dir
	case tar.TypeReg, tar.TypeCont:
		n.Kind, n.Size = tree.File, h.Size
	case tar.TypeSymlink:
		n.Kind, n.Link = tree.Symlink, h.Linkname
	case tar.TypeChar, tar.TypeBlock:
		n.Kind = tree.Device
	case tar.TypeFifo:
		n.Kind = tree.FIFO
	case tar.TypeGNUSparse:
		return tree.Entry{}, errSparse
	default:
		return tree.Entry{}, fmt.Errorf("unknown type %q", h.Typeflag)
	}
	for key, value := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return tree.Entry{}, errSparse
		}
		if name, ok := strings.CutPrefix(key, xattrPrefix); ok {
			if n.Xattrs == nil {
				n.Xattrs = map[string]string{}
			}
			n.Xattrs[name] = value
		}
	}
	return tree.Entry{Path: h.Name, Node: n}, nil
}

var errSparse = errors.New("sparse files are not supported in layers; write the layer without them (tar's --sparse)")
