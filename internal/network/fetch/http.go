package fetch

import (
	"context"
	"net/http"
	"net/url"
)

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
