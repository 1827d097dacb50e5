package httpapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// How a body has to come, and an answer to go: within a grace time, and at a minimum rate beyond it. What is left unread of a
// body when the answer is written is read and dropped within bounds, so that a client that still sends sees the answer and not a
// reset of the connection.
const (
	bodyGrace   = 8 * time.Second
	bodyRate    = 16 << 10 // bytes a second
	answerGrace = 60 * time.Second
	drainBytes  = 32 << 20
	drainTime   = 5 * time.Second
	copyBytes   = 1 << 20     // of an answer, in every answerGrace
	renewEvery  = time.Second // deadlines are set anew at most so often
)

// receive bounds the time for a request's body and for its answer.
func receive(c *gin.Context) {
	rc := http.NewResponseController(c.Writer)
	began := time.Now()
	timed := rc.SetWriteDeadline(began.Add(answerGrace)) == nil // the writers of tests have no connection
	if !timed || c.Request.ContentLength == 0 || c.Request.Body == nil {
		c.Next()
		return
	}
	b := &timedBody{body: c.Request.Body, conn: rc, began: began}
	b.renew(began)
	c.Request.Body = b
	c.Next()
	if !b.ended && !b.late && c.Writer.Status() != http.StatusSwitchingProtocols {
		b.drain(c)
	}
}

// Copy writes an answer of any length; a client must take some of it all the time.
func Copy(c *gin.Context, from io.Reader) error {
	rc := http.NewResponseController(c.Writer)
	for {
		_ = rc.SetWriteDeadline(time.Now().Add(answerGrace))
		if _, err := io.CopyN(c.Writer, from, copyBytes); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// timedBody is a body with a deadline that moves as its bytes come.
type timedBody struct {
	body    io.ReadCloser
	conn    *http.ResponseController
	began   time.Time
	renewed time.Time
	n       int64
	ended   bool
	late    bool
}

// Read implements io.Reader. After the last byte there is no deadline: the handler may take its time.
func (b *timedBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.renewed) > renewEvery {
		b.renew(now)
	}
	n, err := b.body.Read(p)
	b.n += int64(n)
	switch {
	case errors.Is(err, io.EOF):
		b.ended = true
		_ = b.conn.SetReadDeadline(time.Time{})
		_ = b.conn.SetWriteDeadline(time.Now().Add(answerGrace))
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.late = true
	}
	return n, err
}

// Close implements io.Closer.
func (b *timedBody) Close() error { return b.body.Close() }

func (b *timedBody) renew(now time.Time) {
	b.renewed = now
	until := b.began.Add(bodyGrace + time.Duration(b.n)*time.Second/bodyRate)
	_ = b.conn.SetReadDeadline(until)
	_ = b.conn.SetWriteDeadline(until.Add(answerGrace))
}

// drain reads what the handler left, for a while, after the answer is on its way.
func (b *timedBody) drain(c *gin.Context) {
	c.Writer.WriteHeaderNow()
	c.Writer.Flush()
	_ = b.conn.SetReadDeadline(time.Now().Add(drainTime))
	b.renewed = time.Now().Add(drainTime) // this deadline does not move
	_, _ = io.CopyN(io.Discard, b, drainBytes)
}

// Unread is the error for a body that could not be read to its end.
func Unread(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return TooLarge(tooLarge.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(fault.Invalid, "body_too_slow", "the body did not come in time: at least %d KiB a second after the first %d seconds", bodyRate>>10, int(bodyGrace/time.Second))
	}
	return fault.New(fault.Invalid, "body_incomplete", "the body ended early")
}
