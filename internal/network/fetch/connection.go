package fetch

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"

	"smith/internal/network"
)

// A Connection says how the servers of some addresses are talked to, as the
// configuration of a repository has it. The zero value is how all others are.
type Connection struct {
	// CAFile holds the certificates of the authorities to trust in place of the
	// system's, or "".
	CAFile string
	// CertFile and KeyFile hold the client's certificate and its key, PEM.
	CertFile, KeyFile string
	// Insecure leaves the server's certificate unchecked.
	Insecure bool
	// Proxy is the address of a proxy, "none" for none, or "" for what the
	// environment says.
	Proxy string
	// User and Password are sent to these addresses.
	User, Password string
}

// NoProxy is a Connection's Proxy that bypasses every proxy.
const NoProxy = "none"

// A route is a connection for addresses that begin in one way.
type route struct {
	address    *url.URL
	connection Connection
	transport  *http.Transport
}

// routes choose the connection for an address: the one with the longest
// matching address. They are safe for concurrent use.
type routes struct {
	standard *http.Transport
	logins   Logins
	mu       sync.Mutex
	all      []route
}

// Connect has what lies below an address fetched by a connection. It is for
// that host alone: a server that redirects to another host does not pass the
// certificate or the password on.
func (c *Client) Connect(address string, k Connection) error {
	if k == (Connection{}) {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil // a directory of this machine, or an error when it is fetched
	}
	transport, err := c.transport(k)
	if err != nil {
		return err
	}
	c.routes.mu.Lock()
	defer c.routes.mu.Unlock()
	c.routes.all = append(c.routes.all, route{u, k, transport})
	return nil
}

// transport makes the transport of a connection.
func (c *Client) transport(k Connection) (*http.Transport, error) {
	transport := newTransport(c.Options)
	switch {
	case k.Proxy == NoProxy:
		transport.Proxy = nil
	case k.Proxy != "":
		proxy, err := url.Parse(k.Proxy)
		if err != nil || proxy.Host == "" {
			return nil, errors.New("proxy: not an address such as http://proxy.example.org:3128") // it may hold a password
		}
		transport.Proxy = http.ProxyURL(proxy)
	}
	config := &tls.Config{InsecureSkipVerify: k.Insecure || c.Insecure} //nolint:gosec // the repository's configuration says so, and there is a warning
	if k.CAFile != "" {
		pem, err := readPEM(k.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", k.CAFile)
		}
	}
	if k.CertFile != "" {
		cert, err := readPEM(k.CertFile)
		if err != nil {
			return nil, err
		}
		keyFile := cmp.Or(k.KeyFile, k.CertFile)
		key, err := readPEM(keyFile)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("the client certificate %s with the key %s: %w", k.CertFile, keyFile, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	transport.TLSClientConfig = config
	return transport, nil
}

// maxPEM bounds a file of certificates: a system's bundle has 250 kB.
const maxPEM = 4 << 20

func readPEM(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(data) > maxPEM {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxPEM)
	}
	return data, err
}

// find returns the route of an address.
func (r *routes) find(u *url.URL) (route, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	best, found := route{}, false
	for _, one := range r.all {
		a := one.address
		// A directory of the address, not one whose name begins the same.
		path := strings.TrimSuffix(a.Path, "/")
		below := u.Path == path || strings.HasPrefix(u.Path, path+"/")
		if a.Scheme == u.Scheme && a.Host == u.Host && below && (!found || len(path) >= len(best.address.Path)) {
			best, found = one, true
		}
	}
	return best, found
}

// RoundTrip sends each request, redirected ones too, by the connection of its
// own address, with the user and password that its own host has.
func (r *routes) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Del("Authorization")
	request.URL.User = nil
	route, found := r.find(request.URL)
	transport := r.standard
	if found {
		transport = route.transport
	}
	if found && route.connection.User != "" {
		request.SetBasicAuth(route.connection.User, route.connection.Password)
	} else if r.logins != nil {
		if user, password, ok := r.logins.Login(request.URL); ok {
			request.SetBasicAuth(user, password)
		}
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, proxyError(transport, request, err)
	}
	return response, nil
}

// newTransport returns a transport with what holds for every connection.
func newTransport(o Options) *http.Transport {
	transport := network.NewTransport(o.Stall)
	if o.Proxy != nil {
		transport.Proxy = o.Proxy
	}
	transport.DisableCompression = true // digests are of the bytes as the server has them
	transport.MaxIdleConnsPerHost = o.Parallel
	transport.MaxConnsPerHost = o.Parallel
	if o.Insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the user asked for it with -k
	}
	return transport
}
