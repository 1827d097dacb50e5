package httpapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Upgrade checks a request for a WebSocket (RFC 6455 §4.2.1), so that it is refused like any other. anyOrigin lets pages of other
// hosts pass; the caller has looked at them.
func Upgrade(c *gin.Context, anyOrigin bool) error {
	r := c.Request
	switch {
	case isHead(r), !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		c.Header("Connection", "Upgrade")
		c.Header("Upgrade", "websocket")
		return fault.New(fault.Invalid, "upgrade_required", "this is a WebSocket: ask with Connection: Upgrade and Upgrade: websocket")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		c.Header("Sec-WebSocket-Version", "13")
		return fault.New(fault.Invalid, "upgrade_required", "Sec-WebSocket-Version must be 13")
	case r.Header.Get("Sec-WebSocket-Key") == "":
		return fault.New(fault.Invalid, "required", "the header Sec-WebSocket-Key is required")
	}
	from := r.Header.Get("Origin")
	if from == "" || anyOrigin {
		return nil
	}
	if u, err := url.Parse(from); err != nil || !strings.EqualFold(u.Host, r.Host) {
		return fault.New(fault.Denied, "forbidden", "a page of another origin may not open this WebSocket")
	}
	return nil
}

func hasToken(h http.Header, name, want string) bool {
	for _, line := range h.Values(name) {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(token), want) {
				return true
			}
		}
	}
	return false
}

// Matches reports whether a list of entity tags, as If-Match and If-None-Match have it, names the tag. "*" names every tag. Weak
// comparison (RFC 9110 §8.8.3.2): tags here change with what they stand for.
func Matches(list, tag string) bool {
	for have := range strings.SplitSeq(list, ",") {
		have = strings.TrimSpace(have)
		if have == "*" || strings.TrimPrefix(have, "W/") == tag {
			return true
		}
	}
	return false
}
