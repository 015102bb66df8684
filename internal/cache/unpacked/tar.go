package unpacked

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"

	"smith/internal/tree"
)

// ReadTar reads a plain tar (POSIX.1-2001 pax, ustar, GNU and old forms) to its
// end, keeps its bytes and adds its entries. An error names the entry.
//
// Global pax headers are passed over, as every container runtime does; in
// practice they hold a comment.
func (w *Writer) ReadTar(r Buffers) error {
	in := &intake{from: r, to: w, start: w.size}
	err := in.index()
	if err == nil {
		err = in.drain()
	}
	if err == nil {
		w.tail = w.size
		err = in.sparse.copyTo(w)
	}
	return errors.Join(err, in.sparse.discard())
}

// index reads the headers and ends at the end-of-archive mark.
func (in *intake) index() error {
	tr := tar.NewReader(in)
	last := "the first"
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return fmt.Errorf("tar entry after %s: %w", last, err)
		}
		last = fmt.Sprintf("%.200q", h.Name)
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		e, err := entry(h)
		switch {
		case err != nil:
		case isSparse(h):
			err = in.addSparse(e, tr)
		default:
			err = in.add(e, tr)
		}
		if err != nil {
			return fmt.Errorf("tar entry %s: %w", last, err)
		}
	}
}

// add adds an entry whose content comes next.
func (in *intake) add(e tree.Entry, content io.Reader) error {
	at := in.pos()
	var head [headSize]byte
	n := 0
	if e.Node != nil && e.Node.Kind == tree.File {
		var err error
		if n, err = io.ReadFull(content, head[:min(headSize, e.Node.Size)]); errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
	}
	return in.to.index.add(e, at, string(head[:n]))
}

// addSparse adds a sparse file whose content comes next.
func (in *intake) addSparse(e tree.Entry, content io.Reader) error {
	if e.Node.Size < 0 {
		return errors.New("a negative size")
	}
	at, head, err := in.sparse.add(content, e.Node.Size, in.pos()-in.start)
	if err != nil {
		return err
	}
	return in.to.index.addSparse(e, at, head)
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
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		n.Kind, n.Size = tree.File, h.Size
	case tar.TypeSymlink:
		n.Kind, n.Link = tree.Symlink, h.Linkname
	case tar.TypeChar, tar.TypeBlock:
		n.Kind = tree.Device
	case tar.TypeFifo:
		n.Kind = tree.FIFO
	default:
		return tree.Entry{}, fmt.Errorf("unknown type %q", h.Typeflag)
	}
	for key, value := range h.PAXRecords {
		if name, ok := strings.CutPrefix(key, xattrPrefix); ok {
			if n.Xattrs == nil {
				n.Xattrs = map[string]string{}
			}
			n.Xattrs[name] = value
		}
	}
	return tree.Entry{Path: h.Name, Node: n}, nil
}
