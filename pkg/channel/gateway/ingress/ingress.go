// Package ingress is the webhook endpoint of a channel service, written once for all eleven types.
//
// A call is verified over its raw bytes, translated by the adapter and published, journal and events together; only then is
// it answered 2xx (promise P1). Nothing is deduplicated here: ids are derived, so a call that comes again means the same
// events. A provider that does not call again has its calls kept in the spool, a store collection, while Kafka is away.
package ingress

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/join"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Channels finds configured channels; directory.Directory is one. Errors are of kind Gone (there is none) or Unavailable.
type Channels interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
	ByAccount(ctx context.Context, t event.ChannelType, setting, account string) (channel.Keyed, error)
	// BySecret finds a channel by the secret that names channels ([channel.Info.NamingSecret]).
	BySecret(ctx context.Context, t event.ChannelType, secret string) (channel.Keyed, error)
	// Heard reports whether anything was heard of a channel with that account or secret. Looking up a value that nothing was heard
	// of costs a read of the store.
	Heard(t event.ChannelType, setting, value string) bool
}

// Bus is what ingress needs of Kafka: to publish, and to read one journal record again.
type Bus interface {
	bus.Producer
	PartitionOf(ctx context.Context, topic, key string) (int, error)
	ReadFrom(ctx context.Context, topic string, partition int, offset int64, limit int) ([]bus.Message, error)
}

// Deps is what an Ingress works with. Backlog may be nil.
type Deps struct {
	Adapter   channel.Guarded
	Source    string // of the events: the service's name
	PublicURL string // without a slash at the end
	Channels  Channels
	Bus       Bus
	DB        store.DB
	Blobs     *blob.Store
	Backlog   func(topic string) int64 // unread bytes that the in-process broker holds of a topic
	Now       func() time.Time
	Log       *slog.Logger
	Limits    Limits
	// Authenticate lets only known callers pass, to operations. Without it nobody may.
	Authenticate gin.HandlerFunc
	Operations   map[string]Operation // besides replay and simulate
	// OperationsHosts are the only hosts on which operations are served; empty: on every one.
	OperationsHosts []string
	// Seen is called with every event of a call once it is on Kafka, never for what went into the spool; it must return at once. May
	// be nil.
	Seen func(ch channel.Channel, e event.Inbound)
}

// Limits bounds what is worked on at once. Zero values mean the defaults.
type Limits struct {
	Calls    int           // proved calls at once; default 2,000
	Bytes    int64         // of the bodies of proved calls at once; default 256 MiB
	Unproved int64         // bytes of bodies that are not proved yet; default 128 MiB, a quarter for one source or channel
	Settle   time.Duration // a body that has arrived for longer may have to give way to others; default 250 ms
	Backlog  int64         // unread bytes of a topic in the in-process broker; default 512 MB
	Request  time.Duration // from the last byte of the body to the answer, whatever hangs; default 8 s
	Publish  time.Duration // for Kafka to acknowledge; default 3 s
	Spool    time.Duration // for the store, where Kafka did not; default 2 s
}

// Ingress takes a provider's calls.
type Ingress struct {
	Deps
	info    channel.Info
	dummy   channel.Keyed
	secret  map[string]bool // headers that the journal must not keep
	gate    *gate
	arrived *arrivals
	spool   *spool
	links   *links
	joins   *join.Joins
	metrics *metrics
	quiet   rate.Sometimes
}

// New returns the ingress of the adapter's type. Its spool needs [Specs] and Run.
func New(d Deps) *Ingress {
	d.Limits.fill()
	info := d.Adapter.Info()
	d.Limits.within(time.Duration(info.Inbound.AnswerWithin))
	return &Ingress{
		Deps: d, info: info, dummy: stranger(info), secret: secretHeaders(info.Inbound.Redact),
		gate: newGate(d.Limits, d.Backlog, d.Now), arrived: newArrivals(d.Limits, time.Now), spool: newSpool(d, info.Type),
		links: newLinks(d.Now), joins: join.New(d.DB, info.Type, d.Now), metrics: newMetrics(string(info.Type)),
		quiet: rate.Sometimes{First: 1, Interval: 10 * time.Second},
	}
}

// within shortens what a call may take, so that it is answered before the provider gives up after this long: an eighth of it is
// the network's. Zero changes nothing.
func (l *Limits) within(patience time.Duration) {
	if patience == 0 {
		return
	}
	l.Request = min(l.Request, patience*7/8)
	l.Publish = min(l.Publish, l.Request/2)
	l.Spool = min(l.Spool, l.Request/4) // the look whether something waits takes as long at most
}

func (l *Limits) fill() {
	def := Limits{Calls: 2000, Bytes: 256 << 20, Unproved: 128 << 20, Settle: 250 * time.Millisecond, Backlog: 512e6, Request: 8 * time.Second, Publish: 3 * time.Second, Spool: 2 * time.Second}
	for _, f := range []struct{ v, d *time.Duration }{{&l.Settle, &def.Settle}, {&l.Request, &def.Request}, {&l.Publish, &def.Publish}, {&l.Spool, &def.Spool}} {
		if *f.v == 0 {
			*f.v = *f.d
		}
	}
	if l.Calls == 0 {
		l.Calls = def.Calls
	}
	if l.Bytes == 0 {
		l.Bytes = def.Bytes
	}
	if l.Unproved == 0 {
		l.Unproved = def.Unproved
	}
	if l.Backlog == 0 {
		l.Backlog = def.Backlog
	}
}

// Routes mounts /webhooks/{type} and everything below it.
func (g *Ingress) Routes(r gin.IRouter) {
	base := "/webhooks/" + string(g.info.Type)
	for _, path := range []string{base, base + "/*rest"} {
		r.GET(path, g.serve)
		r.POST(path, g.serve)
	}
}

// Deliver takes one payload that a source fetched for ch. It returns nil once everything in it is on Kafka or in the spool: only
// then may the source tell its peer that we have it. Where the broker holds too much unread it is refused, as a webhook is.
func (g *Ingress) Deliver(ctx context.Context, ch channel.Keyed, in channel.Inbound) (channel.Reply, error) {
	if g.gate.overfull() {
		g.metrics.received(ctx, resultOf(errBusy))
		return channel.Reply{}, errBusy
	}
	if in.At.IsZero() {
		in.At = g.Now()
	}
	if err := g.Adapter.Verify(ch, in); err != nil {
		g.metrics.received(ctx, forged)
		return channel.Reply{}, err
	}
	return g.accept(ctx, in, []channel.Keyed{ch}, nil, false)
}

// split cuts "/ch_1/deliveryNotification" into the channel's id and the provider's suffix.
func split(rest string) (id, suffix string) {
	rest = strings.TrimPrefix(rest, "/")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[:i], rest[i:]
	}
	return rest, ""
}
