package send

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// TokenBlocks hands out parts of a limit that all replicas share: up to n of the limit's calls for one channel. It grants none
// and says how long to wait when the limit is used up. An error means that it cannot be asked: then each replica limits itself.
type TokenBlocks interface {
	Take(ctx context.Context, key string, limit channel.Rate, n int) (granted int, wait time.Duration, err error)
}

const (
	blockTime  = 200 * time.Millisecond // to ask for a block; a lane must not wait longer
	localFor   = 5 * time.Second        // after the cache was away, each replica limits itself for so long
	peersKept  = 10_000                 // recipients whose pace is remembered
	blockParts = 20                     // a block is this part of what the limit allows at once
)

// limits are the provider's documented rates for one channel: the channel's shared through Redis, the recipients' in memory, as
// all messages of a recipient pass one owner. It is used under its scope's lock.
type limits struct {
	worker *Worker
	id     string
	shared []block
	peers  []channel.Rate
	pace   map[string]*pace
}

// block is what is left of the tokens taken for one limit.
type block struct {
	limit channel.Rate
	left  int
	until time.Time // tokens are good until then; none can be had before, if left is 0
	local *rate.Limiter
	alone time.Time // the cache is not asked before
}

type pace struct {
	limiters []*rate.Limiter
	used     time.Time
}

func newLimits(w *Worker, id string) *limits {
	l := &limits{worker: w, id: id, pace: map[string]*pace{}}
	for _, r := range w.info.Send.Rates {
		if r.N <= 0 || r.Every <= 0 {
			continue
		}
		if r.Per == "peer" {
			l.peers = append(l.peers, r)
		} else {
			l.shared = append(l.shared, block{limit: r, local: limiter(r)})
		}
	}
	return l
}

func limiter(r channel.Rate) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(float64(r.N)/time.Duration(r.Every).Seconds()), max(1, r.Burst))
}

// take uses one token of every limit, or says how long there is none, and whether that is this recipient's.
func (l *limits) take(key string, now time.Time) (wait time.Duration, peer bool) {
	if len(l.peers) > 0 {
		if wait := l.peer(key, now); wait > 0 {
			return wait, true
		}
	}
	for i := range l.shared {
		if wait := l.channel(&l.shared[i], i, now); wait > 0 {
			return wait, false
		}
	}
	return 0, false
}

func (l *limits) peer(key string, now time.Time) time.Duration {
	p := l.pace[key]
	if p == nil {
		l.forget(now)
		p = &pace{}
		for _, r := range l.peers {
			p.limiters = append(p.limiters, limiter(r))
		}
		l.pace[key] = p
	}
	p.used = now
	return reserve(p.limiters, now)
}

// reserve takes one token of each, or none of any.
func reserve(all []*rate.Limiter, now time.Time) time.Duration {
	var wait time.Duration
	var got []*rate.Reservation
	for _, r := range all {
		res := r.ReserveN(now, 1)
		got = append(got, res)
		wait = max(wait, res.DelayFrom(now))
	}
	if wait > 0 {
		for _, r := range got {
			r.CancelAt(now)
		}
	}
	return wait
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

func (l *limits) channel(b *block, n int, now time.Time) time.Duration {
	if b.left > 0 && now.Before(b.until) {
		b.left--
		return 0
	}
	if l.worker.Tokens == nil || now.Before(b.alone) {
		return reserve([]*rate.Limiter{b.local}, now)
	}
	ctx, cancel := context.WithTimeout(context.Background(), blockTime)
	defer cancel()
	key := l.id + ":" + string(rune('0'+n))
	granted, wait, err := l.worker.Tokens.Take(ctx, key, b.limit, max(1, b.limit.N/blockParts))
	switch {
	case err != nil:
		b.alone = now.Add(localFor)
		return reserve([]*rate.Limiter{b.local}, now)
	case granted == 0:
		return max(wait, time.Millisecond)
	}
	b.left, b.until = granted-1, now.Add(time.Duration(b.limit.Every))
	return 0
}

// forPeer reports whether a provider's throttling concerns one recipient only.
func forPeer(fe *fault.Error) bool {
	return fe.Code == channel.CodePeerRateLimited
}
