// Package send is the outbound worker of a channel service: it delivers the messages on tributary.outbound.<type>. Package dispatch
// makes the calls, each once and in the order of its conversation; this one says what they are and what their outcomes mean.
package send

import (
	"context"
	"log/slog"
	"time"

	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Channels finds configured channels; directory.Directory is one.
type Channels interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
}

// Sender makes the calls; provider.Caller is one.
type Sender interface {
	Send(ctx context.Context, ch channel.Keyed, msg event.Outbound, req channel.Request, a provider.About) provider.Verdict
}

// Sessions keeps the connections of channels on which sending and receiving share one; session.Host is one.
type Sessions interface {
	// Own says that a partition is ours until release is called.
	Own(partition int) (release func())
	// Ready reports whether a call for the channel can be made now: it needs no connection, or has it.
	Ready(ctx context.Context, id string) bool
	// Home returns the partition whose owner has the channel's connection; ok is false for a channel that has none.
	Home(ctx context.Context, ch channel.Channel) (partition int, ok bool, err error)
}

// Deps is what a Worker works with.
type Deps struct {
	Adapter   channel.Guarded
	Source    string // of the events: the service's name
	PublicURL string // without a slash at the end
	Channels  Channels
	Bus       bus.Producer
	DB        store.DB
	Facts     *store.Applier // must run
	Sender    Sender
	Files     *fileurl.URLs                                              // of what people get as a link
	Sessions  Sessions                                                   // nil for types without sessions
	Limiter   func(name string, r budget.Rate) (dispatch.Limiter, error) // shared by replicas; nil: each process limits itself
	Now       func() time.Time
	Log       *slog.Logger
	Timing    dispatch.Timing
	Upload    time.Duration // what a call with attachments may take longer; default 40 s
}

// Worker sends the messages of one channel type.
type Worker struct {
	Deps
	info   channel.Info
	rows   *store.Collection[Row]
	scopes *dispatch.Scopes // channels
	engine *dispatch.Engine[*Row]
}

const (
	callTime   = 20 * time.Second // of one call, where the channel's rules do not say
	uploadTime = 40 * time.Second
)

// New returns a worker; [Worker.Subscription] does the work.
func New(d Deps) *Worker {
	if d.Upload == 0 {
		d.Upload = uploadTime
	}
	info := d.Adapter.Info()
	w := &Worker{Deps: d, info: info, rows: store.NewCollection[Row](d.DB, Spec(info.Type), store.Facts(d.Facts))}
	w.scopes = dispatch.NewScopes(dispatch.ScopesDeps{
		Env:   dispatch.Env{Timing: d.Timing, Metrics: newMetrics(info.Type), Now: d.Now, Log: d.Log},
		First: limits(info.For(nil).Send), Known: w.known, Ready: w.ready, Limiter: d.Limiter,
	})
	deps := dispatch.Deps[*Row]{Kind: w, Rows: w.rows, Bus: d.Bus, Scopes: w.scopes, Longest: info.LongestCall(callTime, d.Upload)}
	if d.Sessions != nil {
		deps.Homes = homes{w}
	}
	w.engine = dispatch.New(deps)
	return w
}

// Subscription is the worker's group on its topic.
func (w *Worker) Subscription() bus.Subscription {
	return bus.Subscription{
		Group: "tributary-" + string(w.info.Type) + "-outbound", Topics: []string{event.TopicOutbound(w.info.Type)},
		Assign: w.assign, Deadline: 5 * time.Minute,
	}
}

// owner has one partition for one generation.
type owner struct {
	*Worker
	dispatch *dispatch.Owner[*Row]
}

// assign takes a partition over.
func (w *Worker) assign(ctx context.Context, a bus.Assignment) (bus.Handler, func(), error) {
	d, err := w.engine.Assign(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	o := &owner{Worker: w, dispatch: d}
	return o.handle, d.Release, nil
}

// handle is the lane: one record, in the order of its key.
func (o *owner) handle(ctx context.Context, m bus.Message) error {
	msg, err := event.Decode[event.Outbound](m.Event)
	if err != nil {
		return fault.New(fault.Invalid, "bad_json", "%v", err)
	}
	r, err := o.render(ctx, m.Event.Tenant, msg)
	if err != nil {
		return err
	}
	if gone, err := o.forward(ctx, m, r); gone || err != nil {
		return err
	}
	if m.Event.Type == event.SignalSend {
		o.signal(ctx, m, msg, r)
		return nil
	}
	if !sendable(m.Event.Type, msg) {
		return fault.New(fault.Invalid, "bad_record", "a record of type %s without attempt, or with an action that does not fit", m.Event.Type)
	}
	if msg.Resume != nil && len(msg.Resume.Skip) >= max(len(r.parts), 1) {
		return fault.New(fault.Invalid, "bad_record", "attempt %s leaves out every part", msg.AttemptID)
	}
	return o.dispatch.Run(ctx, m.Lane, m.Offset, o.task(r))
}

// sendable reports whether a record is a message, or an action on one: both have an attempt, rows and results.
func sendable(t event.Type, msg event.Outbound) bool {
	return msg.AttemptID != "" && (t == event.MessageSend && msg.Action == nil || t == event.ActionSend && msg.Action != nil)
}

// ready reports whether a call for the channel can be made now.
func (w *Worker) ready(ctx context.Context, id string) bool {
	return w.Sessions == nil || w.Sessions.Ready(ctx, id)
}

// known returns what the channel's own rules allow.
func (w *Worker) known(id string) (dispatch.Limits, bool) {
	ch, err := w.Channels.Channel(context.Background(), id)
	if err != nil {
		return dispatch.Limits{}, false
	}
	return limits(w.info.For(ch.Settings).Send), true
}

// limits are the places and rates of a channel's rules.
func limits(r channel.SendRules) dispatch.Limits {
	l := dispatch.Limits{Places: r.Concurrency}
	for _, r := range r.Rates {
		l.Rates = append(l.Rates, dispatch.Rate{Rate: budget.Rate{N: r.N, Per: time.Duration(r.Every), Burst: r.Burst}, Key: r.Per == "peer"})
	}
	return l
}
