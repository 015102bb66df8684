package debfile

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/cache/unpacked"
	"smith/internal/compress"
)

// Limits of what a package may hold, far above what packages do.
const (
	maxControl        = 32 << 20 // bytes of control.tar, plain
	maxControlMembers = 1000
	maxData           = 32 << 30 // bytes of data.tar, plain
)

// read reads a package into the cache. It gets there once its digest is known
// to be right.
func read(ctx context.Context, st *store.Store, r io.Reader, want digest.Digest) (*File, error) {
	in := &summed{r: r, hash: digest.SHA256.Hash()}
	w, err := unpacked.Create(st, dataBucket)
	if err != nil {
		return nil, err
	}
	defer w.Discard()
	members, fault := readMembers(ctx, in, w)
	// Bytes that are not those that were asked for are the better reason.
	if err := unpacked.Drain(ctx, in); err != nil {
		return nil, err
	}
	if got := digest.NewDigest(digest.SHA256, in.hash); got != want {
		return nil, fmt.Errorf("its digest is %s, not %s", got, want)
	}
	if fault != nil {
		return nil, fault
	}
	return keep(st, want, members, w)
}

// keep puts a package into the cache; its files go last, as they are looked
// for last.
func keep(st *store.Store, d digest.Digest, members map[string][]byte, w *unpacked.Writer) (*File, error) {
	f, err := newFile(d, members)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	if err := st.Save(controlBucket, d.String(), data); err != nil {
		return nil, err
	}
	f.archive, err = w.Commit(d.String())
	return f, err
}

// summed hashes what is read. What ended it stays.
type summed struct {
	r    io.Reader
	hash hash.Hash
	err  error
}

func (s *summed) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.hash.Write(p[:n])
	s.err = err
	return n, err
}

// readMembers reads the archive: debian-binary, control.tar, data.tar, in this
// order; members whose names begin with "_" may lie between (deb(5)).
func readMembers(ctx context.Context, r io.Reader, w *unpacked.Writer) (map[string][]byte, error) {
	archive, err := newArReader(r)
	if err != nil {
		return nil, err
	}
	if err := version(archive); err != nil {
		return nil, err
	}
	var members map[string][]byte
	for {
		name, _, err := archive.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, errors.New("it holds no control.tar and data.tar")
		case err != nil:
			return nil, err
		case strings.HasPrefix(name, "_"):
			continue
		case members == nil && isTar(name, "control.tar"):
			if members, err = readControl(ctx, archive); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		case members != nil && isTar(name, "data.tar"):
			if err := readData(ctx, archive, w); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return members, nil
		default:
			return nil, fmt.Errorf("member %.16q is not expected in a Debian package", name)
		}
	}
}

// version reads the first member and accepts format 2.x.
func version(archive *arReader) error {
	name, size, err := archive.next()
	if err == nil && name != "debian-binary" {
		err = fmt.Errorf("it is no Debian package: its first member is %.16q", name)
	}
	if err != nil {
		return err
	}
	text := make([]byte, min(size, 16))
	if _, err := io.ReadFull(archive, text); err != nil {
		return err
	}
	if !strings.HasPrefix(string(text), "2.") {
		return fmt.Errorf("its format is %.16q, this smith reads 2.0", strings.TrimSpace(string(text)))
	}
	return nil
}

// isTar says whether a member is a tar, compressed in any of dpkg's ways.
func isTar(name, tarName string) bool {
	suffix, ok := strings.CutPrefix(name, tarName)
	return ok && slices.Contains([]string{"", ".gz", ".xz", ".zst", ".bz2", ".lzma"}, suffix)
}

// readData takes in the files.
func readData(ctx context.Context, r io.Reader, w *unpacked.Writer) error {
	plain, err := compress.NewReader(ctx, r, maxData)
	if err != nil {
		return err
	}
	defer plain.Close()
	return w.ReadTar(plain)
}

// readControl returns the regular files at the top of control.tar by name.
func readControl(ctx context.Context, r io.Reader) (map[string][]byte, error) {
	plain, err := compress.NewReader(ctx, r, maxControl)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	members := map[string][]byte{}
	tr := tar.NewReader(plain)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, err
		}
		name := strings.TrimPrefix(h.Name, "./")
		if h.Typeflag != tar.TypeReg || name == "" || strings.Contains(name, "/") {
			continue
		}
		if members[name], err = io.ReadAll(tr); err != nil {
			return nil, err
		}
		if len(members) > maxControlMembers {
			return nil, fmt.Errorf("more than %d members", maxControlMembers)
		}
	}
	if len(members["control"]) == 0 {
		return nil, errors.New("it holds no control file")
	}
	_, err = io.Copy(io.Discard, plain)
	return members, err
}
