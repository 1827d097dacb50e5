package httpapi

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/directory"
)

// Standing lets a request of a caller last: a stream, a transfer, a long poll. The caller is authenticated again whenever the
// directory tells of a change of the key, the user, the role or the unit, and at least every 30 s; then may, if not nil, is asked
// with the caller as it is. When that fails, ctx ends with the error as its cause. caller returns the caller as it is now: whoever
// shows something decides with it. end is to be called when the request is over.
func Standing(c *gin.Context, d *directory.Directory, may func(context.Context, *auth.Principal) error) (ctx context.Context, caller func() *auth.Principal, end context.CancelFunc) {
	first := Caller(c)
	var now atomic.Pointer[auth.Principal]
	now.Store(first)
	again := c.MustGet(againKey).(func(context.Context) (*auth.Principal, error))
	ctx, end = d.Hold(c.Request.Context(), func(ctx context.Context) (time.Time, error) {
		p, err := again(ctx)
		if err == nil && may != nil {
			err = may(ctx, p)
		}
		if err != nil {
			return time.Time{}, err
		}
		now.Store(p)
		return p.Until, nil
	}, first.ID, first.Tenant, first.AgentID, first.OUID)
	return ctx, now.Load, end
}

// longAgo ends reads and writes that wait.
var longAgo = time.Unix(1, 0)

// StopWriting ends writes of the answer, also one that waits for a slow client, when ctx ends. stop must be called before the
// handler returns: the writer is another request's then.
func StopWriting(ctx context.Context, w http.ResponseWriter) (stop func()) {
	return onEnd(ctx, func() { _ = http.NewResponseController(w).SetWriteDeadline(longAgo) }) // a recorder has no deadlines
}

// StopReading ends reads of the request's body, also one that waits for a slow client, when ctx ends. stop must be called before
// the handler returns.
func StopReading(ctx context.Context, w http.ResponseWriter) (stop func()) {
	return onEnd(ctx, func() { _ = http.NewResponseController(w).SetReadDeadline(longAgo) }) // a recorder has no deadlines
}

// onEnd calls f when ctx ends. stop prevents that; if f has begun, stop waits until it has returned.
func onEnd(ctx context.Context, f func()) (stop func()) {
	ended := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() { defer close(ended); f() })
	return func() {
		if !cancel() {
			<-ended
		}
	}
}

// Download writes a body of the announced length, until ctx ends: the client sees a cut connection then.
func Download(ctx context.Context, c *gin.Context, body io.Reader) {
	defer StopWriting(ctx, c.Writer)()
	c.Status(http.StatusOK)
	_ = Copy(c, Until(ctx, body)) // the client went away, or its authority did
}

// Until reads from r until ctx ends; the error is then the cause.
func Until(ctx context.Context, r io.Reader) io.Reader { return until{ctx, r} }

type until struct {
	ctx context.Context
	r   io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	n, err := u.r.Read(p)
	if u.ctx.Err() != nil {
		return n, context.Cause(u.ctx)
	}
	return n, err
}
