package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/budget"
)

const clientKey = "client"

// Client is the address that the request under way comes from, for limits and for the audit log alike. Behind proxies of
// TRIBUTARY_TRUSTED_PROXIES it is the address that they report; nothing else is believed.
func Client(c *gin.Context) netip.Addr {
	if a, ok := c.Get(clientKey); ok {
		return a.(netip.Addr)
	}
	return Forwarded(c.Request, nil)
}

// Source is the key of the client's budgets.
func Source(c *gin.Context) string { return budget.Source(Client(c)) }

// Forwarded is the address of a request's client. As long as an address is a trusted proxy's, the one that this proxy received
// the request from is looked up in X-Forwarded-For or Forwarded (RFC 7239), from right to left. A request that has both headers
// is taken as its proxy's own: a proxy writes one of them and may pass on what its client wrote into the other.
func Forwarded(r *http.Request, trusted []netip.Prefix) netip.Addr {
	at := Peer(r.RemoteAddr)
	hops := hopsOf(r.Header)
	for i := len(hops) - 1; i >= 0 && Trusts(trusted, at); i-- {
		a, err := netip.ParseAddr(hops[i])
		if err != nil {
			break
		}
		at = a.Unmap().WithZone("")
	}
	return at
}

// Trusts reports whether an address is one of a trusted proxy.
func Trusts(trusted []netip.Prefix, a netip.Addr) bool {
	for _, p := range trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Peer is the address of "host:port"; the zero Addr if there is none in it.
func Peer(hostport string) netip.Addr {
	if ap, err := netip.ParseAddrPort(hostport); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, _ := netip.ParseAddr(hostport)
	return a.Unmap().WithZone("")
}

// hopsOf lists the addresses that proxies report, the nearest last.
func hopsOf(h http.Header) (hops []string) {
	list, elements := h.Values("X-Forwarded-For"), h.Values("Forwarded")
	if len(list) > 0 && len(elements) > 0 {
		return nil
	}
	for _, line := range list {
		for hop := range strings.SplitSeq(line, ",") {
			hops = append(hops, bareAddress(hop))
		}
	}
	for _, line := range elements {
		for element := range strings.SplitSeq(line, ",") {
			hops = append(hops, bareAddress(forParameter(element)))
		}
	}
	return hops
}

// forParameter is the value of the parameter "for" of an element of Forwarded.
func forParameter(element string) string {
	for pair := range strings.SplitSeq(element, ";") {
		if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && strings.EqualFold(name, "for") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// bareAddress takes the port and the brackets off an address.
func bareAddress(s string) string {
	s = strings.TrimSpace(s)
	if host, _, err := net.SplitHostPort(s); err == nil {
		return host
	}
	return strings.Trim(s, "[]")
}
