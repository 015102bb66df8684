package unpacked

import (
	"context"
	"errors"
	"io"
)

// Drain reads to the end what follows an archive in the stream that it came in:
// who supplies the bytes, or their digest, has something to say of all of them.
func Drain(ctx context.Context, r io.Reader) error {
	buffer := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := r.Read(buffer); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
