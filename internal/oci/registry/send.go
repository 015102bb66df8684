package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"smith/internal/network"
	"smith/internal/oci/image"
)

// A body is a blob on its way out. It tells the upload how far it is, and what
// went wrong here and not at the registry.
//
// It goes out in one of two ways. Read gives checked bytes. Those of a file the
// system may send by itself; then it is the registry alone that checks them, as
// it does with all that it stores, and blame tells whose fault it is where it
// finds them wrong.
type body struct {
	io.ReadCloser
	upload *upload
	at     int64 // in the blob
	sent   bool  // the system sends the rest
}

var _ network.FileBody = (*body)(nil)

// Read is io.Reader's.
func (b *body) Read(p []byte) (int, error) {
	if b.sent {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.upload.fail(err)
	}
	b.advance(int64(n))
	return n, err
}

// advance tells of bytes, those that go out a second time but once.
func (b *body) advance(n int64) {
	b.at += n
	b.upload.mu.Lock()
	more := max(0, b.at-b.upload.most)
	b.upload.most += more
	b.upload.mu.Unlock()
	b.upload.step.Advance(more)
}

// File is network.FileBody's.
func (b *body) File() (*os.File, error) {
	if b.upload.blob.File == nil {
		return nil, nil
	}
	f, begin, err := b.upload.blob.File()
	if f == nil || err != nil {
		return nil, err
	}
	if _, err := f.Seek(begin+b.at, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	b.sent = true
	b.upload.mu.Lock()
	b.upload.unchecked = true
	b.upload.mu.Unlock()
	return f, nil
}

// Sent is network.FileBody's.
func (b *body) Sent(n int64, err error) {
	b.advance(n)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		b.upload.fail(fmt.Errorf("the file that it lies in ends too early, after %d of its %d bytes", b.at, b.upload.blob.Descriptor.Size))
	}
}

// blame returns why a registry refuses a blob. Bytes that the system sent are
// read and checked now: they may have been wrong before they left.
func (u *upload) blame(ctx context.Context, refusal error) error {
	u.mu.Lock()
	unchecked := u.unchecked
	u.mu.Unlock()
	if !unchecked || status(refusal) != http.StatusBadRequest {
		return refusal
	}
	if err := check(ctx, u.blob); err != nil {
		return err
	}
	return refusal
}

// check reads a blob to its end, which fails where it is not what it should be.
func check(ctx context.Context, b image.Blob) error {
	r, err := b.Open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	// Hidden from io.Copy is that io.Discard reads in small pieces.
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 256<<10))
	return err
}
