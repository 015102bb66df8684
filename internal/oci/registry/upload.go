package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"

	"smith/internal/event"
	"smith/internal/network"
	"smith/internal/oci/image"
)

// small is the size of blobs that are sent in one request, without the chance
// to go on after a break.
const small = 64 << 10

// How a blob came to be in a repository.
type outcome int

const (
	existing outcome = iota
	mounted
	uploaded
)

// put sees to it that the repository has a blob.
func (r *repository) put(ctx context.Context, b image.Blob, step event.Step) (outcome, error) {
	has, err := r.has(ctx, b)
	if err != nil || has {
		return existing, err
	}
	u := &upload{repo: r, blob: b, step: step}
	for {
		done, err := u.try(ctx)
		if err == nil {
			return done, nil
		}
		if !u.again(ctx, err) {
			return 0, errors.Join(u.blame(ctx, err), ctx.Err())
		}
		// The registry may have had it all, and only its answer was lost.
		if has, _ := r.has(ctx, b); has {
			return uploaded, nil
		}
		if err := u.resume(ctx); err != nil {
			return 0, err
		}
	}
}

// has asks whether the repository has a blob.
func (r *repository) has(ctx context.Context, b image.Blob) (bool, error) {
	req, err := r.request(ctx, http.MethodHead, r.blobURL(b.Descriptor.Digest), auth.ActionPull, auth.ActionPush)
	if err != nil {
		return false, err
	}
	resp, err := r.do(req, http.StatusOK, http.StatusNotFound)
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK, nil
}

// An upload is a blob on its way into a repository (OCI distribution
// specification, "Pushing blobs").
type upload struct {
	repo *repository
	blob image.Blob
	step event.Step

	session *url.URL // where the registry takes the bytes; nil before it was asked
	offset  int64    // how many it has
	best    int64    // how many it ever had
	stage   stage
	tries   [closing + 1]int // that failed, by stage

	mu        sync.Mutex
	most      int64 // how many bytes were ever sent
	source    error // that of reading the blob, which no retry mends
	unchecked bool  // whether the system sent bytes that were not read here
}

// A stage is what an upload is about.
type stage int

const (
	beginning stage = iota
	sending
	closing
)

// maxSends is how often a blob is sent to a registry that does not report how
// far it got, or without its getting any further.
const maxSends = 12

// again waits after a try that failed, and says whether there is to be another.
func (u *upload) again(ctx context.Context, err error) bool {
	if u.offset > u.best {
		u.best, u.tries[sending] = u.offset, 0
	}
	tried := u.tries[u.stage]
	u.tries[u.stage]++
	if u.stage == sending && tried < maxSends && status(err) == 0 {
		tried = min(tried, maxTries-2)
	}
	return u.failed() == nil && u.repo.wait.pause(ctx, tried, u.cause(err))
}

// failed returns what went wrong with the blob itself.
func (u *upload) failed() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.source
}

func (u *upload) fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.source = err
}

// cause is what patience judges an error by: a session that the registry does
// not know any more, or another offset than it has, is a broken one.
func (u *upload) cause(err error) error {
	if s := status(err); u.session != nil && (s == http.StatusNotFound || s == http.StatusRequestedRangeNotSatisfiable) {
		return errShort
	}
	return err
}

// try brings the upload to its end, from where it is.
func (u *upload) try(ctx context.Context) (outcome, error) {
	u.stage = beginning
	if u.session == nil {
		done, err := u.begin(ctx)
		if err != nil || done {
			return mounted, err
		}
	}
	u.stage = sending
	if size := u.blob.Descriptor.Size; size > small && u.offset < size {
		if err := u.send(ctx); err != nil {
			return 0, err
		}
	}
	u.stage = closing
	return uploaded, u.finish(ctx)
}

// begin opens a session, unless the registry mounts the blob from another of
// its repositories, which done tells.
func (u *upload) begin(ctx context.Context) (done bool, err error) {
	at := u.repo.base + "/blobs/uploads/"
	if from := u.mountable(); from != "" {
		at += "?" + url.Values{"mount": {u.blob.Descriptor.Digest.String()}, "from": {from}}.Encode()
		other := u.repo.remote.Reference
		other.Repository = from
		ctx = auth.AppendRepositoryScope(ctx, other, auth.ActionPull)
	}
	req, err := u.request(ctx, http.MethodPost, at)
	if err != nil {
		return false, err
	}
	resp, err := u.repo.do(req, http.StatusCreated, http.StatusAccepted)
	if u.blob.Remote != "" && status(err) >= 400 && status(err) < 500 {
		u.blob.Remote = "" // it cannot be had from there
		return u.begin(ctx)
	}
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusCreated {
		return true, nil
	}
	u.offset = 0
	return false, u.move(resp)
}

// mountable returns the repository of the same registry that has the blob, or
// "".
func (u *upload) mountable() string {
	host, repository, _ := strings.Cut(u.blob.Remote, "/")
	if host != u.repo.name.Host || repository == u.repo.name.Repository {
		return ""
	}
	return repository
}

