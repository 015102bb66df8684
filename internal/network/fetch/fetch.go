// Package fetch brings files from http:, https: and file: addresses into the
// cache. What it returns has the digest and the size that were asked for; it
// does not know what the files are.
//
// A download that breaks off goes on where it stopped (RFC 9110, 14), at
// another mirror or in a later run too; busy and failing servers are asked again after a while, and then the next mirror
// is. What a page such as a repository's index held last time is kept, and the
// server is only asked whether it changed (RFC 9110, 13). User and password
// go to the host they belong to and nowhere else, and into no error.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/event"
	"smith/internal/network"
)

// bucket holds downloaded files by their digest.
const bucket = "files"

// Options say how files are fetched. Store and Events must be set.
type Options struct {
	Store  *store.Store
	Events event.Listener
	// Logins may be nil.
	Logins Logins
	// Proxy chooses the proxy for a request; nil is what the environment says
	// (http_proxy, https_proxy, no_proxy).
	Proxy func(*http.Request) (*url.URL, error)
	// Insecure leaves the certificates of TLS unchecked.
	Insecure bool
	// Offline takes everything from the cache and from file: addresses.
	Offline bool
	// Parallel is the most downloads at once; 0 is 8.
	Parallel int
	// Attempts is how often a mirror is asked before it counts as failing, 0
	// is 4; Pause is the time before the second attempt, doubled for each
	// further one, 0 is half a second.
	Attempts int
	Pause    time.Duration
	// Stall is the time without a byte after which a connection counts as
	// dropped; 0 is 30 seconds.
	Stall time.Duration
	// MinRate is how many bytes a second a server must send, over the time of
	// Stall; 0 is 1000, as with dnf (minrate).
	MinRate int64
}

// Logins knows the users and passwords of hosts.
type Logins interface {
	// Login returns the user and password for an address.
	Login(address *url.URL) (user, password string, ok bool)
}

// A Client fetches files. It is safe for many goroutines.
type Client struct {
	Options
	http   *http.Client
	routes *routes
	slots  chan struct{}
}

// New returns a client, and warns where it will not check certificates.
func New(o Options) *Client {
	if o.Parallel == 0 {
		o.Parallel = 8
	}
	if o.Attempts == 0 {
		o.Attempts = 4
	}
	if o.Pause == 0 {
		o.Pause = 500 * time.Millisecond
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	if o.MinRate == 0 {
		o.MinRate = 1000
	}
	if o.Insecure {
		o.Events.Warn("-k: the certificates of mirrors are not checked")
	}
	r := &routes{standard: newTransport(o), logins: o.Logins}
	return &Client{
		Options: o, routes: r, slots: make(chan struct{}, o.Parallel),
		http: &http.Client{Transport: r, CheckRedirect: network.CheckRedirect},
	}
}

// A File is a file that is wanted.
type File struct {
	// Name is what the reader knows it by: a package and its version.
	Name string
	// Addresses are URLs that should have it, the best first.
	Addresses []string
	// Digest is what the bytes must have.
	Digest digest.Digest
	// Size is how many bytes they are, or 0 where that is not known; then they
	// are no more than Limit, which 0 leaves at 4 GiB.
	Size, Limit int64
}

// Cached returns a file that the cache holds; the error is fs.ErrNotExist
// where it does not. The caller closes the entry.
func (c *Client) Cached(d digest.Digest) (*store.Entry, error) {
	return c.Store.Open(bucket, d.String())
}

// Get returns a file from the cache, where it is brought to if it does not exist
// yet. The error wraps fs.ErrNotExist where a mirror says that it has no such
// file. The caller closes the entry.
func (c *Client) Get(ctx context.Context, f File) (*store.Entry, error) {
	if err := f.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("cannot fetch %s: its digest %.100q is none: %w", f.Name, f.Digest, err)
	}
	e, err := c.Cached(f.Digest)
	if !errors.Is(err, fs.ErrNotExist) {
		return e, err
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	step := c.Events.Step(event.Fetch, f.Name, f.Size)
	defer step.Done()
	var failed failures
	for _, address := range f.Addresses {
		e, err := c.from(ctx, address, f, step)
		if err == nil {
			return e, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		failed = append(failed, err)
	}
	if len(failed) == 0 {
		return nil, fmt.Errorf("cannot fetch %s: no repository names an address for it", f.Name)
	}
	return nil, fmt.Errorf("cannot fetch %s: %w", f.Name, failed)
}

// from fetches a file from one mirror.
func (c *Client) from(ctx context.Context, address string, f File, step progress) (*store.Entry, error) {
	u, err := c.parse(address)
	if err != nil {
		return nil, err
	}
	d := &download{client: c, file: f, address: u, step: step}
	err = c.retry(ctx, func() error { return d.attempt(ctx) })
	if err != nil {
		d.leave()
		return nil, fmt.Errorf("%s: %w", shown(u), err)
	}
	defer d.drop()
	return d.commit()
}

// parse reads an address and reports whether it may be used.
func (c *Client) parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("an address that is not a URL") // it may hold a password
	}
	switch u.Scheme {
	case "file":
		return u, nil
	case "http", "https":
		if u.Host == "" {
			return nil, fmt.Errorf("%s names no host", shown(u))
		}
		if c.Offline {
			return nil, fmt.Errorf("%s: %w", shown(u), ErrOffline)
		}
		return u, nil
	}
	return nil, fmt.Errorf("%s: cannot fetch by %q: http, https and file are known", shown(u), u.Scheme)
}

// shown is an address as errors show it, without user, password and query.
func shown(u *url.URL) string {
	plain := *u
	plain.User, plain.RawQuery, plain.Fragment = nil, "", ""
	return plain.String()
}
