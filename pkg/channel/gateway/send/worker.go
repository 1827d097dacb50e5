package send

import (
	"context"
	"crypto/rand"
	"log/slog"
	mrand "math/rand/v2"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/event"
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
	Adapter  channel.Guarded
	Source   string // of the events: the service's name
	Channels Channels
	Bus      bus.Producer
	DB       store.DB
	Facts    *store.Applier // must run
	Sender   Sender
	Files    *fileurl.URLs                                      // of what people get as a link
	Sessions Sessions                                           // nil for types without sessions
	Limiter  func(name string, r channel.Rate) (Limiter, error) // shared by replicas; nil: each process limits itself
	Now      func() time.Time
	Log      *slog.Logger
	Timing   Timing
}

// Timing bounds waits. Zero values mean the defaults.
type Timing struct {
	Backoff    time.Duration // after the first refusal; doubles; default 1 s
	MaxBackoff time.Duration // default 5 min
	Margin     time.Duration // how far clocks of replicas may differ: another's call is given up so long after its deadline; default 5 s
	Publish    time.Duration // for Kafka to acknowledge a result, before it is written into the row instead; default 5 s
	Breaker    time.Duration // how long a channel's breaker stays open; default 10 s
	Pause      time.Duration // between tries while our own store or broker is away; default 200 ms
	Upload     time.Duration // what a call with attachments may take longer; default 40 s
	Retire     time.Duration // how long an owner waits for the drainer's calls when it loses its partition; default 5 s
}

// Worker sends the messages of one channel type.
type Worker struct {
	Deps
	info    channel.Info
	rows    *store.Collection[Row]
	metrics *metrics

	mu     sync.Mutex
	scopes map[string]*scope // by channel
}

// New returns a worker; [Worker.Subscription] does the work.
func New(d Deps) *Worker {
	d.Timing.fill()
	info := d.Adapter.Info()
	return &Worker{
		Deps: d, info: info, rows: store.NewCollection[Row](d.DB, Spec(info.Type), store.Facts(d.Facts)),
		metrics: newMetrics(info.Type), scopes: map[string]*scope{},
	}
}

func (t *Timing) fill() {
	for _, f := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&t.Backoff, time.Second}, {&t.MaxBackoff, 5 * time.Minute}, {&t.Margin, 5 * time.Second}, {&t.Publish, 5 * time.Second},
		{&t.Breaker, 10 * time.Second}, {&t.Pause, 200 * time.Millisecond}, {&t.Retire, 5 * time.Second}, {&t.Upload, 40 * time.Second},
	} {
		if *f.v == 0 {
			*f.v = f.d
		}
	}
}

// Subscription is the worker's group on its topic.
func (w *Worker) Subscription() bus.Subscription {
	return bus.Subscription{
		Group: "tributary-" + string(w.info.Type) + "-outbound", Topics: []string{event.TopicOutbound(w.info.Type)},
		Assign: w.assign, Deadline: 5 * time.Minute,
	}
}

// budget is how long one part may be called: its deadline. Uploads before the send get extra time.
func (w *Worker) budget(r rendering) time.Duration {
	return r.rules.Send.CallTime(len(r.msg.Content.Attachments) > 0, callTime, w.Timing.Upload)
}

// longest is the longest budget that a message of any channel has.
func (w *Worker) longest() time.Duration {
	return w.info.LongestCall(callTime, w.Timing.Upload)
}

const callTime = 20 * time.Second // of one call, where the channel's rules do not say

// backoff is how long a row waits after its nth refusal, with jitter.
func (w *Worker) backoff(n int) time.Duration {
	d := min(w.Timing.Backoff<<min(max(n-1, 0), 20), w.Timing.MaxBackoff)
	return d*3/4 + mrand.N(d/2+1)
}

// repeatable reports whether a call of unknown outcome may be made again: the provider knows a repetition by its key, the action has the
// same effect twice as once, or the channel's owner prefers twice over perhaps never (policy on_unknown: retry).
func repeatable(r rendering, req channel.Request) bool {
	if sameTwice(r) {
		return true
	}
	return r.rules.Send.Idempotent && req.Key != "" || r.ch.Policy.OnUnknown == channel.RetryUnknown
}

// sameTwice reports whether what is called is an action that has the same effect twice as once.
func sameTwice(r rendering) bool {
	return r.msg.Action != nil && r.rules.Send.Actions[r.msg.Action.Kind].Repeatable
}

// token is what only this try of this process knows.
func token() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return event.Hash(string(b[:]))
}
