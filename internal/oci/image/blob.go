package image

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// NewBlob returns a Blob of bytes in memory, for what is small: configs,
// manifests, attachments.
func NewBlob(mediaType string, data []byte) Blob {
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	return Blob{Descriptor: d, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

// Verify returns a reader of r whose last read fails where the bytes do not
// match the descriptor's size and digest, and which reads no more than one
// byte past the size. Closing it closes r.
func Verify(r io.ReadCloser, d ocispec.Descriptor) (io.ReadCloser, error) {
	if err := d.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("cannot check blob %.100q: %w", d.Digest, err)
	}
	return &verified{r: r, want: d, left: d.Size, sum: d.Digest.Verifier()}, nil
}

type verified struct {
	r    io.ReadCloser
	want ocispec.Descriptor
	left int64
	sum  digest.Verifier
}

func (v *verified) Close() error { return v.r.Close() }

// Read reads, and at the end checks.
func (v *verified) Read(p []byte) (int, error) {
	if int64(len(p)) > v.left+1 {
		p = p[:v.left+1]
	}
	n, err := v.r.Read(p)
	if v.left -= int64(n); v.left < 0 {
		return 0, fmt.Errorf("blob %s is longer than the %d bytes that its descriptor says", v.want.Digest, v.want.Size)
	}
	if _, failed := v.sum.Write(p[:n]); failed != nil {
		return n, failed
	}
	if err != io.EOF {
		return n, err
	}
	if v.left > 0 {
		return n, fmt.Errorf("blob %s is truncated: %d of %d bytes are missing", v.want.Digest, v.left, v.want.Size)
	}
	if !v.sum.Verified() {
		return n, fmt.Errorf("blob %s is damaged: its bytes have another digest", v.want.Digest)
	}
	return n, io.EOF
}

// encode returns the JSON of v in the one form that smith writes: no spaces,
// fields in the order of their types, map keys sorted, nothing escaped for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("cannot write what the image says of itself: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
