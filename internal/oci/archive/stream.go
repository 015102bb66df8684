package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/compress"
	"smith/internal/event"
	"smith/internal/oci/image"
	"smith/internal/oci/layer"
)

// blobBucket keeps blobs as they are, by digest.
const blobBucket = "blobs"

// What of a compressed archive is kept with its facts, in bytes: a member, and
// all of them.
const (
	inlineMember = 16 << 10
	inlineAll    = 4 << 20
)

// maxPlain bounds what an archive becomes that is compressed as a whole.
const maxPlain = 256 << 30

// A stream is an archive that is compressed as a whole. It is read through
// once: layers become plain tars in the cache, documents are kept there too.
// The compressed bytes of its layers are asked for only when an image is built
// upon it; then a second pass brings them all to the cache.
type stream struct {
	file    *os.File
	store   *store.Store
	events  event.Listener
	known   identity
	members map[string]streamed

	mu     sync.Mutex
	copied bool // whether the second pass was made
}

var _ members = (*stream)(nil)

// streamed is what is known of a member.
type streamed struct {
	Link   string        `json:"link,omitempty"`
	Size   int64         `json:"size,omitempty"`
	Digest digest.Digest `json:"digest,omitempty"`
	// DiffID is set where the member is a layer that was brought to the cache.
	DiffID digest.Digest `json:"diffID,omitempty"`
	// Data are the bytes, where they are few.
	Data []byte `json:"data,omitempty"`
	// Kept says that the bytes are in the cache.
	Kept bool `json:"kept,omitempty"`
}

func openStream(ctx context.Context, f *os.File, st *store.Store, events event.Listener) (members, error) {
	s := &stream{file: f, store: st, events: events}
	err := s.load(ctx)
	if err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

func (s *stream) load(ctx context.Context) (err error) {
	if s.known, err = identify(s.file); err != nil {
		return err
	}
	if recall(s.store, s.known, &s.members) && s.intact() {
		return nil
	}
	s.members = map[string]streamed{}
	inline := 0
	err = s.pass(ctx, "", func(name string, m member, r io.Reader) error {
		if len(s.members) >= maxMembers {
			return fmt.Errorf("more than %d members", maxMembers)
		}
		if m.link != "" {
			s.members[name] = streamed{Link: m.link}
			return nil
		}
		found, err := s.take(ctx, m.size, r, &inline)
		s.members[name] = found
		return err
	})
	if err != nil {
		return err
	}
	// Somebody may have written to the file meanwhile.
	if now, err := identify(s.file); err != nil || now != s.known {
		return err
	}
	return remember(s.store, s.known, s.members)
}

// intact says whether what was kept is still in the cache.
func (s *stream) intact() bool {
	for _, m := range s.members {
		var c io.Closer
		var err error
		switch {
		case m.DiffID != "":
			c, err = layer.Open(s.store, m.DiffID)
		case m.Kept:
			c, err = s.store.Open(blobBucket, m.Digest.String())
		default:
			continue
		}
		if err != nil {
			return false
		}
		c.Close()
	}
	return true
}

// take keeps what is worth it of a member.
func (s *stream) take(ctx context.Context, size int64, r io.Reader, inline *int) (streamed, error) {
	in := bufio.NewReader(r)
	head, _ := in.Peek(1)
	document := len(head) > 0 && (head[0] == '{' || head[0] == '[')
	if size <= inlineMember && *inline < inlineAll || document && size <= image.MaxJSON {
		data, err := io.ReadAll(in)
		m := streamed{Size: size, Digest: digest.FromBytes(data)}
		if err != nil {
			return m, err
		}
		if size <= inlineMember && *inline < inlineAll {
			m.Data = data
			*inline += len(data)
			return m, nil
		}
		m.Kept = true
		return m, s.store.Save(blobBucket, m.Digest.String(), data)
	}
	form, err := layer.Sniff(ctx, s.store, in, event.Silent{}.Step(event.Open, "", 0))
	m := streamed{Size: size, Digest: form.Digest}
	if form.Layer != nil {
		m.DiffID = form.Layer.DiffID
		form.Layer.Close()
	}
	return m, err
}

// pass reads the archive through and calls visit for each file and link. what
// is put before its name in the progress.
func (s *stream) pass(ctx context.Context, what string, visit func(name string, m member, r io.Reader) error) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	step := s.events.Step(event.Open, what+info.Name(), info.Size())
	defer step.Done()
	raw := counted{cancelled{ctx, io.NewSectionReader(s.file, 0, info.Size())}, step}
	plain, err := compress.NewReader(ctx, raw, 0)
	if err != nil {
		return err
	}
	defer plain.Close()
	limited := &io.LimitedReader{R: plain, N: maxPlain}
	tr := tar.NewReader(limited)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return fmt.Errorf("tar: %w", err)
		}
		if m, name, ok := memberOf(h); ok {
			if err := visit(name, m, tr); err != nil {
				return fmt.Errorf("%.100s: %w", name, err)
			}
		}
	}
	// The checksum stands at the end.
	if _, err := io.Copy(io.Discard, limited); err != nil {
		return err
	}
	if limited.N == 0 {
		return fmt.Errorf("it is larger than %d bytes", int64(maxPlain))
	}
	return nil
}

