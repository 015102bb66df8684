package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/opencontainers/go-digest"
)

// A folder is an OCI layout folder. Links in it are followed as long as they
// stay in it: some builders keep their blobs as links to files beside blobs/.
// A link that leaves the folder is refused: whoever made the folder could use
// it to have another file of this machine read.
type folder struct{ root *os.Root }

var _ members = folder{}

func openFolder(path string) (members, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, reason(err)
	}
	return folder{root}, nil
}

func (f folder) open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	info, err := f.root.Stat(name) // first: opening a FIFO would wait
	if err != nil {
		return nil, 0, leaving(err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("it is no file")
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	if info, err = file.Stat(); err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

func (f folder) section(name string) (*os.File, int64, error) {
	file, err := f.root.Open(name)
	return file, 0, err
}

// leaving says in our words what os.Root says of a link that leaves its folder:
// the one error that is not the system's.
func leaving(err error) error {
	if errors.As(err, new(syscall.Errno)) {
		return err
	}
	return errors.New("it is behind a link that leaves the layout folder")
}

func (f folder) sum(ctx context.Context, name string) (digest.Digest, error) {
	r, _, err := f.open(ctx, name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	return digest.SHA256.FromReader(cancelled{ctx, r})
}

func (f folder) close() error { return f.root.Close() }

// A cancelled reader stops when its context does.
type cancelled struct {
	ctx context.Context //nolint:containedctx // io.Reader takes none
	r   io.Reader
}

func (c cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
