package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
)

// progress is the part of event.Step that a download needs.
type progress interface{ Advance(n int64) }

// A download is one file under way from one mirror.
type download struct {
	client   *Client
	file     File
	address  *url.URL
	step     progress
	writer   *store.Writer
	digester digest.Digester
	// validator reports whether the rest is that of the bytes we have: a strong
	// ETag or a date.
	validator string
	// fresh asks caches on the way for the server's own bytes.
	fresh bool
}

// restart begins the file anew.
func (d *download) restart() error {
	d.drop()
	var err error
	d.writer, err = d.client.Store.Create(bucket)
	d.digester = d.file.Digest.Algorithm().Digester()
	return err
}

// drop lets go of what was written.
func (d *download) drop() {
	if d.writer != nil {
		d.writer.Discard()
	}
}

// partials is the bucket of downloads that broke off, by the digest of the
// whole: any mirror, and any later run, can go on with them. What was loaded
// for nothing is found out when the whole is checked.
const partials = "partial"

// minPartial is how many bytes are worth to be kept.
const minPartial = 256 << 10

// resume begins with what was kept of the file.
func (d *download) resume() error {
	if err := d.restart(); err != nil || d.address.Scheme == "file" {
		return err
	}
	e, err := d.client.Store.Open(partials, d.file.Digest.String())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer e.Close()
	if _, err := io.Copy(io.MultiWriter(d.writer, d.digester.Hash()), io.NewSectionReader(e, 0, e.Size())); err != nil {
		return d.restart() // damaged in the cache
	}
	d.step.Advance(e.Size())
	return nil
}

// leave keeps what was written of a download that broke off.
func (d *download) leave() {
	if d.writer == nil {
		return
	}
	defer d.drop()
	if d.address.Scheme != "file" && d.writer.Size() >= minPartial {
		if e, err := d.writer.CommitAs(partials, d.file.Digest.String()); err == nil {
			e.Close()
		}
	}
}

// commit puts the whole file into the cache.
func (d *download) commit() (*store.Entry, error) {
	e, err := d.writer.Commit(d.file.Digest.String())
	if err != nil {
		return nil, err
	}
	if err := d.client.Store.Remove(partials, d.file.Digest.String()); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// attempt asks for the file, or for the rest of it, and checks the whole.
func (d *download) attempt(ctx context.Context) error {
	if d.writer == nil {
		if err := d.resume(); err != nil {
			return err
		}
	}
	body, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := d.copy(d.client.paced(body)); err != nil {
		return err
	}
	return d.check()
}

// open returns a reader of what is still missing.
func (d *download) open(ctx context.Context) (io.ReadCloser, error) {
	if d.address.Scheme == "file" {
		return openFile(d.address)
	}
	header := http.Header{}
	if have := d.writer.Size(); have > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if d.validator != "" {
			header.Set("If-Range", d.validator)
		}
	}
	if d.fresh {
		header.Set("Cache-Control", "no-cache")
	}
	response, err := d.client.ask(ctx, d.address, header)
	if err != nil {
		return nil, err
	}
	if err := d.position(response); err != nil {
		response.Body.Close()
		return nil, err
	}
	return response.Body, nil
}

var contentRange = regexp.MustCompile(`^bytes ([0-9]+)-`)

// position makes the bytes at hand those that the answer goes on from.
func (d *download) position(r *http.Response) error {
	switch r.StatusCode {
	case http.StatusPartialContent:
		m := contentRange.FindStringSubmatch(r.Header.Get("Content-Range"))
		if m != nil && m[1] == strconv.FormatInt(d.writer.Size(), 10) {
			return nil
		}
		return d.again(errors.New("the server sends another part than was asked for"))
	case http.StatusRequestedRangeNotSatisfiable:
		return d.again(errors.New("the server has fewer bytes than it had"))
	case http.StatusOK:
		d.validator = r.Header.Get("ETag")
		if d.validator == "" || strings.HasPrefix(d.validator, "W/") {
			d.validator = r.Header.Get("Last-Modified")
		}
		if d.writer.Size() > 0 {
			return d.restart()
		}
		return nil
	}
	return statusError(r)
}

// again drops the bytes at hand, for an attempt from the start.
func (d *download) again(err error) error {
	if restart := d.restart(); restart != nil {
		return restart
	}
	return transient{err, 0}
}

// copy takes the bytes, never more than there may be.
func (d *download) copy(body io.Reader) error {
	most := d.file.Size
	if most == 0 {
		if most = d.file.Limit; most == 0 {
			most = 4 << 30
		}
	}
	buffer := make([]byte, 128<<10)
	for {
		n, err := body.Read(buffer)
		if d.writer.Size()+int64(n) > most {
			return d.mismatch(fmt.Sprintf("it is larger than %d bytes", most))
		}
		if _, err := d.writer.Write(buffer[:n]); err != nil {
			return err
		}
		d.digester.Hash().Write(buffer[:n])
		d.step.Advance(int64(n))
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return connectionError(err)
		}
	}
}

// check compares what came with what was asked for.
func (d *download) check() error {
	if got := d.writer.Size(); d.file.Size > 0 && got != d.file.Size {
		return d.mismatch(fmt.Sprintf("it is %d bytes, not %d", got, d.file.Size))
	}
	if got := d.digester.Digest(); got != d.file.Digest {
		return d.mismatch(fmt.Sprintf("it is %s, not %s", got, d.file.Digest))
	}
	return nil
}

// mismatch is for good when caches on the way were passed by.
func (d *download) mismatch(how string) error {
	d.drop()
	d.writer = nil
	err := fmt.Errorf("%w: %s", ErrMismatch, how)
	if failed := d.client.Store.Remove(partials, d.file.Digest.String()); failed != nil {
		return errors.Join(err, failed)
	}
	if d.fresh || d.address.Scheme == "file" {
		return err
	}
	d.fresh = true
	return d.again(err)
}

// openFile opens what a file: address names (RFC 8089).
func openFile(u *url.URL) (io.ReadCloser, error) {
	if u.Host != "" && u.Host != "localhost" {
		return nil, fmt.Errorf("a file: address names the host %q: write file:///…", u.Host)
	}
	path := u.Path
	if path == "" {
		path = u.Opaque
	}
	if runtime.GOOS == "windows" {
		path = strings.TrimPrefix(path, "/")
	}
	path = filepath.FromSlash(path)
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if wrapped, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, wrapped.Err
	}
	return f, err
}
