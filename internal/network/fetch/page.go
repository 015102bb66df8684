package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"

	"github.com/opencontainers/go-digest"
)

// pages is the bucket of what addresses held last.
const pages = "pages"

// maxPage bounds a page: the largest known, Ubuntu's InRelease, is 300 kB.
const maxPage = 16 << 20

// A Page is what an address held, in memory.
type Page struct {
	Data []byte
	// Changed says that the server sent it now; else it is what the cache has
	// and the server said is still true, or what --offline finds.
	Changed bool
}

// kept is what the cache has of a page: this as a line of JSON, then the data.
type kept struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
}

// Page returns what an address holds now. Nothing vouches for it: the caller
// verifies it by other means. A server that says that it has not changed sends
// it only once. The error wraps fs.ErrNotExist where there is no such page.
func (c *Client) Page(ctx context.Context, address string) (*Page, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("cannot fetch an address that is not a URL")
	}
	key := digest.FromString(shown(u)).Encoded()
	old, have, err := c.loadPage(key)
	if err != nil {
		return nil, err
	}
	if c.Offline && have != nil && u.Scheme != "file" {
		return &Page{Data: old}, nil
	}
	if _, err := c.parse(address); err != nil {
		return nil, fmt.Errorf("cannot fetch %w", err)
	}
	var page *Page
	err = c.retry(ctx, func() error {
		page, err = c.askPage(ctx, u, key, old, have)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot fetch %s: %w", shown(u), err)
	}
	return page, nil
}

func (c *Client) loadPage(key string) ([]byte, *kept, error) {
	data, err := c.Store.Load(pages, key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	line, rest, _ := bytes.Cut(data, []byte("\n"))
	k := &kept{}
	if err := json.Unmarshal(line, k); err != nil {
		return nil, nil, nil //nolint:nilerr // another form than ours: as good as absent
	}
	return rest, k, nil
}

func (c *Client) askPage(ctx context.Context, u *url.URL, key string, old []byte, have *kept) (*Page, error) {
	if u.Scheme == "file" {
		f, err := openFile(u)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data, err := readPage(f)
		return &Page{Data: data, Changed: true}, err
	}
	header := http.Header{}
	if have != nil && have.ETag != "" {
		header.Set("If-None-Match", have.ETag)
	}
	if have != nil && have.LastModified != "" {
		header.Set("If-Modified-Since", have.LastModified)
	}
	response, err := c.ask(ctx, u, header)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusNotModified && have != nil:
		return &Page{Data: old}, nil
	case response.StatusCode != http.StatusOK:
		return nil, statusError(response)
	}
	data, err := readPage(c.paced(response.Body))
	if err != nil {
		return nil, connectionError(err)
	}
	return &Page{Data: data, Changed: true}, c.keepPage(key, response.Header, data)
}

func (c *Client) keepPage(key string, header http.Header, data []byte) error {
	line, err := json.Marshal(kept{ETag: header.Get("ETag"), LastModified: header.Get("Last-Modified")})
	if err != nil {
		return err
	}
	return c.Store.Save(pages, key, append(append(line, '\n'), data...))
}

func readPage(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPage+1))
	if err == nil && len(data) > maxPage {
		err = fmt.Errorf("it is larger than %d bytes", maxPage)
	}
	return data, err
}
