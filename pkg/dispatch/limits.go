package dispatch

import (
	"context"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/budget"
)

// Limits are what a scope may do: so many calls at once, and its rates.
type Limits struct {
	Places int // calls at once; default 8
	Rates  []Rate
}

// Rate is a documented rate of the other side: of the scope, or of each key for itself. A rate of nothing is none.
type Rate struct {
	budget.Rate
	Key bool
}

// Limiter gives out tokens of one limit, or says how long there is none; cache.Limiter is one, shared by all replicas.
type Limiter interface {
	Take(ctx context.Context) (ok bool, wait time.Duration)
}

const (
	askTime  = 200 * time.Millisecond // for the limiter to ask others; a lane must not wait longer
	keysKept = 10_000                 // keys whose pace is remembered
)

// pacer holds the rates of one scope: the scope's own, shared by all replicas, and its keys', in memory, as all calls of a key pass one
// owner.
type pacer struct {
	rates  []Rate
	shared []Limiter
	keys   []*budget.Limits
}

func (s *Scopes) newPacer(id string, rates []Rate) *pacer {
	p := &pacer{rates: rates}
	for n, r := range rates {
		r.Burst = max(1, r.Burst)
		switch {
		case r.N <= 0 || r.Per <= 0:
		case r.Key:
			p.keys = append(p.keys, budget.NewOf(keysKept, r.Rate, s.Now))
		default:
			p.shared = append(p.shared, s.limiter(id+":"+strconv.Itoa(n), r.Rate))
		}
	}
	return p
}

// limiter returns the shared limiter of a rate, or one of this process alone.
func (s *Scopes) limiter(name string, r budget.Rate) Limiter {
	if s.Limiter != nil {
		if l, err := s.Limiter(name, r); err == nil {
			return l
		}
	}
	return local{budget.NewOf(1, r, time.Now)}
}

// local is a limiter of this process.
type local struct{ *budget.Limits }

// Take implements Limiter.
func (l local) Take(context.Context) (bool, time.Duration) {
	wait := l.Reserve("", 1)
	return wait == 0, wait
}

// take uses one token of every limit, or none, and says how long there is none and whether that is the key's. back returns the
// key's tokens, which may be few for a long time; the scope's are shared, and lost if they are not used.
func (p *pacer) take(key string) (back func(), no refusal) {
	var held []func()
	back = func() {
		for _, b := range held {
			b()
		}
	}
	for _, k := range p.keys {
		b, wait := k.Hold(key, 1)
		if wait > 0 {
			back()
			return nil, refusal{wait: wait, key: true}
		}
		held = append(held, b)
	}
	for _, s := range p.shared {
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
