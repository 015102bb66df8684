package registry

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"oras.land/oras-go/v2/registry/remote/retry"

	"smith/internal/network"
)

// Limits of patience.
const (
	maxTries = 6               // of one request, or of a blob without a byte of progress
	maxWait  = 2 * time.Minute // that a registry may ask for
)

// patience decides whether a request is made again, and when: after what a
// registry says with Retry-After (RFC 9110, 10.2.3), else later each time.
type patience struct {
	unit time.Duration // the first wait
}

var _ retry.Policy = patience{}

func (p patience) policy() retry.Policy { return p }

// Retry says how long to wait before a request is made once more, and is
// negative where that is no use. attempt counts from 0.
func (p patience) Retry(attempt int, resp *http.Response, err error) (time.Duration, error) {
	if attempt+1 >= maxTries || !passing(resp, err) || attempt > 0 && network.Silent(err) {
		return -1, nil
	}
	if resp != nil {
		if asked, ok := network.RetryAfter(resp.Header, time.Now()); ok {
			if asked > maxWait {
				return -1, nil
			}
			return asked, nil
		}
	}
	wait := p.unit << attempt
	return wait/2 + rand.N(wait), nil
}

// pause waits before the next attempt, and says whether there is to be one.
func (p patience) pause(ctx context.Context, attempt int, err error) bool {
	var resp *http.Response
	if e, ok := errors.AsType[*statusError](err); ok && e.response != nil {
		resp, err = e.response, nil
	}
	wait, _ := p.Retry(attempt, resp, err)
	if wait < 0 {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// passing says whether what went wrong may go right the next time.
func passing(resp *http.Response, err error) bool {
	if err == nil {
		switch resp.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, net.ErrClosed, errShort} {
		if errors.Is(err, broken) {
			return true
		}
	}
	if network.Silent(err) {
		return true // once
	}
	// HTTP/2 ends streams and connections with types that net/http keeps.
	return strings.Contains(err.Error(), "http2:") || strings.Contains(err.Error(), "stream error")
}

// patient makes requests again as patience says, but for those of an upload:
// how far that got must be asked first.
type patient struct{ once, again http.RoundTripper }

// RoundTrip is http.RoundTripper's.
func (p patient) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Context().Value(onceKey{}) != nil {
		return p.once.RoundTrip(req)
	}
	return p.again.RoundTrip(req)
}

type onceKey struct{}

// once marks requests that patient is not to make again.
func once(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, true) }
