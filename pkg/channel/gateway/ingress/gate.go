package ingress

import (
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// gate bounds the calls that proved their origin and are worked on at once, and the bytes of their bodies; what has not proved its
// origin yet has a budget of its own ([arrivals]). It closes while the in-process broker holds too much unread. What it turns away
// is answered 503.
type gate struct {
	limits  Limits
	backlog func(string) int64
	now     func() time.Time
	calls   atomic.Int64
	bytes   atomic.Int64 // of bodies of proved calls
	checked atomic.Int64 // unix ms of the last look at the backlog
	full    atomic.Bool
}

func newGate(l Limits, backlog func(string) int64, now func() time.Time) *gate {
	return &gate{limits: l, backlog: backlog, now: now}
}

// enter takes one of the places for calls, and room for the call's body.
func (g *gate) enter(size int) (leave func(), err error) {
	leave = func() {
		g.calls.Add(-1)
		g.bytes.Add(-int64(size))
	}
	calls, bytes := g.calls.Add(1), g.bytes.Add(int64(size))
	if calls > int64(g.limits.Calls) || bytes > g.limits.Bytes {
		leave()
		return nil, errBusy
	}
	return leave, nil
}

// overfull looks at the backlog at most four times a second.
func (g *gate) overfull() bool {
	if g.backlog == nil {
		return false
	}
	now := g.now().UnixMilli()
	last := g.checked.Load()
	passed := now - last // less than 0 if the clock was set back
	if (passed < 0 || passed >= 250) && g.checked.CompareAndSwap(last, now) {
		full := false
		for _, topic := range []string{event.TopicWebhooks, event.TopicInbound, event.TopicReceipts} {
			full = full || g.backlog(topic) > g.limits.Backlog
		}
		g.full.Store(full)
	}
	return g.full.Load()
}
