package egress

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Of the ports below lowest, where the services of operating systems are, a connection that is not HTTP may only be made to 443.
const lowest = 1024

// checkLasting is nil for an address to which a connection may be made that is not HTTP. Many protocols have no TLS of their own and
// run over private lines, so plain connections are not refused here.
func (g guard) checkLasting(address string) error {
	return g.unless(address, func(ap netip.AddrPort) error {
		if ap.Port() < lowest && ap.Port() != 443 {
			return denied("port %d: want 443, or one from %d on", ap.Port(), lowest)
		}
		return refused(g.lasting, ap)
	})
}

// Dial opens a connection that lasts and is not HTTP to "host:port", with TLS if secure is set. It connects to no address of the inside,
// whatever the name resolves to. Errors are of kind Denied, where the address may not be called, or Unavailable.
func (c *Client) Dial(ctx context.Context, addr string, secure bool) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error { return c.guard.checkLasting(address) }}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err == nil && secure {
		conn, err = c.guard.secure(ctx, conn, addr)
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return nil, f
	}
	if err != nil {
		return nil, fault.Because(err, fault.Unavailable, "not_connected", "egress: the address could not be reached")
	}
	return conn, nil
}
