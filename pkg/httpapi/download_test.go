package httpapi

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
)

// endless are bytes without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// trickle serves a handler and takes its answer at so many bytes a second. It returns how many came until the connection ended.
func trickle(t *testing.T, h http.Handler, perSecond int) (got int64) {
	t.Helper()
	p := make(pipes, 1)
	s := &http.Server{Handler: h}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(p) }()
	ours, theirs := net.Pipe()
	p <- theirs
	if _, err := io.WriteString(ours, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(ours, 16), nil)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		var n int64
		n, err = io.CopyN(io.Discard, resp.Body, int64(perSecond))
		if got += n; err == nil {
			time.Sleep(time.Second) // of the bubble's clock
		}
	}
	_ = ours.Close()
	close(p)
	<-ended
	_ = s.Close()
	return got
}

// TestADownloadLastsAsLongAsItIsTakenAndAllowed: a client that takes less than a part in the time for an answer is cut off, and so is
// every client within a second of the end of its authority.
func TestADownloadLastsAsLongAsItIsTakenAndAllowed(t *testing.T) {
	t.Parallel()
	const size = 3 * copyBytes
	enough := copyBytes/int(answerGrace/time.Second) + 1<<10
	for name, tc := range map[string]struct {
		perSecond int
		allowed   time.Duration
		whole     bool
		took      time.Duration // of the handler, to the second
	}{
		"one byte a second":                {1, time.Hour, false, answerGrace},
		"a little less than a part":        {copyBytes/int(answerGrace/time.Second) - 1<<10, time.Hour, false, answerGrace},
		"a little more than a part":        {enough, time.Hour, true, time.Duration(size/enough) * time.Second},
		"as much as it likes":              {size + 1, time.Hour, true, 0},
		"not allowed any more":             {enough, 10 * time.Second, false, 10 * time.Second},
		"one byte a second, then revoked":  {1, 10 * time.Second, false, 10 * time.Second},
		"allowed until the second part is": {enough, 90 * time.Second, false, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				lasted := make(chan time.Duration, 1)
				e := New()
				e.GET("/", func(c *gin.Context) {
					began := time.Now()
					ctx, cancel := context.WithTimeout(c.Request.Context(), tc.allowed)
					defer cancel()
					Download(ctx, c, io.LimitReader(endless{}, size))
					lasted <- time.Since(began)
				})
				got, took := trickle(t, e, tc.perSecond), <-lasted
				if (got == size) != tc.whole || (took-tc.took).Abs() > time.Second {
					t.Errorf("%d of %d bytes, ended after %s; want the whole: %v, after %s", got, size, took, tc.whole, tc.took)
				}
			})
		})
	}
}
