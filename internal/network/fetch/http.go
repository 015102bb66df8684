package fetch

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"

	"smith/internal/network"
)

func newHTTP(o Options) *http.Client {
	transport := network.NewTransport(o.Stall)
	if o.Proxy != nil {
		transport.Proxy = o.Proxy
	}
	transport.DisableCompression = true // digests are of the bytes as they lie there
	transport.MaxIdleConnsPerHost = o.Parallel
	transport.MaxConnsPerHost = o.Parallel
	if o.Insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the user asked for it with -k
	}
	return &http.Client{
		Transport:     loggedIn{transport, o.Logins},
		CheckRedirect: network.CheckRedirect,
	}
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
	plain := *u
	plain.User = nil
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, plain.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header = header
	r.Header.Set("User-Agent", "smith")
	response, err := c.http.Do(r)
	if err != nil {
		return nil, connectionError(err)
	}
	return response, nil
}
