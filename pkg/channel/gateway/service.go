// Package gateway is the host of every channel: the impure half of a channel service, written once for all eleven types. A
// channel's service.go is one line:
//
//	var Service = gateway.Service(Adapter{})
//
// What plain webhooks and HTTP calls cannot do (IMAP, SMTP, SMPP, WebSocket) an adapter's package adds with options.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel"

	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/expiry"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/ingress"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/join"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/media"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/profile"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/send"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/session"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/silence"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/source"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Settings are what every channel service reads.
type Settings struct {
	OperationsHosts []string `key:"operations_hosts" help:"hosts on which operators may test, simulate and replay calls of a channel (/webhooks/<type>/<channel>/~…); set it to the API's where providers call another host; empty: every host"`
	WatchedChannels []string `key:"watched_channels" help:"channels to which somebody is expected to write, as <id>=<duration>, such as ch_x=6h: each has series of its own among the metrics, by which an alert tells of a longer silence; at most 100"`
}

// Check returns what is wrong with values that their declarations cannot describe.
func (s *Settings) Check() error {
	if _, err := silence.Parse(s.WatchedChannels); err != nil {
		return fmt.Errorf("%s: %w", config.EnvName("watched_channels"), err)
	}
	return nil
}

// Service is the service of an adapter's channel type.
func Service(a channel.Adapter, opts ...Option) run.Service {
	t := a.Info().Type
	return run.Service{Name: string(t), Settings: []config.Settings{config.Declare[Settings]()}, Collections: collections(a.Info()), New: func(ctx context.Context, env *run.Env) (*run.Parts, error) {
		h, err := build(ctx, a, env, opts)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t, err)
		}
		return h.parts(), nil
	}}
}

// collections are those that the service of a type has.
func collections(i channel.Info) []store.Spec {
	specs := append(ingress.Specs(i.Type), send.Spec(i.Type), media.Spec(i.Type), provider.CallSpec, provider.TokenSpec, expiry.Spec, silence.Spec, directory.Connections)
	if i.Inbound.InParts {
		specs = append(specs, join.Spec(i.Type))
	}
	return specs
}

// Host is a channel service at run time: what an [Extra] may use.
type Host struct {
	*run.Env
	Adapter channel.Guarded

	ingress *ingress.Ingress
	worker  *send.Worker
	media   *media.Worker
	people  *profile.Worker // nil for types whose provider is not asked who people are
	silence *silence.Watch  // nil where no channel is watched
	ends    *expiry.Worker  // nil for types whose provider does not say until when credentials are valid
	sources *source.Runner
	session *session.Host // nil for types without sessions
	calls   *provider.CallLog
	facts   *store.Applier
	extra   Extra
}

// Deliver takes one payload that was fetched for ch, or came in by an extra route, as if it had been a webhook. It returns nil
// once everything in it is on Kafka, or in the spool: only then may the sender be told that we have it.
func (h *Host) Deliver(ctx context.Context, ch channel.Keyed, in channel.Inbound) (channel.Reply, error) {
	return h.ingress.Deliver(ctx, ch, in)
}

func build(ctx context.Context, a channel.Adapter, env *run.Env, opts []Option) (*Host, error) {
	t := a.Info().Type
	if err := env.DB.Require(ctx, collections(a.Info())...); err != nil {
		return nil, fmt.Errorf("collections: %w", err)
	}
	if err := env.Directory.Announce(ctx, a.Info()); err != nil {
		return nil, err
	}
	h := &Host{Env: env, Adapter: channel.Guard(a), facts: store.NewApplier(env.DB, env.Bus, env.Log), calls: provider.NewCallLog(env.DB, env.Log, env.Now)}
	for _, opt := range opts {
		if err := opt(ctx, h); err != nil {
			return nil, errors.Join(err, h.extra.close())
		}
	}
	if err := h.connect(); err != nil {
		return nil, errors.Join(err, h.extra.close())
	}
	caller := h.caller()
	if err := h.watch(t, caller); err != nil {
		return nil, errors.Join(err, h.extra.close())
	}
	if h.Adapter.Profiler != nil {
		h.people = profile.New(profile.Deps{
			Adapter: h.Adapter, Source: env.Service, Channels: env.Directory, Bus: env.Bus, Caller: caller, Cache: env.Cache, Now: env.Now, Log: env.Log,
		})
	}
	h.ingress = ingress.New(ingress.Deps{
		Adapter: h.Adapter, Source: env.Service, PublicURL: env.PublicURL, Channels: env.Directory, Bus: env.Bus, DB: env.DB, Blobs: env.Blob,
		Backlog: env.Backlog, Now: env.Now, Log: env.Log, Authenticate: httpapi.Authenticate(env.Auth), Seen: h.seen(),
		OperationsHosts: config.Of[Settings](env.Config).OperationsHosts,
		Operations: map[string]ingress.Operation{"test": func(ctx context.Context, ch channel.Keyed, _ []byte) (any, error) {
			return caller.Setup(ctx, ch, channel.WebhookURL(env.PublicURL, t, ch.ID))
		}},
	})
	h.worker = send.New(send.Deps{
		Adapter: h.Adapter, Source: env.Service, PublicURL: env.PublicURL, Channels: env.Directory, Bus: env.Bus, DB: env.DB, Facts: h.facts, Sender: caller, Files: caller.Files,
		Limiter: shared(env.Cache), Now: env.Now, Log: env.Log, Sessions: h.sessions(),
	})
	h.media = media.New(media.Deps{
		Adapter: h.Adapter, Source: env.Service, Channels: env.Directory, Watch: env.Directory.Watch, Bus: env.Bus, DB: env.DB, Facts: h.facts,
		Blobs: env.Blob, Egress: env.Egress, Caller: caller, Now: env.Now, Log: env.Log,
	})
	h.sources = source.New(source.Deps{
		Type: t, Sources: h.extra.Sources, Channels: env.Directory, Watch: env.Directory.Watch, DB: env.DB, Deliver: h.ingress.Deliver, Now: env.Now, Log: env.Log,
	})
	return h, nil
}

