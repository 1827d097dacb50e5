// Package source runs what brings in messages that no provider posts to us: mailboxes, SMPP sessions, long polling. A source runs
// under a lease per channel, so replicas share the channels among them.
package source

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Deliver takes one payload. nil means that everything in it is safe: only then may the source tell its peer so.
type Deliver func(ctx context.Context, ch channel.Keyed, in channel.Inbound) (channel.Reply, error)

// Source fetches for one kind of channel.
type Source interface {
	// Wants reports whether a channel needs this source.
	Wants(ch channel.Channel) bool
	// Run fetches for ch until ctx ends: the lease is lost, the channel has changed, or the process stops. An error, or an early
	// end, lets it begin again after a pause that grows. Payloads come with Inbound.Pulled set, if the session was authenticated.
	Run(ctx context.Context, ch channel.Keyed, deliver Deliver) error
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
	Look     time.Duration // between looks for channels, and for leases that became free; default 5 s
	Pause    time.Duration // after a source has failed; doubles up to 32 times; default 1 s
}

// Runner runs the sources of a channel type.
type Runner struct {
	Deps
	leases *lease.Leases
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

// New returns a runner; without sources it does nothing. It needs the collection [lease.Spec].
func New(d Deps) *Runner {
	if d.Look == 0 {
		d.Look = 5 * time.Second
	}
	if d.Pause == 0 {
		d.Pause = time.Second
	}
	r := &Runner{Deps: d, leases: lease.New(d.DB, d.Now), wake: make(chan struct{}, 1), running: map[string]*job{}}
	if d.Watch != nil && len(d.Sources) > 0 {
		d.Watch(func(c event.Config) {
			if c.Entity == "channel" {
				r.look()
			}
		})
	}
	return r
}

func (r *Runner) look() {
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
	pause := r.Pause
	for ctx.Err() == nil {
		var ran time.Duration
		held, err := r.leases.Try(ctx, name, func(ctx context.Context, _ int64) error {
			begun := r.Now()
			err := s.Run(ctx, ch, r.Deliver)
			ran = r.Now().Sub(begun)
			return err
		})
		if ctx.Err() != nil {
			return
		}
		wait := r.Look
		if held || err != nil {
			if ran > time.Minute {
				pause = r.Pause
			}
			wait, pause = pause, min(2*pause, 32*r.Pause)
			if err != nil && !errors.Is(err, context.Canceled) {
				r.Log.WarnContext(ctx, "source stopped, it will begin again", "channel", ch.ID, "error", err, "pause", wait)
			}
		}
		t := time.NewTimer(wait*3/4 + rand.N(wait/2+1))
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}
