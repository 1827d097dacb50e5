package ingress

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

var (
	// errUnknown is answered word by word like a call whose signature is wrong, so that neither says which channels exist. It is a
	// value of its own for the counters.
	errUnknown = fault.New(fault.Denied, fault.Of(channel.ErrForged).Code, "%s", fault.Of(channel.ErrForged).Err.Error())
	errBusy    = &fault.Error{Kind: fault.Unavailable, Code: "overloaded", After: 2 * time.Second, Detail: "too much at once; send it again"}
)

const skimmed = 4 << 10 // bytes that are kept of a body for no channel

func (g *Ingress) serve(c *gin.Context) {
	id, suffix := split(c.Param("rest"))
	if do := g.operation(c.Request, id, suffix); do != nil {
		g.operate(c, id, do)
		return
	}
	if g.gate.overfull() {
		g.fail(c, errBusy)
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), g.Limits.Request)
	defer cancel()
	ch, err := g.addressed(ctx, id)
	if err != nil && err != errUnknown { //nolint:errorlint // the very value
		g.fail(c, err)
		return
	}
	in, arrived, err := g.read(c, id, suffix, err == nil)
	defer arrived.release()
	if err != nil {
		g.fail(c, err)
		return
	}
	ctx, cancel = context.WithTimeout(c.Request.Context(), g.Limits.Request) // the time for the body was the sender's
	defer cancel()
	chs, dropped, err := g.open(ctx, ch, in)
	if err != nil {
		g.fail(c, err)
		return
	}
	arrived.release() // it is the gate that counts from here
	reply, err := g.accept(ctx, in, chs, dropped, ch != nil)
	if err != nil {
		g.fail(c, err)
		return
	}
	write(c, reply)
}

// addressed finds the channel of a call before its body is read; nil without an error is one that is app-level.
func (g *Ingress) addressed(ctx context.Context, id string) (*channel.Keyed, error) {
	if id == "" {
		return nil, nil //nolint:nilnil // there is none to find
	}
	ch, err := g.channel(ctx, id)
	return &ch, err
}

// read takes the raw body, once. A body over the type's limit is cut off: what is said to be larger is not read at all. Of a call
// that is for no channel the body is read, as long as any other takes, but not kept; the call is refused in any case.
func (g *Ingress) read(c *gin.Context, id, suffix string, known bool) (in channel.Inbound, a *arrival, err error) {
	limit := g.info.Inbound.MaxBody
	r := c.Request
	a = g.arrived.begin(func() { _ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now()) }, "from "+httpapi.Source(c))
	if id != "" {
		a.keys = append(a.keys, "to "+id)
	}
	if r.ContentLength > limit {
		return in, a, httpapi.TooLarge(limit)
	}
	in = channel.Inbound{Method: r.Method, Path: suffix, Query: r.URL.Query(), Header: r.Header, URL: g.PublicURL + r.URL.RequestURI(), At: g.Now()}
	body := http.MaxBytesReader(c.Writer, r.Body, limit)
	if known {
		in.Body, err = a.readAll(body, r.ContentLength)
	} else if in.Body, err = skim(body); err == nil {
		_ = g.Adapter.Verify(g.dummy, in) // as long as a real one takes
		err = errUnknown
	}
	if err == nil || err == errBusy || err == errUnknown { //nolint:errorlint // the very values
		return in, a, err
	}
	return in, a, httpapi.Unread(err)
}

// skim reads a body to its end and returns its beginning; what a signature over the whole costs is paid too.
func skim(r io.Reader) ([]byte, error) {
	start, err := io.ReadAll(io.LimitReader(r, skimmed))
	if err == nil && len(start) == skimmed {
		_, err = io.Copy(sha256.New(), r)
	}
	return start, err
}

// fail answers with the problem that err is. Unlike other interfaces this one does not log each: a provider calls as often when we
// are down as when we are up, and the counters tell.
func (g *Ingress) fail(c *gin.Context, err error) {
	ctx := c.Request.Context()
	g.metrics.received(ctx, resultOf(err))
	p := httpapi.Describe(err)
	if errors.Is(err, context.DeadlineExceeded) {
		p = httpapi.Describe(fault.New(fault.Unavailable, "timeout", "the answer took too long"))
	}
	p.RequestID = httpapi.RequestID(c)
	if p.Status >= http.StatusInternalServerError {
		g.quiet.Do(func() {
			g.Log.ErrorContext(ctx, "webhooks are refused", "type", g.info.Type, "status", p.Status, "error", err)
		})
	}
	if p.Status == http.StatusServiceUnavailable {
		c.Header("Retry-After", "2")
	}
	b, err := json.Marshal(p)
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	c.Abort()
	c.Data(p.Status, "application/problem+json", b)
}

func write(c *gin.Context, r channel.Reply) {
	for k, vs := range r.Header {
		for _, v := range vs {
			c.Writer.Header().Add(k, v)
		}
	}
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	if len(r.Body) == 0 {
		c.Status(status)
		c.Writer.WriteHeaderNow()
		return
	}
	kind := r.ContentType
	if kind == "" {
		kind = "text/plain; charset=utf-8"
	}
	c.Data(status, kind, r.Body)
}
