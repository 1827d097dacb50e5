package send

import (
	"context"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Limiter gives out tokens of one limit, or says how long there is none; cache.Limiter is one, shared by all replicas.
type Limiter interface {
	Take(ctx context.Context) (ok bool, wait time.Duration)
}

const (
	askTime   = 200 * time.Millisecond // for the limiter to ask others; a lane must not wait longer
	peersKept = 10_000                 // recipients whose pace is remembered
)

// limits are the provider's documented rates for one channel: the channel's own, shared by all replicas, and its recipients', in
// memory, as all messages of a recipient pass one owner. It is used under its scope's lock.
type limits struct {
	shared []Limiter
	peers  []channel.Rate
	pace   map[string]*pace
}

// pace is how fast one recipient was written to.
type pace struct {
	limiters []local
	used     time.Time
}

func newLimits(w *Worker, id string) *limits {
	l := &limits{pace: map[string]*pace{}}
	for n, r := range w.info.Send.Rates {
		switch {
		case r.N <= 0 || r.Every <= 0:
		case r.Per == "peer":
			l.peers = append(l.peers, r)
		default:
			l.shared = append(l.shared, w.limiter(id+":"+strconv.Itoa(n), r))
		}
	}
	return l
}

// limiter returns the shared limiter of a rate, or one of this process alone.
func (w *Worker) limiter(name string, r channel.Rate) Limiter {
	if w.Limiter != nil {
		if l, err := w.Limiter(name, r); err == nil {
			return l
		}
	}
	return newLocal(r)
}

// local is a limiter of this process.
type local struct{ *rate.Limiter }

func newLocal(r channel.Rate) local {
	return local{rate.NewLimiter(rate.Limit(float64(r.N)/time.Duration(r.Every).Seconds()), max(1, r.Burst))}
}

// Take implements Limiter.
func (l local) Take(context.Context) (bool, time.Duration) {
	wait := l.after(time.Now())
	return wait == 0, wait
}

// after takes a token, or returns how long there is none.
func (l local) after(now time.Time) time.Duration {
	res := l.ReserveN(now, 1)
	wait := res.DelayFrom(now)
	if wait > 0 {
		res.CancelAt(now)
	}
	return wait
}

// take uses one token of every limit, or says how long there is none, and whether that is this recipient's.
func (l *limits) take(key string, now time.Time) (wait time.Duration, peer bool) {
	if wait := l.peer(key, now); wait > 0 {
		return wait, true
	}
	for _, s := range l.shared {
		ctx, cancel := context.WithTimeout(context.Background(), askTime)
		ok, wait := s.Take(ctx)
		cancel()
		if !ok {
			return max(wait, time.Millisecond), false
		}
	}
	return 0, false
}

func (l *limits) peer(key string, now time.Time) time.Duration {
	if len(l.peers) == 0 {
		return 0
	}
	p := l.pace[key]
	if p == nil {
		l.forget(now)
		p = &pace{}
		for _, r := range l.peers {
			p.limiters = append(p.limiters, newLocal(r))
		}
		l.pace[key] = p
	}
	p.used = now
	for _, r := range p.limiters {
		if wait := r.after(now); wait > 0 {
			return wait
		}
	}
	return 0
}

// forget drops recipients that have not been written to for longer than any limit reaches.
func (l *limits) forget(now time.Time) {
	if len(l.pace) < peersKept {
		return
	}
	reach := time.Minute
	for _, r := range l.peers {
		reach = max(reach, time.Duration(r.Every)*time.Duration(max(1, r.Burst)))
	}
	for k, p := range l.pace {
		if now.Sub(p.used) > reach {
			delete(l.pace, k)
		}
	}
}

// forPeer reports whether a provider's throttling concerns one recipient only.
func forPeer(fe *fault.Error) bool { return fe.Code == channel.CodePeerRateLimited }
