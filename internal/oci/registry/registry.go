// Package registry reads images from registries and writes them there (OCI
// distribution specification 1.1, and Docker's HTTP API V2, which it grew
// from). It is the peer of package archive: reading gives images whose blobs
// open lazily and are checked while they stream, writing takes the same images.
//
// Requests, challenges, tokens, manifests and referrers are oras-go's. What
// that library does not do is here: blobs that go on where a broken connection
// left them, in both directions, patience as the registry asks for it, and
// connections that never hang.
//
// Passwords and tokens go to the host they are meant for and nowhere else: not
// into an error, an event, or anything that is kept.
package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	ref "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/retry"

	"smith/internal/cache/store"
	"smith/internal/event"
	"smith/internal/network"
	"smith/internal/reference"
)

// Options are what a Client is made with.
type Options struct {
	// Insecure leaves TLS certificates unchecked.
	Insecure bool
	// CA is a file of PEM certificates that vouch for registries beside the
	// system's, "" for none.
	CA string
	// Cert and Key are PEM files with the certificate by which registries know
	// this client, and its key; "" for none.
	Cert, Key string
	// Offline leaves what the cache does not have unread.
	Offline bool
	// Version is smith's own, told to registries as the user agent.
	Version string
	// Store keeps what was read. Events hears of the progress.
	Store  *store.Store
	Events event.Listener
}

// A Client talks to registries. It is safe for many goroutines.
type Client struct {
	options Options
	http    *http.Client
	keys    func() (*keychain, error)
	wait    patience

	mu     sync.Mutex
	plain  map[string]bool            // hosts on this machine that speak no TLS
	logins map[string]reference.Login // by host, before any other
}

// stall is how long a connection may pass no byte while somebody waits: a
// registry that hashes a large blob answers late.
const stall = 2 * time.Minute

// New returns a Client. Nothing is asked of any registry yet.
func New(o Options) (*Client, error) {
	t, err := transport(o, stall)
	if err != nil {
		return nil, err
	}
	wait := patience{unit: 250 * time.Millisecond}
	var trips http.RoundTripper = patient{once: t, again: &retry.Transport{Base: t, Policy: wait.policy}}
	if o.Offline {
		trips = offline{}
	}
	return &Client{
		options: o,
		http:    &http.Client{Transport: trips, CheckRedirect: network.CheckRedirect},
		keys:    sync.OnceValues(loadKeychain),
		wait:    wait,
		plain:   map[string]bool{},
		logins:  map[string]reference.Login{},
	}, nil
}

// offline makes no request.
type offline struct{}

// RoundTrip is http.RoundTripper's.
func (offline) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("the cache does not have it, and --offline asks no network")
}

// transport is one with the certificates of the options. What a request says of
// its user goes no further than the host it was made for, wherever that sends it
// to: auth.Client sees to that.
func transport(o Options, silence time.Duration) (*http.Transport, error) {
	config := &tls.Config{InsecureSkipVerify: o.Insecure} //nolint:gosec // the user asked for it with -k
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("cannot read the certificates of registries: %w", err)
		}
		if config.RootCAs, err = x509.SystemCertPool(); err != nil {
			config.RootCAs = x509.NewCertPool()
		}
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cannot read the certificates of registries: %s holds none in PEM form", o.CA)
		}
	}
	if (o.Cert == "") != (o.Key == "") {
		return nil, errors.New("a client certificate needs both its file and its key's: --cert and --key")
	}
	if o.Cert != "" {
		pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			return nil, fmt.Errorf("cannot read the client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	t := network.NewTransport(silence)
	t.TLSClientConfig = config
	t.MaxIdleConnsPerHost = parallel
	return t, nil
}

// Use makes a login the one for a host, before all that configuration files say.
func (c *Client) Use(host string, login reference.Login) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logins[host] = login
}

// auth returns the client that answers the challenges of a repository's host.
// "" is any repository.
func (c *Client) auth(host, repository string) *auth.Client {
	a := &auth.Client{
		Client: c.http, Cache: auth.NewCache(), ClientID: "smith",
		Credential: func(ctx context.Context, asking string) (auth.Credential, error) {
			if asking != (ref.Reference{Registry: host}).Host() {
				return auth.EmptyCredential, nil // where an upload goes may be another's host
			}
			return c.credential(ctx, host, repository)
		},
	}
	a.SetUserAgent("smith/" + c.options.Version)
	return a
}

func (c *Client) credential(ctx context.Context, host, repository string) (auth.Credential, error) {
	c.mu.Lock()
	login, given := c.logins[host]
	c.mu.Unlock()
	if given {
		return auth.Credential{Username: login.User, Password: login.Password}, nil
	}
	keys, err := c.keys()
	if err != nil {
		return auth.EmptyCredential, err
	}
	return keys.find(ctx, host, repository)
}

// speaksPlain says whether a host is to be asked without TLS, which is never
// decided for one that is not this machine.
func (c *Client) speaksPlain(ctx context.Context, host string) bool {
	if !loopback(host) {
		return false
	}
	c.mu.Lock()
	plain, known := c.plain[host]
	c.mu.Unlock()
	if known {
		return plain
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, "https://"+host+"/v2/", nil)
	if err != nil {
		return false
	}
	resp, err := c.http.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	plain = errors.Is(err, http.ErrSchemeMismatch)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plain[host] = plain
	return plain
}

// loopback says whether a host, with or without a port, is this machine.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}
