package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// ports that may be called on the public internet.
var ports = []uint16{443, 8443}

// guard decides about every address after its name has been resolved, so that no name, redirect or changed DNS answer leads inside.
type guard struct {
	allow   []netip.Prefix
	single  []netip.AddrPort
	public  *ssrf.Guardian
	lasting *ssrf.Guardian // for connections that last and are not HTTP
	roots   *x509.CertPool
}

func newGuard(c Config) guard {
	return guard{allow: c.Allow, single: c.AllowAddresses, roots: c.Roots, public: ssrf.New(ssrf.WithPorts(ports...)), lasting: ssrf.New(ssrf.WithAnyPort())}
}

// check is nil for an address that may be called; plain says without TLS.
func (g guard) check(address string, plain bool) error {
	return g.unless(address, func(ap netip.AddrPort) error {
		if plain {
			return denied("%s by plain http: want https", ap.Addr())
		}
		return refused(g.public, ap)
	})
}

// unless is nil for an address that the operator has named; of any other, it returns what judge does.
func (g guard) unless(address string, judge func(netip.AddrPort) error) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return denied("address %s: %v", address, err)
	}
	ap = netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
	if slices.Contains(g.single, ap) || slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(ap.Addr()) }) {
		return nil
	}
	return judge(ap)
}

func refused(by *ssrf.Guardian, ap netip.AddrPort) error {
	if err := by.SafeAddrPort(ap); err != nil {
		return denied("%v", err)
	}
	return nil
}

func denied(format string, args ...any) error {
	return fault.Because(fmt.Errorf(format, args...), fault.Denied, "egress_denied",
		"egress: the address may not be called (TRIBUTARY_EGRESS_ALLOW lists the private ones that may)")
}

func (g guard) dial(ctx context.Context, network, addr string, plain bool) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error { return g.check(address, plain) }}
	return d.DialContext(ctx, network, addr)
}

func (g guard) dialPlain(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := g.dial(ctx, network, addr, true)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

func (g guard) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := g.dial(ctx, network, addr, false)
	if err != nil {
		return nil, err
	}
	c, err := g.secure(ctx, raw, addr, "http/1.1")
	if err != nil {
		return nil, err
	}
	// Wrapped above TLS, so that a handshake is no byte of a request.
	return &conn{Conn: c}, nil
}

// secure makes a handshake as a client of the host in addr. It closes raw if that fails.
func (g guard) secure(ctx context.Context, raw net.Conn, addr string, protocols ...string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	ctx, cancel := context.WithTimeout(ctx, tlsTimeout)
	defer cancel()
	cfg := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, NextProtos: protocols, RootCAs: g.roots}
	c := tls.Client(raw, cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("tls: %w", err)
	}
	return c, nil
}

// hide takes the URL out of errors that carry one, because some providers have the credential in the path.
func hide(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
