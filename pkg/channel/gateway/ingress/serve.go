package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

var (
	// errUnknown says as little as a forged call is told.
	errUnknown = fault.New(fault.Gone, "not_found", "there is no such channel")
	errBusy    = &fault.Error{Kind: fault.Unavailable, Code: "overloaded", After: 2 * time.Second, Detail: "too much at once; send it again"}
)

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
	in, err := g.read(c, suffix)
	defer g.gate.release(in.Body)
	if err != nil {
		g.fail(c, err)
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), g.Limits.Request)
	defer cancel()
	chs, dropped, err := g.open(ctx, id, in)
	if err != nil {
		g.fail(c, err)
		return
	}
	reply, err := g.accept(ctx, in, chs, dropped)
	if err != nil {
		g.fail(c, err)
		return
	}
	write(c, reply)
}

// read takes the raw body, once. A body over the type's limit is cut off: what is said to be larger is not read at all.
func (g *Ingress) read(c *gin.Context, suffix string) (in channel.Inbound, err error) {
	limit := g.info.Inbound.MaxBody
	r := c.Request
	if r.ContentLength > limit {
		return in, httpapi.TooLarge(limit)
	}
	_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(g.Limits.Body)) // not every writer can; the server has a limit too
	in = channel.Inbound{Method: r.Method, Path: suffix, Query: r.URL.Query(), Header: r.Header, URL: g.PublicURL + r.URL.RequestURI(), At: g.Now()}
	if in.Body, err = g.gate.readAll(http.MaxBytesReader(c.Writer, r.Body, limit), r.ContentLength); err == nil {
		return in, nil
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return in, httpapi.TooLarge(limit)
	}
	if errors.Is(err, errBusy) {
		return in, err
	}
	return in, fault.New(fault.Unavailable, "timeout", "the body did not come in time")
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
