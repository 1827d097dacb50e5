package send

import (
	"context"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/channel"
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
// memory, as all messages of a recipient pass one owner.
type limits struct {
	rates  []channel.Rate
	shared []Limiter
	peers  []*budget.Limits
}

func newLimits(w *Worker, id string, rates []channel.Rate) *limits {
	l := &limits{rates: rates}
	for n, r := range rates {
		switch {
		case r.N <= 0 || r.Every <= 0:
		case r.Per == "peer":
			l.peers = append(l.peers, budget.NewOf(peersKept, rateOf(r), w.Now))
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
type local struct{ *budget.Limits }

func newLocal(r channel.Rate) local {
	return local{budget.NewOf(1, rateOf(r), time.Now)}
}

func rateOf(r channel.Rate) budget.Rate {
	return budget.Rate{N: r.N, Per: time.Duration(r.Every), Burst: max(1, r.Burst)}
}

// Take implements Limiter.
func (l local) Take(context.Context) (bool, time.Duration) {
	wait := l.Reserve("", 1)
	return wait == 0, wait
}

// take uses one token of every limit, or none, and says how long there is none and whether that is this recipient's. back returns the
// recipient's tokens, which may be few for a long time; the channel's are shared, and lost if they are not used.
func (l *limits) take(key string) (back func(), no refusal) {
	var held []func()
	back = func() {
		for _, b := range held {
			b()
		}
	}
	for _, p := range l.peers {
		b, wait := p.Hold(key, 1)
		if wait > 0 {
			back()
			return nil, refusal{wait: wait, peer: true}
		}
		held = append(held, b)
	}
	for _, s := range l.shared {
		ctx, cancel := context.WithTimeout(context.Background(), askTime)
		ok, wait := s.Take(ctx)
		cancel()
		if !ok {
			back()
			return nil, refusal{wait: max(wait, time.Millisecond)}
		}
	}
	return back, refusal{}
}