type counted struct {
	r    io.Reader
	step event.Step
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.step.Advance(int64(n))
	return n, err
}

func (s *stream) find(name string) (streamed, error) {
	_, m, err := follow(s.members, name, func(m streamed) string { return m.Link })
	return m, err
}

func (s *stream) sum(_ context.Context, name string) (digest.Digest, error) {
	m, err := s.find(name)
	return m.Digest, err
}

func (s *stream) open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	m, err := s.find(name)
	if err != nil {
		return nil, 0, err
	}
	if int64(len(m.Data)) == m.Size {
		return io.NopCloser(bytes.NewReader(m.Data)), m.Size, nil
	}
	if m.DiffID == m.Digest {
		if l, err := layer.Open(s.store, m.DiffID); err == nil {
			return section{l.Tar(), l}, m.Size, nil
		}
	}
	r, err := s.blob(m)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.copyBlobs(ctx); err != nil {
			return nil, 0, err
		}
		r, err = s.blob(m)
	}
	return r, m.Size, err
}

// section is the cache's, where that holds a member as it is.
func (s *stream) section(name string) (*os.File, int64, error) {
	m, err := s.find(name)
	if err != nil {
		return nil, 0, err
	}
	e, err := s.store.Open(blobBucket, m.Digest.String())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	return e.File(), 0, nil
}

type section struct {
	io.Reader
	io.Closer
}

func (s *stream) blob(m streamed) (io.ReadCloser, error) {
	e, err := s.store.Open(blobBucket, m.Digest.String())
	if err != nil {
		return nil, err
	}
	return section{io.NewSectionReader(e, 0, e.Size()), e}, nil
}

// copyBlobs brings all members to the cache as they are, in one pass.
func (s *stream) copyBlobs(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.copied {
		return nil
	}
	err := s.pass(ctx, "the layers of ", func(name string, in member, r io.Reader) error {
		m := s.members[name]
		if in.link != "" || int64(len(m.Data)) == m.Size {
			return nil
		}
		if e, err := s.store.Open(blobBucket, m.Digest.String()); err == nil {
			return e.Close()
		}
		return s.copyBlob(m, r)
	})
	s.copied = err == nil
	return err
}

func (s *stream) copyBlob(m streamed, r io.Reader) error {
	w, err := s.store.Create(blobBucket)
	if err != nil {
		return err
	}
	defer w.Discard()
	sum := digest.SHA256.Digester()
	if _, err := io.Copy(io.MultiWriter(w, sum.Hash()), r); err != nil {
		return err
	}
	if sum.Digest() != m.Digest {
		return errors.New("the archive was changed while it was read; run smith again")
	}
	e, err := w.Commit(m.Digest.String())
	if err != nil {
		return err
	}
	return e.Close()
}

func (s *stream) close() error { return s.file.Close() }
