package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// errRedirect says that a server sent us where we do not go.
var errRedirect = errors.New("the server redirects")

func newHTTP(o Options) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if o.Proxy != nil {
		transport.Proxy = o.Proxy
	}
	transport.DisableCompression = true // digests are of the bytes as they lie there
	transport.MaxIdleConnsPerHost = o.Parallel
	transport.MaxConnsPerHost = o.Parallel
	transport.ResponseHeaderTimeout = o.Stall
	if o.Insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the user asked for it with -k
	}
	return &http.Client{
		Transport:     loggedIn{transport, o.Logins},
		CheckRedirect: checkRedirect,
	}
}

// checkRedirect follows ten redirections, and none that gives TLS up.
func checkRedirect(next *http.Request, via []*http.Request) error {
	switch scheme := next.URL.Scheme; {
	case len(via) >= 10:
		return fmt.Errorf("%w more than ten times", errRedirect)
	case scheme != "http" && scheme != "https":
		return fmt.Errorf("%w to a %q address", errRedirect, scheme)
	case scheme == "http" && via[len(via)-1].URL.Scheme == "https":
		return fmt.Errorf("%w from https to http", errRedirect)
	}
	return nil
}

// loggedIn adds to each request, redirected ones too, the user and password
// that its own host has.
type loggedIn struct {
	next   http.RoundTripper
	logins Logins
}

func (l loggedIn) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("Authorization")
	r.URL.User = nil
	if l.logins != nil {
		if user, password, ok := l.logins.Login(r.URL); ok {
			r.SetBasicAuth(user, password)
		}
	}
	return l.next.RoundTrip(r)
}

// ask sends a GET. The caller closes the answer's body.
func (c *Client) ask(ctx context.Context, u *url.URL, header http.Header) (*http.Response, error) {
	watch := c.watch(ctx)
	plain := *u
	plain.User = nil
	r, err := http.NewRequestWithContext(watch.ctx, http.MethodGet, plain.String(), nil)
	if err != nil {
		watch.stop()
		return nil, err
	}
	r.Header = header
	r.Header.Set("User-Agent", "smith")
	response, err := c.http.Do(r)
	if err != nil {
		watch.stop()
		if cause := context.Cause(watch.ctx); cause != nil && ctx.Err() == nil && !errors.Is(cause, context.Canceled) {
			err = cause
		}
		return nil, connectionError(err)
	}
	response.Body = watchedBody{response.Body, watch}
	return response, nil
}

// A watch ends a request when nothing comes for a while.
type watch struct {
	ctx   context.Context //nolint:containedctx // it lives as long as one request
	end   context.CancelCauseFunc
	timer *time.Timer
	stall time.Duration
}

func (c *Client) watch(ctx context.Context) *watch {
	ctx, end := context.WithCancelCause(ctx)
	stalled := fmt.Errorf("no byte came for %v", c.Stall)
	return &watch{ctx: ctx, end: end, stall: c.Stall, timer: time.AfterFunc(c.Stall, func() { end(stalled) })}
}

// stop ends the watch and the request.
func (w *watch) stop() {
	w.timer.Stop()
	w.end(nil)
}

// A watchedBody is the body of an answer under watch.
type watchedBody struct {
	io.ReadCloser
	*watch
}

func (b watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.timer.Reset(b.stall)
	}
	if cause := context.Cause(b.ctx); err != nil && !errors.Is(err, io.EOF) && cause != nil {
		err = cause
	}
	return n, err
}

func (b watchedBody) Close() error {
	b.stop()
	return b.ReadCloser.Close()
}
