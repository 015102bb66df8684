package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// CheckHost returns an error, ErrRedirect, where a server sends a request to an
// address inside the network of this machine that the server is not in itself:
// that is how a registry or mirror reaches services that trust this machine,
// such as a cloud's metadata at 169.254.169.254. Only literal addresses are
// refused; a name is the user's resolver's to answer. A link-local address is
// never followed to from another host.
func CheckHost(ctx context.Context, from, to *url.URL) error {
	if from.Hostname() == to.Hostname() {
		return nil
	}
	target, literal := literalAddress(to.Hostname())
	switch {
	case !literal || !inside(target):
		return nil
	case !target.IsLinkLocalUnicast() && isInside(ctx, from.Hostname()):
		return nil
	}
	return fmt.Errorf("%w to %s, an address inside this network", ErrRedirect, to.Host)
}

// literalAddress returns the address that a host name is, if it is one.
func literalAddress(host string) (netip.Addr, bool) {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761, 6.3
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	a, err := netip.ParseAddr(host)
	return a.Unmap().WithZone(""), err == nil
}

// inside reports whether an address is not one of the public network.
func inside(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsUnspecified()
}

// isInside reports whether a host is, or resolves to, an address inside.
func isInside(ctx context.Context, host string) bool {
	if a, literal := literalAddress(host); literal {
		return inside(a)
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return false
	}
	for _, a := range found {
		if inside(a.Unmap()) {
			return true
		}
	}
	return false
}
