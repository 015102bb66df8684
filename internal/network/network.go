// Package network is how smith talks HTTP, whoever is asked: connections that
// never hang and keep to TLS, and the time that servers ask to be left alone.
package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// connectTimeout bounds how long a connection may take to come about.
const connectTimeout = 30 * time.Second

// NewTransport returns a transport that knows proxies and HTTP/2 as
// http.DefaultTransport does. A connection ends with a timeout (net.Error) when
// somebody waits and for so long no byte passes it.
func NewTransport(silence time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &lively{Conn: c, silence: silence}, nil
		},
		TLSHandshakeTimeout:   connectTimeout,
		ForceAttemptHTTP2:     true,
		IdleConnTimeout:       30 * time.Second,
		ExpectContinueTimeout: time.Second,
		WriteBufferSize:       128 << 10,
		ReadBufferSize:        128 << 10,
	}
}

// ErrRedirect says that a server sends us where we do not go.
var ErrRedirect = errors.New("the server redirects")

// CheckRedirect is http.Client's: ten redirections are followed, and none that
// gives TLS up, leaves HTTP, or is refused by CheckHost. The error is ErrRedirect.
func CheckRedirect(next *http.Request, via []*http.Request) error {
	switch scheme := next.URL.Scheme; {
	case len(via) >= 10:
		return fmt.Errorf("%w more than ten times", ErrRedirect)
	case scheme != "http" && scheme != "https":
		return fmt.Errorf("%w to a %q address", ErrRedirect, scheme)
	case scheme == "http" && via[len(via)-1].URL.Scheme == "https":
		return fmt.Errorf("%w from https to http", ErrRedirect)
	}
	return CheckHost(next.Context(), via[len(via)-1].URL, next.URL)
}

// RetryAfter returns how long a server asks to wait (RFC 9110, 10.2.3), in
// seconds or until a date, and whether it does.
func RetryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now)), true
	}
	return 0, false
}

// Silent says whether an error is that nothing came for too long.
func Silent(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}
