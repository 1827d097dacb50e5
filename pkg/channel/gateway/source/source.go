// Package source runs what brings in messages that no provider posts to us: mailboxes, SMPP sessions, long polling. A source runs
// under a lease per channel, so replicas share the channels among them, and says in a document whether it works.
package source

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Deliver takes one payload. nil means that everything in it is safe: only then may the source tell its peer so.
type Deliver func(ctx context.Context, ch channel.Keyed, in channel.Inbound) (channel.Reply, error)

// Source fetches for one kind of channel.
type Source interface {
	// Wants reports whether a channel needs this source.
	Wants(ch channel.Channel) bool
	// Run fetches for ch until ctx ends: the lease is lost, the channel has changed, or the process stops; it must have let go of the
	// provider within a third of lease.TTL then. An error, or an early end, lets it begin again after a pause that grows: from the
	// longest on where the provider denied the credentials. Payloads come with Inbound.Pulled set, if the session was authenticated.
	Run(ctx context.Context, ch channel.Keyed, l Link) error
}

// Link is what a source works with.
type Link struct {
	Deliver Deliver
	Up      func() // to be called once the provider has accepted us: the channel is shown as connected
	Fence   int64  // larger with every run of the source of this channel
}

// Channels lists the enabled channels of a type; directory.Directory is one.
type Channels interface {
	Of(ctx context.Context, t event.ChannelType) ([]channel.Keyed, error)
}

// Deps is what a Runner works with.
type Deps struct {
	Type     event.ChannelType
	Sources  []Source
	Channels Channels
	Watch    func(func(event.Config)) // calls back for every change of configuration; may be nil
	DB       store.DB
	Deliver  Deliver
	Now      func() time.Time
	Log      *slog.Logger
	Look     time.Duration // between looks for channels; default 5 s
	Free     time.Duration // between looks whether a lease became free; default Look
	Pause    time.Duration // after a source has failed; doubles up to 32 times; default 1 s
}

// Runner runs the sources of a channel type.
type Runner struct {
	Deps
	leases *lease.Leases
	states *store.Collection[directory.Connection]
	wake   chan struct{}
	busy   sync.WaitGroup

	mu      sync.Mutex
	running map[string]*job // by channel and source
}

// job is one source at work for one version of a channel.
type job struct {
	version int64
	stop    context.CancelFunc
}

// New returns a runner; without sources it does nothing. It needs the collections [lease.Spec] and [directory.Connections].
func New(d Deps) *Runner {
	if d.Look == 0 {
		d.Look = 5 * time.Second
	}
	if d.Free == 0 {
		d.Free = d.Look
	}
	if d.Pause == 0 {
		d.Pause = time.Second
	}
	r := &Runner{Deps: d, leases: lease.New(d.DB, d.Now), states: store.NewCollection[directory.Connection](d.DB, directory.Connections), wake: make(chan struct{}, 1), running: map[string]*job{}}
	if d.Watch != nil && len(d.Sources) > 0 {
		d.Watch(func(c event.Config) {
			if c.Entity == "channel" {
				r.Wake()
			}
		})
	}
	return r
}

// Wake lets the runner look for channels at once.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run keeps a job for every channel that wants a source, until ctx ends and all have stopped.
func (r *Runner) Run(ctx context.Context) error {
	if len(r.Sources) == 0 {
		<-ctx.Done()
		return nil
	}
	defer r.busy.Wait()
	tick := time.NewTicker(r.Look)
	defer tick.Stop()
	for {
		chs, err := r.Channels.Of(ctx, r.Type)
		switch {
		case err == nil:
			r.reconcile(ctx, chs)
		case ctx.Err() == nil:
			r.Log.WarnContext(ctx, "sources: channels not read", "type", r.Type, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-r.wake:
		}
	}
}

// reconcile stops the jobs of channels that changed or are gone, and begins what is missing.
func (r *Runner) reconcile(ctx context.Context, chs []channel.Keyed) {
	wanted := map[string]func(context.Context){}
	versions := map[string]int64{}
	for _, ch := range chs {
		for n, s := range r.Sources {
			if s.Wants(ch.Channel) {
				name := "source " + ch.ID + " " + string(rune('0'+n))
				wanted[name] = func(ctx context.Context) { r.work(ctx, name, s, ch) }
				versions[name] = ch.Version
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, j := range r.running {
		if v, ok := versions[name]; !ok || v != j.version {
			j.stop()
			delete(r.running, name)
		}
	}
	for name, work := range wanted {
		if r.running[name] == nil {
			jctx, stop := context.WithCancel(ctx)
			r.running[name] = &job{version: versions[name], stop: stop}
			r.busy.Go(func() { defer stop(); work(jctx) })
		}
	}
}

// work runs a source whenever the lease can be had.
func (r *Runner) work(ctx context.Context, name string, s Source, ch channel.Keyed) {
	state := r.state(ch)
	tries := 0
	for ctx.Err() == nil {
		var ran time.Duration
		held, err := r.leases.Try(ctx, name, func(ctx context.Context, fence int64) error {
			begun := r.Now()
			err := s.Run(ctx, ch, Link{Deliver: r.Deliver, Up: func() { state.up(ctx) }, Fence: fence})
			ran = r.Now().Sub(begun)
			return err
		})
		if ctx.Err() != nil {
			state.rest()
			return
		}
		wait := r.Free
		if held || err != nil {
			if ran > time.Minute {
				tries = 0
			}
			wait = r.pause(tries, err)
			tries++
			state.down(ctx, err, tries, wait)
		} else {
			state.rest()
		}
		due.Sleep(ctx, wait*3/4+rand.N(wait/2+1))
	}
}

// most is how often the pause doubles.
const most = 5

// pause is how long a source rests after it has ended for so many times: at least as long as its error says, and longest where the
// provider denied us, which is not mended by asking again.
func (r *Runner) pause(tries int, err error) time.Duration {
	if fault.Is(err, fault.Denied) {
		tries = most
	}
	wait := r.Pause << min(tries, most)
	if err != nil {
		wait = max(wait, min(fault.Of(err).After, due.Longest))
	}
	return wait
}
