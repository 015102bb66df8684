package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"smith/internal/network"
)

// ErrOffline says that something is not in the cache and that the network
// may not be asked.
var ErrOffline = errors.New("not in the cache, and --offline asks no network")

// ErrMismatch says that a server has other bytes under the address.
var ErrMismatch = errors.New("the server has other bytes than the index or lock says")

// failures are what went wrong with each mirror.
type failures []error

func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (f failures) Unwrap() []error { return f }

// A transient error may be gone at the next attempt.
type transient struct {
	error
	after time.Duration // what the server asks to wait, or 0
}

func (t transient) Unwrap() error { return t.error }

// retry calls do until it succeeds, fails for good or has been tried often
// enough.
func (c *Client) retry(ctx context.Context, do func() error) error {
	pause := c.Pause
	for attempt := 1; ; attempt++ {
		err := do()
		t, again := errors.AsType[transient](err)
		if err == nil || !again {
			return err
		}
		if attempt == c.Attempts {
			return fmt.Errorf("%w (asked %d times)", t.error, attempt)
		}
		if err := sleep(ctx, max(pause, t.after)); err != nil {
			return err
		}
		pause *= 2
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// maxPause bounds what a server may ask to wait.
const maxPause = time.Minute

// statusError is what an answer other than the file means.
func statusError(r *http.Response) error {
	err := fmt.Errorf("the server answers %d %s", r.StatusCode, http.StatusText(r.StatusCode))
	switch code := r.StatusCode; {
	case code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("%w: %w", err, fs.ErrNotExist)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("%w; a user and password for the host can stand in ~/.netrc or in apt's auth.conf.d", err)
	case code == http.StatusProxyAuthRequired:
		return fmt.Errorf("%w; the proxy's address in http_proxy can hold a user and password", err)
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500:
		return transient{err, asked(r)}
	}
	return err
}

// asked is how long an answer asks to wait, bounded, or 0.
func asked(r *http.Response) time.Duration {
	wait, _ := network.RetryAfter(r.Header, time.Now())
	return min(wait, maxPause)
}

// connectionError says what a failed request or a broken answer means. The
// address that package http puts into it may be a redirection's, with secrets.
func connectionError(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	dns, isDNS := errors.AsType[*net.DNSError](err)
	proxy, isProxy := errors.AsType[*deadProxyError](err)
	slow, isSlow := errors.AsType[*slowError](err)
	switch {
	case isProxy:
		return proxy
	case isSlow:
		return transient{slow, 0}
	case isDNS && dns.IsNotFound:
		return fmt.Errorf("cannot resolve the host %s", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case isCertificate(err):
		return fmt.Errorf("%w; -k does not check certificates", err)
	case errors.Is(err, network.ErrRedirect):
		return err
	case network.Silent(err):
		return transient{errors.New("the server is silent"), 0}
	}
	return transient{err, 0}
}

func isCertificate(err error) bool {
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	return verification || authority || host
}

// A deadProxyError says that a proxy, not the server, cannot be reached.
type deadProxyError struct {
	proxy string
	err   error
}

func (e *deadProxyError) Error() string {
	return fmt.Sprintf("cannot connect to the proxy %s: %v", e.proxy, e.err)
}

func (e *deadProxyError) Unwrap() error { return e.err }

// proxyError tells an error of the way to the proxy from one of the way to the
// server: package http marks it so (net/http's dialConn).
func proxyError(transport *http.Transport, r *http.Request, err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "proxyconnect" || transport.Proxy == nil {
		return err
	}
	proxy, failed := transport.Proxy(r)
	if failed != nil || proxy == nil {
		return err
	}
	return &deadProxyError{proxy.Host, connectionError(op.Err)}
}

// A slowError says that a server sends too little to wait for.
type slowError struct {
	rate   int64
	window time.Duration
}

func (e *slowError) Error() string {
	return fmt.Sprintf("the server has sent less than %d bytes a second for %s", e.rate, e.window)
}

// A paced reader fails where a server sends too little over a while: one that
// sends a byte now and then is never silent, and never done.
type paced struct {
	io.Reader
	slow  slowError
	begun time.Time
	bytes int64
}

func (c *Client) paced(r io.Reader) *paced {
	return &paced{Reader: r, slow: slowError{c.MinRate, c.Stall}, begun: time.Now()}
}

// Read is io.Reader's.
func (p *paced) Read(data []byte) (int, error) {
	n, err := p.Reader.Read(data)
	p.bytes += int64(n)
	elapsed := time.Since(p.begun)
	if err != nil || elapsed < p.slow.window {
		return n, err
	}
	if float64(p.bytes) < float64(p.slow.rate)*elapsed.Seconds() {
		return n, &p.slow
	}
	p.begun, p.bytes = time.Now(), 0
	return n, nil
}
