// Package gateway is the host of a channel: everything impure that an adapter needs around it, written once for all eleven types.
// Webhooks come in through ingress, messages leave through send, calls are made by provider.
package gateway

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/ingress"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/send"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Service is the service of a channel type: the adapter in its host.
func Service(a channel.Adapter) run.Service {
	return run.Service{Name: string(a.Info().Type), New: func(ctx context.Context, env *run.Env) (*run.Parts, error) {
		return build(ctx, a, env)
	}}
}

func build(ctx context.Context, a channel.Adapter, env *run.Env) (*run.Parts, error) {
	info := a.Info()
	specs := append(ingress.Specs(info.Type), send.Spec(info.Type), provider.CallSpec)
	if err := env.DB.Ensure(ctx, specs...); err != nil {
		return nil, err
	}
	if err := env.Directory.Announce(ctx, info); err != nil {
		return nil, err
	}
	applier := store.NewApplier(env.DB, env.Bus, env.Log)
	calls := provider.NewCallLog(env.DB, env.Log, env.Now)
	http := &provider.HTTP{Client: env.Egress, Blobs: env.Blob}
	caller := &provider.Caller{Adapter: a, Transports: map[string]provider.Transport{"http": http, "https": http}, Log: calls, Now: env.Now}
	in := ingress.New(ingress.Deps{
		Adapter: a, Source: env.Service, PublicURL: env.PublicURL, Channels: env.Directory, Bus: env.Bus, DB: env.DB, Blobs: env.Blob,
		Backlog: env.Backlog, Now: env.Now, Log: env.Log,
	})
	out := send.New(send.Deps{
		Adapter: a, Source: env.Service, Channels: env.Directory, Bus: env.Bus, DB: env.DB, Facts: applier, Sender: caller,
		Limiter: limiter(env.Cache), Now: env.Now, Log: env.Log,
	})
	return &run.Parts{
		Routes:    func(r gin.IRouter) { in.Routes(r) },
		Consumers: []bus.Subscription{out.Subscription()},
		Loops:     []run.Loop{{Name: "facts", Run: applier.Run}, {Name: "spool", Run: in.Run}, {Name: "provider calls", Run: calls.Run}},
	}, nil
}

// limiter makes the limits that replicas share.
func limiter(c *cache.Cache) func(name string, r channel.Rate) (send.Limiter, error) {
	return func(name string, r channel.Rate) (send.Limiter, error) {
		return c.Limiter(name, cache.Rate{Limit: r.N, Per: time.Duration(r.Every)})
	}
}
