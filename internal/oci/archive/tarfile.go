package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
)

// Limits of what an archive may hold, far above what images need.
const (
	maxMembers = 100_000
	maxHops    = 8 // links from member to member
)

// A member is a file of a tar, or a link to one.
type member struct {
	link   string // clean name of the member that it stands for, or ""
	offset int64
	size   int64
}

// A tarFile is a plain tar, whose members can be read in any order.
type tarFile struct {
	file    *os.File
	store   *store.Store
	known   identity
	members map[string]member

	mu   sync.Mutex
	sums map[string]digest.Digest
}

var _ members = (*tarFile)(nil)

func openTar(f *os.File, st *store.Store) (members, error) {
	t := &tarFile{file: f, store: st, sums: map[string]digest.Digest{}}
	var err error
	if t.known, err = identify(f); err == nil {
		t.members, err = listTar(f)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	recall(st, t.known, &t.sums)
	return t, nil
}

// listTar reads the headers; tar.Reader seeks over what lies between them.
func listTar(f io.ReadSeeker) (map[string]member, error) {
	all := map[string]member{}
	tr := tar.NewReader(f)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			if len(all) == 0 {
				return nil, errors.New("it is no archive: it begins as no tar file does")
			}
			return nil, fmt.Errorf("tar: after %d members: %w", len(all), err)
		}
		if len(all) >= maxMembers {
			return nil, fmt.Errorf("tar: more than %d members", maxMembers)
		}
		m, name, ok := memberOf(h)
		if !ok {
			continue
		}
		if m.offset, err = f.Seek(0, io.SeekCurrent); err != nil {
			return nil, err
		}
		all[name] = m
	}
}

// memberOf returns what a header stands for, if that is a file or a link.
func memberOf(h *tar.Header) (m member, name string, ok bool) {
	name = clean(h.Name)
	switch h.Typeflag {
	case tar.TypeReg:
		for key := range h.PAXRecords {
			if strings.HasPrefix(key, "GNU.sparse.") {
				return m, name, false
			}
		}
		m.size = h.Size
	case tar.TypeLink:
		m.link = clean(h.Linkname)
	case tar.TypeSymlink:
		// docker save writes a layer that an archive holds twice as a link
		// beside the first one's folder.
		m.link = clean(path.Join(path.Dir(name), h.Linkname))
		if path.IsAbs(h.Linkname) {
			m.link = clean(h.Linkname)
		}
	default:
		return m, name, false
	}
	return m, name, true
}

// clean returns the form by which a member is looked up. It cannot lead out
// of the archive, since it leads to members only.
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// follow returns the file that a member is or stands for.
func follow[M any](all map[string]M, name string, link func(M) string) (string, M, error) {
	var none M
	for range maxHops {
		m, ok := all[name]
		if !ok {
			return "", none, fs.ErrNotExist
		}
		to := link(m)
		if to == "" {
			return name, m, nil
		}
		name = to
	}
	return "", none, fmt.Errorf("member %.100q is a link that leads nowhere", name)
}

func (t *tarFile) open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	_, m, err := follow(t.members, name, func(m member) string { return m.link })
	if err != nil {
		return nil, 0, err
	}
	return io.NopCloser(&whole{r: io.NewSectionReader(t.file, m.offset, m.size), left: m.size}), m.size, nil
}

// section opens the archive anew: each reader has a place of its own in it.
func (t *tarFile) section(name string) (*os.File, int64, error) {
	_, m, err := follow(t.members, name, func(m member) string { return m.link })
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(t.file.Name())
	if err != nil {
		return nil, 0, reason(err)
	}
	if err := sameFile(f, t.file); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, m.offset, nil
}

func sameFile(a, b *os.File) error {
	one, err := a.Stat()
	if err != nil {
		return err
	}
	other, err := b.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(one, other) {
		return errors.New("another file took its place while it was read; run smith again")
	}
	return nil
}

// A whole reader fails where fewer bytes come than were announced.
type whole struct {
	r    io.Reader
	left int64
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if w.left -= int64(n); errors.Is(err, io.EOF) && w.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// sum keeps what it found under the archive's identity: hashing a large layer
// takes longer than the rest of a second build.
func (t *tarFile) sum(ctx context.Context, name string) (digest.Digest, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d, ok := t.sums[name]; ok && d.Validate() == nil {
		return d, nil
	}
	r, _, err := t.open(ctx, name)
	if err != nil {
		return "", err
	}
	d, err := digest.SHA256.FromReader(cancelled{ctx, r})
	if err != nil {
		return "", err
	}
	t.sums[name] = d
	return d, remember(t.store, t.known, t.sums)
}

func (t *tarFile) close() error { return t.file.Close() }
