package session_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// dialFrom opens a socket through a proxy that reports an address. Without a socket it returns the answer's status and body.
func (b *browser) dialFrom(address string) (conn *websocket.Conn, status int, body string) {
	b.t.Helper()
	conn, resp, err := websocket.Dial(b.t.Context(), "ws"+strings.TrimPrefix(b.url, "http")+"/ws", &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {shop}, "X-Forwarded-For": {address}},
	})
	if err != nil {
		if resp == nil {
			b.t.Fatal(err)
		}
		raw, _ := io.ReadAll(resp.Body) // what the library keeps of it
		return nil, resp.StatusCode, string(raw)
	}
	b.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn, resp.StatusCode, ""
}

// TestSocketsOfAnAddressAreBounded: an address with as many sockets as it may have gets no further one until one of them has ended;
// other addresses do.
func TestSocketsOfAnAddressAreBounded(t *testing.T) {
	t.Parallel()
	b := &browser{t: t, url: w.urls[0] + "/chat/" + w.channel(t, nil)}
	var first *websocket.Conn
	for n := range socketsOfAddress {
		conn, status, body := b.dialFrom("192.0.2.7")
		if conn == nil {
			t.Fatalf("socket %d: %d %s", n, status, body)
		}
		if first == nil {
			first = conn
		}
	}
	if conn, status, body := b.dialFrom("192.0.2.7"); conn != nil || status != http.StatusTooManyRequests || !strings.Contains(body, `"rate_limited"`) {
		t.Errorf("one more: %d %s", status, body)
	}
	for _, other := range []string{"192.0.2.8", "2001:db8::7"} {
		if conn, status, body := b.dialFrom(other); conn == nil {
			t.Errorf("%s: %d %s", other, status, body)
		}
	}
	_ = first.CloseNow()
	eventually(t, "the place of a socket that has ended is free", func() bool {
		conn, _, _ := b.dialFrom("192.0.2.7")
		return conn != nil
	})
}