// send sends what the registry does not have yet.
func (u *upload) send(ctx context.Context) error {
	req, err := u.request(ctx, http.MethodPatch, u.session.String())
	if err != nil {
		return err
	}
	size := u.blob.Descriptor.Size
	if u.offset > 0 {
		req.Header.Set("Content-Range", fmt.Sprintf("%d-%d", u.offset, size-1))
	}
	if err := u.attach(ctx, req); err != nil {
		return err
	}
	resp, err := u.do(req, http.StatusAccepted, http.StatusNoContent, http.StatusCreated)
	if err != nil {
		return err
	}
	resp.Body.Close()
	u.offset = size
	return u.move(resp)
}

// finish closes the session; a small blob is sent with that.
func (u *upload) finish(ctx context.Context) error {
	at := *u.session
	query := at.Query()
	query.Set("digest", u.blob.Descriptor.Digest.String())
	at.RawQuery = query.Encode()
	req, err := u.request(ctx, http.MethodPut, at.String())
	if err != nil {
		return err
	}
	if u.offset < u.blob.Descriptor.Size {
		if err := u.attach(ctx, req); err != nil {
			return err
		}
	}
	resp, err := u.do(req, http.StatusCreated, http.StatusNoContent)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// attach makes the blob's bytes from the offset on the body of a request. They
// are opened anew where a challenge makes the request go twice.
func (u *upload) attach(ctx context.Context, req *http.Request) error {
	offset := u.offset
	req.ContentLength = u.blob.Descriptor.Size - offset
	req.Header.Set("Content-Type", "application/octet-stream")
	req.GetBody = func() (io.ReadCloser, error) { return u.open(ctx, offset) }
	var err error
	req.Body, err = req.GetBody()
	return err
}

// open opens the blob at an offset. What stands before it is read too: the
// bytes are checked as a whole.
func (u *upload) open(ctx context.Context, offset int64) (io.ReadCloser, error) {
	in, err := u.blob.Open(ctx)
	if err == nil {
		if _, err = io.CopyN(io.Discard, in, offset); err != nil {
			in.Close()
		}
	}
	if err != nil {
		u.fail(err)
		return nil, err
	}
	return &body{ReadCloser: in, upload: u, at: offset}, nil
}

// do makes a request of the session. What went wrong with the blob itself goes
// before what the registry says then.
func (u *upload) do(req *http.Request, wanted ...int) (*http.Response, error) {
	resp, err := u.repo.do(req, wanted...)
	if source := u.failed(); source != nil {
		if err == nil {
			resp.Body.Close()
		}
		return nil, source
	}
	return resp, err
}

// resume asks the registry how far it got. Where it does not tell, the blob
// starts again.
func (u *upload) resume(ctx context.Context) error {
	if u.session == nil {
		return nil
	}
	session := u.session
	u.session, u.offset = nil, 0
	req, err := u.repo.request(ctx, http.MethodGet, session.String(), auth.ActionPull, auth.ActionPush)
	if err != nil {
		return err
	}
	resp, err := u.repo.do(req, http.StatusNoContent, http.StatusOK)
	if err != nil {
		return ctx.Err() // the session is gone, or the registry cannot tell
	}
	resp.Body.Close()
	got, known := received(resp)
	if !known || got >= u.blob.Descriptor.Size {
		return nil
	}
	u.session, u.offset = session, got
	u.repo.options.Events.Note(fmt.Sprintf("%s: the connection broke; the registry has %d of %d bytes", u.blob.Descriptor.Digest, got, u.blob.Descriptor.Size))
	return u.move(resp)
}

// received reads the header Range of a session: "0-99" are 100 bytes, "0-0" is
// what registries say of none.
func received(resp *http.Response) (int64, bool) {
	from, to, ok := strings.Cut(strings.TrimPrefix(resp.Header.Get("Range"), "bytes="), "-")
	last, err := strconv.ParseInt(to, 10, 64)
	if !ok || from != "0" || err != nil || last < 0 {
		return 0, false
	}
	if last == 0 {
		return 0, true
	}
	return last + 1, true
}

// move follows the session to where a response says it goes on: Location may
// be relative, or lack the scheme. TLS is kept to; a login goes along to the
// registry's own host only; network.CheckHost says which hosts are refused.
func (u *upload) move(resp *http.Response) error {
	here, text := resp.Request.URL, resp.Header.Get("Location")
	if text == "" && u.session != nil {
		return nil
	}
	if strings.HasPrefix(text, here.Host+"/") {
		text = "//" + text
	}
	at, err := here.Parse(text)
	if err != nil || text == "" {
		return errors.New("the registry does not say where the blob is to go: it sends no usable Location")
	}
	if here.Scheme == "https" && at.Scheme != "https" {
		if at.Hostname() != here.Hostname() {
			return fmt.Errorf("the registry sends the blob to %s without TLS", at.Host)
		}
		at.Scheme, at.Host = here.Scheme, here.Host // docker-registry behind a proxy that ends TLS
	}
	if err := network.CheckHost(resp.Request.Context(), here, at); err != nil {
		return fmt.Errorf("the registry sends the blob elsewhere: %w", err)
	}
	u.session = at
	return nil
}

// request makes a request that needs the right to push, and that is not made
// again before it is known how far the upload got.
func (u *upload) request(ctx context.Context, method, at string) (*http.Request, error) {
	return u.repo.request(once(ctx), method, at, auth.ActionPull, auth.ActionPush)
}
