package gateway

import (
	"context"
	"errors"
	"maps"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/session"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/source"
	"github.com/tributaryhq/tributary/pkg/run"
)

// Option adds to a channel service what an adapter cannot express.
type Option func(ctx context.Context, h *Host) error

// Extra is what a channel adds to its service.
type Extra struct {
	Sources    []source.Source
	Transports map[string]provider.Transport // by URL scheme
	Session    session.Session               // connections on which the channels both send and receive; nil: none
	Schemes    []string                      // of the URLs that Session serves
	Routes     func(r gin.IRouter)           // beside /webhooks/{type}
	Consumers  []bus.Subscription
	Loops      []run.Loop
	Close      func() error
}

// Session is package session's, by the name that adapters use.
type Session = session.Session

// Sessions adds the connections on which the type's channels both send and receive, for requests with URLs of these schemes. The type's
// Info must say Session, as inbox keys the records of such types by channel.
func Sessions(s Session, schemes ...string) Option { return add(Extra{Session: s, Schemes: schemes}) }

// Sources adds sources: each runs under a lease per channel.
func Sources(s ...source.Source) Option { return add(Extra{Sources: s}) }

// Transports adds transports by URL scheme: "smtp", "smpp", "ws".
func Transports(t map[string]provider.Transport) Option { return add(Extra{Transports: t}) }

// With adds whatever build returns. build is called when the service is built: it may require collections of its own,
// which the service's value names besides the usual ones, and keep h for later, but h.Deliver works only once the service runs.
func With(build func(ctx context.Context, h *Host) (Extra, error)) Option {
	return func(ctx context.Context, h *Host) error {
		e, err := build(ctx, h)
		if err != nil {
			return err
		}
		return add(e)(ctx, h)
	}
}

func add(e Extra) Option {
	return func(_ context.Context, h *Host) error {
		x := &h.extra
		x.Sources = append(x.Sources, e.Sources...)
		if x.Transports == nil {
			x.Transports = map[string]provider.Transport{}
		}
		maps.Copy(x.Transports, e.Transports)
		if e.Session != nil {
			x.Session, x.Schemes = e.Session, e.Schemes
		}
		x.Routes = both(x.Routes, e.Routes)
		x.Consumers = append(x.Consumers, e.Consumers...)
		x.Loops = append(x.Loops, e.Loops...)
		if before := x.Close; e.Close != nil {
			x.Close = func() error {
				if before == nil {
					return e.Close()
				}
				return errors.Join(e.Close(), before())
			}
		}
		return nil
	}
}

func both(a, b func(gin.IRouter)) func(gin.IRouter) {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(r gin.IRouter) { a(r); b(r) }
}

func (e *Extra) close() error {
	if e.Close == nil {
		return nil
	}
	return e.Close()
}