// watch makes what tells operators of credentials that end, where the provider says when they do, and of channels that are silent, if they
// watch any.
func (h *Host) watch(t event.ChannelType, caller *provider.Caller) error {
	if h.Adapter.Expirer != nil {
		h.ends = expiry.New(expiry.Deps{Adapter: h.Adapter, Channels: h.Directory, Caller: caller, Renewed: caller.Tokens, DB: h.DB, Now: h.Now, Log: h.Log})
		if err := h.ends.Observe(otel.Meter("tributary/expiry")); err != nil {
			return err
		}
	}
	allowed, err := silence.Parse(config.Of[Settings](h.Config).WatchedChannels)
	if err != nil || len(allowed) == 0 {
		return err
	}
	h.silence = silence.New(silence.Deps{Type: t, Allowed: allowed, Channels: h.Directory, DB: h.DB, Now: h.Now, Log: h.Log})
	return h.silence.Observe(otel.Meter("tributary/silence"))
}

// seen is told of every event that is on Kafka; nil if nothing wants to know.
func (h *Host) seen() func(channel.Channel, event.Inbound) {
	if h.people == nil && h.silence == nil {
		return nil
	}
	return func(ch channel.Channel, e event.Inbound) {
		if h.people != nil {
			h.people.Note(ch, e)
		}
		if h.silence != nil {
			h.silence.Note(ch, e)
		}
	}
}

// connect makes the host of the type's connections, if it has any.
func (h *Host) connect() error {
	info := h.Adapter.Info()
	if info.Session != (h.extra.Session != nil) {
		return fmt.Errorf("Info says Session %t and the service has the option Sessions: %t; both or neither", info.Session, h.extra.Session != nil)
	}
	if !info.Session {
		return nil
	}
	h.session = session.New(session.Deps{
		Type: info.Type, Session: h.extra.Session, MaxBody: info.Inbound.MaxBody, Channels: h.Directory, Watch: h.Directory.Watch, DB: h.DB, Deliver: h.Deliver,
		Partition: h.Bus.PartitionOf, Dial: h.Egress.Dial, Now: h.Now, Log: h.Log,
	})
	h.extra.Transports = maps.Clone(h.extra.Transports)
	for _, scheme := range h.extra.Schemes {
		h.extra.Transports[scheme] = h.session
	}
	return nil
}

// sessions is what the sender asks about connections; nil for types without any.
func (h *Host) sessions() send.Sessions {
	if h.session == nil {
		return nil
	}
	return h.session
}

func (h *Host) caller() *provider.Caller {
	http := &provider.HTTP{Client: h.Egress, Blobs: h.Blob}
	transports := map[string]provider.Transport{"http": http, "https": http}
	maps.Copy(transports, h.extra.Transports)
	c := &provider.Caller{
		Adapter: h.Adapter, Transports: transports, Log: h.calls, Now: h.Now, Files: fileurl.New(h.Sealer, h.PublicURL, h.Now),
		Tokens: provider.NewTokens(h.Adapter, transports, h.DB, h.Sealer, h.Now),
	}
	return c.Observe()
}

// shared are limits that all replicas keep together.
func shared(c *cache.Cache) func(string, budget.Rate) (dispatch.Limiter, error) {
	if c == nil {
		return nil
	}
	return func(name string, r budget.Rate) (dispatch.Limiter, error) {
		return c.Limiter(name, cache.Rate{Limit: r.N, Per: r.Per})
	}
}

func (h *Host) parts() *run.Parts {
	loops := []run.Loop{
		{Name: "facts", Run: h.facts.Run}, {Name: "provider calls", Run: h.calls.Run},
		{Name: "spool", Run: h.ingress.Run}, {Name: "waiting media", Run: h.media.Run}, {Name: "sources", Run: h.sources.Run},
	}
	if h.Adapter.Info().Inbound.InParts {
		loops = append(loops, run.Promptly("messages in parts", join.LookEvery, h.Log, h.ingress.Join))
	}
	if h.session != nil {
		loops = append(loops, run.Loop{Name: "sessions", Run: h.session.Loop})
	}
	if h.people != nil {
		loops = append(loops, run.Loop{Name: "profiles", Run: h.people.Run})
	}
	if h.silence != nil {
		loops = append(loops, run.Promptly("silent channels", silence.LookEvery, h.Log, h.silence.Look))
	}
	if h.ends != nil {
		loops = append(loops, run.Every("ends of credentials", expiry.LookEvery, h.Log, h.ends.Look))
	}
	return &run.Parts{
		Routes: func(r gin.IRouter) {
			h.ingress.Routes(r)
			if h.extra.Routes != nil {
				h.extra.Routes(r)
			}
		},
		Consumers: append([]bus.Subscription{h.worker.Subscription(), h.media.Subscription()}, h.extra.Consumers...),
		Loops:     append(loops, h.extra.Loops...),
		Close:     h.close,
	}
}

// close finishes what the last sends have left: their results are facts that nobody may have published yet.
func (h *Host) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := h.facts.Flush(ctx); err != nil {
		h.Log.WarnContext(ctx, "results are left to be swept by the next process", "error", err)
	}
	h.calls.Flush(ctx)
	return h.extra.close()
}
