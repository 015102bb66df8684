package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"

	"smith/internal/cache/store"
	"smith/internal/event"
	"smith/internal/oci/image"
)

// blobBucket is where the cache keeps blobs as they are, by digest.
const blobBucket = "blobs"

// maxBreaks is how often the download of one blob may break, with some
// progress each time.
const maxBreaks = 64

// blob returns a blob of the repository.
func (r *repository) blob(d ocispec.Descriptor) image.Blob {
	return image.Blob{Descriptor: d, Remote: r.path(), Open: func(ctx context.Context) (io.ReadCloser, error) {
		b, err := r.read(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s of %s: %w", d.Digest, r.path(), plain(err))
		}
		return b, nil
	}}
}

// read opens a blob: the cache's, else the registry's, which goes to the cache
// while it is read.
func (r *repository) read(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error) {
	switch e, err := r.options.Store.Open(blobBucket, d.Digest.String()); {
	case err == nil:
		if e.Size() != d.Size {
			return nil, errors.Join(fmt.Errorf("it has %d bytes, its descriptor says %d", e.Size(), d.Size), e.Close())
		}
		// It was checked when it came; the cache looks for damage since then.
		return entry{io.NewSectionReader(e, 0, e.Size()), e}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	in := &download{repo: r, ctx: ctx, desc: d}
	if err := in.connect(); err != nil {
		return nil, err
	}
	checked, err := image.Verify(in, d)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	w, err := r.options.Store.Create(blobBucket)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	step := event.Silent{}.Step(event.Fetch, "", 0)
	if d.Size > small {
		step = r.options.Events.Step(event.Fetch, d.Digest.Encoded()[:12], d.Size)
	}
	return &kept{in: checked, out: w, key: d.Digest, step: step}, nil
}

// keep puts a small blob into the cache.
func (r *repository) keep(d digest.Digest, data []byte) error {
	return r.options.Store.Save(blobBucket, d.String(), data)
}

// An entry is a blob in the cache.
type entry struct {
	io.Reader
	io.Closer
}

// A kept reader copies what is read to the cache, where it becomes an entry
// when it was read to its end and found right.
type kept struct {
	in  io.ReadCloser
	out *store.Writer
	key digest.Digest
	// step is the progress.
	step event.Step
	end  bool // it was read to its end
}

// Read is io.Reader's.
func (k *kept) Read(p []byte) (int, error) {
	if k.end {
		return 0, io.EOF
	}
	n, err := k.in.Read(p)
	k.step.Advance(int64(n))
	if _, failed := k.out.Write(p[:n]); failed != nil {
		return n, failed
	}
	if err != io.EOF {
		return n, err
	}
	k.end = true
	e, failed := k.out.Commit(k.key.String())
	if failed != nil {
		return n, failed
	}
	if failed := e.Close(); failed != nil {
		return n, failed
	}
	return n, io.EOF
}

// Close is io.Closer's. What was not read to its end is not kept.
func (k *kept) Close() error {
	k.step.Done()
	return errors.Join(k.in.Close(), k.out.Discard())
}

// A download is the bytes of a blob as they come. Where the connection breaks
// it asks for the rest. Who reads checks the digest.
type download struct {
	repo *repository
	ctx  context.Context //nolint:containedctx // it is that of the reading, as with http.Request
	desc ocispec.Descriptor

	body   io.ReadCloser // nil between two connections
	offset int64
	breaks int // of all connections
	tries  int // since the last byte
}

// Read is io.Reader's.
func (d *download) Read(p []byte) (int, error) {
	for d.body == nil {
		if err := d.connect(); err != nil && !errors.Is(err, errShort) {
			return 0, plain(err)
		} else if err != nil {
			if err := d.broken(err); err != nil {
				return 0, err
			}
		}
	}
	n, err := d.body.Read(p)
	if d.offset += int64(n); n > 0 {
		d.tries = 0
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF && d.offset >= d.desc.Size:
		return n, io.EOF
	case err == io.EOF:
		err = errShort
	}
	_ = d.Close()
	d.body = nil
	return n, d.broken(err)
}

// broken waits before the next connection. It returns an error where there is
// to be none.
func (d *download) broken(err error) error {
	if d.breaks++; d.breaks > maxBreaks || !d.repo.wait.pause(d.ctx, d.tries, err) {
		return fmt.Errorf("after %d of %d bytes: %w", d.offset, d.desc.Size, errors.Join(plain(err), d.ctx.Err()))
	}
	d.tries++
	d.repo.options.Events.Note(fmt.Sprintf("%s: the connection broke after %d of %d bytes; going on there", d.desc.Digest, d.offset, d.desc.Size))
	return nil
}

// Close lets go of the connection.
func (d *download) Close() error {
	if d.body == nil {
		return nil
	}
	return d.body.Close()
}

// connect asks for the blob from the offset on, and for a foreign layer that
// the registry does not have where its descriptor says.
func (d *download) connect() error {
	resp, err := d.get(d.url()) //nolint:bodyclose // Close closes it
	for _, other := range d.elsewhere(err) {
		if resp, err = d.get(other); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	d.body = resp.Body
	if err := d.skip(resp); err != nil {
		resp.Body.Close()
		d.body = nil
		return err
	}
	return nil
}

// url is where the registry has it: manifests have a place of their own.
func (d *download) url() string {
	if image.IsManifest(d.desc.MediaType) || image.IsIndex(d.desc.MediaType) {
		return d.repo.base + "/manifests/" + d.desc.Digest.String()
	}
	return d.repo.blobURL(d.desc.Digest)
}

func (d *download) get(from string) (*http.Response, error) {
	req, err := d.repo.request(d.ctx, http.MethodGet, from, auth.ActionPull)
	if err != nil {
		return nil, err
	}
	if image.IsManifest(d.desc.MediaType) || image.IsIndex(d.desc.MediaType) {
		req.Header.Set("Accept", d.desc.MediaType)
	}
	req.Header.Set("Accept-Encoding", "identity")
	if d.offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", d.offset, d.desc.Size-1))
	}
	if from == d.url() {
		return d.repo.do(req, http.StatusOK, http.StatusPartialContent)
	}
	resp, err := d.repo.http.Do(req) // no business of the registry's login
	if err == nil && resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent {
		err = answer(resp)
		resp.Body.Close()
	}
	return resp, err
}

// elsewhere returns where a foreign layer is to be had (OCI image
// specification, "Descriptors", urls), which a registry need not keep.
func (d *download) elsewhere(err error) []string {
	if status(err) != http.StatusNotFound || !image.IsForeign(d.desc.MediaType) {
		return nil
	}
	var urls []string
	for _, text := range d.desc.URLs {
		if u, err := url.Parse(text); err == nil && (u.Scheme == "https" || u.Scheme == "http" && d.repo.name.Plain) {
			urls = append(urls, text)
		}
	}
	return urls
}

// skip brings a response that begins elsewhere than asked to the offset: a
// registry need not know ranges.
func (d *download) skip(resp *http.Response) error {
	if resp.StatusCode == http.StatusPartialContent {
		text, _, _ := strings.Cut(strings.TrimPrefix(resp.Header.Get("Content-Range"), "bytes "), "-")
		if at, err := strconv.ParseInt(text, 10, 64); err != nil || at != d.offset {
			return fmt.Errorf("asked for the bytes from %d on, the registry sends those of %.40q", d.offset, resp.Header.Get("Content-Range"))
		}
		return nil
	}
	if d.offset == 0 {
		return nil
	}
	if _, err := io.CopyN(io.Discard, resp.Body, d.offset); err != nil {
		return errShort
	}
	return nil
}
