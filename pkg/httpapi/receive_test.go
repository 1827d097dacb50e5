package httpapi

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
)

// pipes is a listener of connections in memory, whose deadlines follow the clock of a synctest bubble.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (pipes) Close() error   { return nil }
func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// talk serves an engine, sends text on a connection and returns the answer, and how long it took.
func talk(t *testing.T, e http.Handler, text string) (status int, took time.Duration) {
	t.Helper()
	p := make(pipes, 1)
	s := &http.Server{Handler: e}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(p) }()
	ours, theirs := net.Pipe()
	p <- theirs
	began := time.Now()
	go func() { _, _ = io.WriteString(ours, text) }()
	resp, err := http.ReadResponse(bufio.NewReader(ours), nil)
	if err == nil {
		_ = resp.Body.Close()
		status = resp.StatusCode
	}
	took = time.Since(began)
	_ = ours.Close()
	close(p)
	<-ended
	_ = s.Close()
	return status, took
}

func TestABodyThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := New()
		e.POST("/", func(c *gin.Context) {
			if _, err := Raw(c); err != nil {
				Fail(c, err)
				return
			}
			c.Status(204)
		})
		e.POST("/unread", func(c *gin.Context) { c.Status(204) })
		e.POST("/slow", func(c *gin.Context) {
			_, _ = Raw(c)
			ctx, cancel := context.WithTimeout(c.Request.Context(), 30*time.Second)
			defer cancel()
			<-ctx.Done()
			c.Status(204)
			if c.Request.Context().Err() != nil {
				t.Error("the deadline of the body ended the request")
			}
		})
		head := func(path string) string { return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n" }
		for name, c := range map[string]struct {
			text   string
			status int
			took   time.Duration
		}{
			"whole":              {head("/") + "1234", 204, 0},
			"half":               {head("/") + "12", 408, bodyGrace},
			"chunked":            {strings.Replace(head("/"), "Content-Length: 4", "Transfer-Encoding: chunked", 1) + "2\r\n12\r\n", 408, bodyGrace},
			"whole, long work":   {head("/slow") + "1234", 204, 30 * time.Second},
			"half, never asked":  {head("/unread") + "12", 204, bodyGrace},
			"whole, never asked": {head("/unread") + "1234", 204, 0},
		} {
			if status, took := talk(t, e, c.text); status != c.status || took != c.took {
				t.Errorf("%s: %d after %s, want %d after %s", name, status, took, c.status, c.took)
			}
		}
	})
}
