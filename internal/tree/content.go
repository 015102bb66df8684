package tree

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/opencontainers/go-digest"
)

// Content is the bytes of a file, wherever they are stored.
type Content interface {
	// Open returns a reader of the bytes, which the caller closes.
	Open() (ReaderAtCloser, error)
}

// A ReaderAtCloser reads at any offset until it is closed.
type ReaderAtCloser interface {
	io.ReaderAt
	io.Closer
}

// Section is Content that lies in a larger blob. Whoever made it keeps Blob
// open for as long as the tree is used.
type Section struct {
	Blob   io.ReaderAt
	Offset int64
	Size   int64
	// Of is the digest of the blob, or "" where it is not known.
	Of string
	// Head are the first bytes, where they are known without reading: most files
	// are only asked what they begin with.
	Head string
}

var _ Content = Section{}

// Open returns the section.
func (s Section) Open() (ReaderAtCloser, error) {
	r := io.NewSectionReader(s.Blob, s.Offset, s.Size)
	if s.Head == "" {
		return unclosed{r}, nil
	}
	return unclosed{headed{r, s.Head}}, nil
}

// A headed reader knows what it begins with.
type headed struct {
	io.ReaderAt
	head string
}

// ReadAt is io.ReaderAt's.
func (h headed) ReadAt(p []byte, off int64) (int, error) {
	if off == 0 && len(p) <= len(h.head) {
		return copy(p, h.head), nil
	}
	return h.ReaderAt.ReadAt(p, off)
}

// Identity tells the section from any other without reading it. It is ""
// where nothing is known of the blob, and then nothing may be concluded.
func (s Section) Identity() string {
	if s.Of == "" {
		return ""
	}
	return fmt.Sprintf("%s@%d+%d", s.Of, s.Offset, s.Size)
}

// Bytes is Content that smith made itself.
type Bytes []byte

var _ Content = Bytes(nil)

// Open returns the bytes.
func (b Bytes) Open() (ReaderAtCloser, error) { return unclosed{bytes.NewReader(b)}, nil }

type unclosed struct{ io.ReaderAt }

func (unclosed) Close() error { return nil }

// NewFile returns a node for a file that smith made itself.
func NewFile(data []byte, mode uint32) *Node {
	return &Node{Kind: File, Mode: mode, Size: int64(len(data)), Content: Bytes(data)}
}

// A Reader reads the bytes of a file.
type Reader struct {
	*io.SectionReader
	closer io.Closer
}

// Close ends the reading.
func (r *Reader) Close() error { return r.closer.Close() }

// Open returns a reader of the file's bytes, exactly Size of them: fewer is
// io.ErrUnexpectedEOF at the end of a read, more are not seen.
func (n *Node) Open() (*Reader, error) {
	if n.Kind != File {
		return nil, fmt.Errorf("cannot read %s: it is a %s, not a file", n.Path(), n.Kind)
	}
	if n.Content == nil {
		if n.Size != 0 {
			return nil, fmt.Errorf("cannot read %s: its %d bytes are not at hand", n.Path(), n.Size)
		}
		return &Reader{io.NewSectionReader(bytes.NewReader(nil), 0, 0), unclosed{}}, nil
	}
	r, err := n.Content.Open()
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", n.Path(), err)
	}
	return &Reader{io.NewSectionReader(r, 0, n.Size), r}, nil
}

// ReadAll returns the bytes of a file, which may be no more than limit.
func (n *Node) ReadAll(limit int64) ([]byte, error) {
	if n.Size > limit {
		return nil, fmt.Errorf("cannot read %s: its %d bytes are more than the %d allowed", n.Path(), n.Size, limit)
	}
	r, err := n.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data := make([]byte, n.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", n.Path(), err)
	}
	return data, nil
}

// Known tells the digest of a file's bytes to those who ask later. It is for
// who has read them, or keeps what was found then.
func (n *Node) Known(d digest.Digest) {
	n.sum.once.Do(func() { n.sum.digest = d })
}

type sum struct {
	once   sync.Once
	digest digest.Digest
	err    error
}

// Digest returns the SHA-256 of a file's bytes. It is worked out once.
func (n *Node) Digest() (digest.Digest, error) {
	n.sum.once.Do(func() { n.sum.digest, n.sum.err = n.digest() })
	return n.sum.digest, n.sum.err
}

const bufferSize = 64 << 10

// buffers are shared: most files are smaller than one.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

func (n *Node) digest() (digest.Digest, error) {
	r, err := n.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	d := digest.SHA256.Digester()
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	size, err := io.CopyBuffer(d.Hash(), struct{ io.Reader }{r}, buffer[:])
	if err == nil && size != n.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", n.Path(), err)
	}
	return d.Digest(), nil
}
