package registry

import (
	"context"
	"io"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"smith/internal/cache/store"
	"smith/internal/oci/image"
)

// Ahead returns the images with blobs that are fetched to the cache, several at
// once, while others are read. Who reads a blob that is on its way waits for
// it; who reads one that is not yet fetches it. The caller calls stop when the
// images are no longer used.
func (c *Client) Ahead(ctx context.Context, images []*image.Image) (ahead []*image.Image, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	f := &fetching{store: c.options.Store, claimed: map[digest.Digest]chan struct{}{}}
	var blobs []image.Blob
	for _, img := range images {
		out := *img
		out.Layers = slices.Clone(img.Layers)
		for i, l := range img.Layers {
			blobs = append(blobs, l.Blob)
			out.Layers[i].Open = func(ctx context.Context) (io.ReadCloser, error) { return f.open(ctx, l.Blob) }
		}
		ahead = append(ahead, &out)
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, b := range blobs[min(1, len(blobs)):] { // the reader itself begins with the first
			group.Go(func() error { return f.fetch(ctx, b) })
		}
		_ = group.Wait() // who reads the blob meets the error again
	}()
	return ahead, func() {
		cancel()
		<-done
	}
}

// fetching is who fetches which blob.
type fetching struct {
	store   *store.Store
	mu      sync.Mutex
	claimed map[digest.Digest]chan struct{} // closed when it is over
}

// claim makes a blob the caller's to fetch, or returns what tells that somebody
// else is done with it.
func (f *fetching) claim(d digest.Digest) (mine bool, over chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	over, taken := f.claimed[d]
	if !taken {
		over = make(chan struct{})
		f.claimed[d] = over
	}
	return !taken, over
}

func (f *fetching) fetch(ctx context.Context, b image.Blob) error {
	mine, over := f.claim(b.Descriptor.Digest)
	if !mine || ctx.Err() != nil {
		return nil
	}
	defer close(over)
	if e, err := f.store.Open(blobBucket, b.Descriptor.Digest.String()); err == nil {
		return e.Close()
	}
	return check(ctx, b)
}

func (f *fetching) open(ctx context.Context, b image.Blob) (io.ReadCloser, error) {
	mine, over := f.claim(b.Descriptor.Digest)
	if mine {
		close(over)
		return b.Open(ctx)
	}
	select {
	case <-over:
		return b.Open(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
