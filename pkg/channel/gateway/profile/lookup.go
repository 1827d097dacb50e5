package profile

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// maxTries is how often somebody is asked for before their next event has to ask again.
const maxTries = 3

// pace is what the provider thinks of a channel's look-ups. Only who serves the channel's line touches it.
type pace struct {
	limits   limiter
	failures int       // in a row
	version  int64     // of the channel whose credentials were refused
	until    time.Time // by then they may be tried again
}

// limiter gives out tokens of the channel's budget; cache.Limiter is one, shared by all replicas.
type limiter interface {
	Take(ctx context.Context) (ok bool, wait time.Duration)
}

// local is the budget of this process alone.
type local struct{ *budget.Limits }

func (l local) Take(context.Context) (bool, time.Duration) {
	wait := l.Reserve("", 1)
	return wait == 0, wait
}

func (w *Worker) paceOf(channelID string) *pace {
	if p, ok := w.paces.Get(channelID); ok {
		return p
	}
	p := &pace{limits: w.limiter(channelID)}
	w.paces.Add(channelID, p)
	return p
}

func (w *Worker) limiter(channelID string) limiter {
	r := w.info.Inbound.Profiles
	if w.Cache != nil {
		if l, err := w.Cache.Limiter("profiles:"+channelID, cache.Rate{Limit: r.N, Per: time.Duration(r.Every)}); err == nil {
			return l
		}
	}
	return local{budget.NewOf(1, budget.Rate{N: r.N, Per: time.Duration(r.Every), Burst: max(1, r.Burst)}, w.Now)}
}

// serve looks up the people of a line, one after the other, until it is empty or ctx ends. A provider that is away, or wants fewer
// calls, holds up its own channel's line alone.
func (w *Worker) serve(ctx context.Context, channelID string, l *line) {
	pace := w.paceOf(channelID)
	for ctx.Err() == nil {
		p, ok := w.next(channelID, l)
		if !ok {
			return
		}
		if again, wait := w.look(ctx, pace, &p); again {
			w.again(l, p)
			due.Sleep(ctx, wait)
		}
	}
}

// look looks one person up. It reports whether that is to be done again, and after which time.
func (w *Worker) look(ctx context.Context, pace *pace, p *person) (again bool, wait time.Duration) {
	ch, err := w.Channels.Channel(ctx, p.channelID)
	switch {
	case fault.Is(err, fault.Gone), err == nil && (ch.Tenant != p.tenant || !ch.Enabled):
		w.forget(*p)
		return false, 0
	case err != nil:
		return w.failed(pace, p, err)
	case ch.Version == pace.version && w.Now().Before(pace.until):
		w.metrics.count(refused)
		w.forget(*p)
		return false, 0
	}
	if !w.spend(ctx, pace) {
		return false, 0 // the process stops
	}
	defer func() { <-w.places }()
	release, mine := w.claim(ctx, *p)
	if !mine {
		w.metrics.count(elsewhere)
		return false, 0
	}
	defer release()
	profile, err := w.ask(ctx, ch, p.who)
	if err == nil {
		err = w.say(ctx, *p, profile)
	}
	if ctx.Err() != nil {
		return false, 0
	}
	return w.settle(ctx, pace, p, ch, err)
}

// spend takes one call of the channel's budget, and a place in the process. It reports false if ctx ended before.
func (w *Worker) spend(ctx context.Context, pace *pace) bool {
	for {
		ok, wait := pace.limits.Take(ctx)
		if ok {
			break
		}
		if !due.Sleep(ctx, max(wait, time.Millisecond)) {
			return false
		}
	}
	select {
	case w.places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *Worker) ask(ctx context.Context, ch channel.Keyed, who channel.Who) (p event.Profile, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.Timing.Call)
	defer cancel()
	req, ok := w.Adapter.Profiler.ProfileRequest(ch.Channel, who)
	if !ok {
		return p, fault.New(fault.Gone, "not_asked", "the provider tells nothing about them")
	}
	err = w.Caller.Ask(ctx, ch, req, func(resp channel.Response) error {
		var err error
		p, err = w.Adapter.Profiler.ParseProfile(ch.Channel, who, resp)
		return err
	})
	return p, err
}

// settle decides by what became of a look-up whether, and when, it is done again.
func (w *Worker) settle(ctx context.Context, pace *pace, p *person, ch channel.Keyed, err error) (again bool, wait time.Duration) {
	switch fault.KindOf(err) {
	case fault.Gone, fault.Invalid:
		pace.failures = 0
		w.remember(ctx, *p, absent, w.Timing.Absent)
		return false, 0
	case fault.Denied:
		w.Log.WarnContext(ctx, "the provider refuses look-ups of people; they rest until the channel changes", "channel", ch.ID, "error", err)
		pace.version, pace.until = ch.Version, w.Now().Add(w.Timing.Refused)
		w.metrics.count(refused)
		w.forget(*p)
		return false, 0
	case fault.Throttled:
		w.metrics.count(throttled)
		pace.failures++
		return true, min(max(fault.Of(err).After, w.backoff(pace)), w.Timing.MaxBackoff)
	}
	if err != nil {
		return w.failed(pace, p, err)
	}
	pace.failures = 0
	w.remember(ctx, *p, found, w.Timing.Found)
	return false, 0
}

// failed puts a look-up off, or leaves it to the person's next event.
func (w *Worker) failed(pace *pace, p *person, err error) (again bool, wait time.Duration) {
	w.metrics.count(failed)
	pace.failures++
	if p.tries++; p.tries >= maxTries {
		w.Log.Debug("a look-up is given up", "channel", p.channelID, "error", err)
		w.forget(*p)
		return false, 0
	}
	return true, w.backoff(pace)
}

func (w *Worker) backoff(pace *pace) time.Duration {
	d := min(w.Timing.Backoff<<min(max(pace.failures-1, 0), 20), w.Timing.MaxBackoff)
	return d*3/4 + rand.N(d/4+1)
}
