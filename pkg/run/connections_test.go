package run

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// serveBounded serves an engine on a bounded listener.
func serveBounded(t *testing.T, all, each int, trusted ...netip.Prefix) (addr string, engine *gin.Engine) {
	t.Helper()
	l, err := Listen("http_addr", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := boundConnections(l, trusted)
	b.all, b.each = all, each
	engine = httpapi.New()
	s := &http.Server{Handler: engine, ConnState: b.changed, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(b) }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	return l.Addr().String(), engine
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func ask(t *testing.T, c net.Conn, path string) int {
	t.Helper()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return 0
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestConnectionsThatAskNothingGiveWay(t *testing.T) {
	t.Parallel()
	for name, caps := range map[string][2]int{"of a source": {100, 3}, "of the listener": {3, 100}} {
		addr, e := serveBounded(t, caps[0], caps[1])
		inside, finish := make(chan struct{}), make(chan struct{})
		e.GET("/slow", func(c *gin.Context) { close(inside); <-finish; c.Status(204) })
		e.GET("/fast", func(c *gin.Context) { c.Status(204) })
		slow, answered := dial(t, addr), make(chan int)
		go func() { answered <- ask(t, slow, "/slow") }()
		<-inside
		var idle []net.Conn
		for range 5 {
			idle = append(idle, dial(t, addr))
		}
		if code := ask(t, dial(t, addr), "/fast"); code != 204 {
			t.Errorf("%s: a call beside connections that ask nothing: %d", name, code)
		}
		if _, err := idle[0].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%s: the first idle connection is open: %v", name, err)
		}
		close(finish)
		if code := <-answered; code != 204 {
			t.Errorf("%s: a request under way: %d", name, code)
		}
	}
}

func TestATrustedProxyMayHaveManyConnections(t *testing.T) {
	t.Parallel()
	addr, e := serveBounded(t, 100, 1, netip.MustParsePrefix("127.0.0.0/8"))
	e.GET("/fast", func(c *gin.Context) { c.Status(204) })
	first, second := dial(t, addr), dial(t, addr)
	if a, b := ask(t, first, "/fast"), ask(t, second, "/fast"); a != 204 || b != 204 {
		t.Errorf("%d and %d", a, b)
	}
}

func TestARefusedBodyIsDrainedSoThatTheAnswerIsSeen(t *testing.T) {
	t.Parallel()
	addr, e := serveBounded(t, 100, 100)
	e.POST("/", httpapi.LimitBody(1000), func(c *gin.Context) { c.Status(204) })
	for range 5 {
		c := dial(t, addr)
		const size = 8 << 20
		go func() {
			_, _ = fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size)
			_, _ = c.Write(make([]byte, size))
		}()
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 413 {
			t.Errorf("%d (%v)", resp.StatusCode, err)
		}
	}
}
