package ingress

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// gate bounds what is worked on at once: calls that proved their origin, and bytes of bodies that have really arrived. It closes
// while the in-process broker holds too much unread. Whoever it turns away is told to come again (503).
type gate struct {
	limits  Limits
	backlog func(string) int64
	now     func() time.Time
	calls   atomic.Int64
	bytes   atomic.Int64
	checked atomic.Int64 // unix ms of the last look at the backlog
	full    atomic.Bool
}

func newGate(l Limits, backlog func(string) int64, now func() time.Time) *gate {
	return &gate{limits: l, backlog: backlog, now: now}
}

// enter takes one of the places for calls.
func (g *gate) enter() (leave func(), err error) {
	if g.calls.Add(1) > int64(g.limits.Calls) {
		g.leave()
		return nil, errBusy
	}
	return g.leave, nil
}

func (g *gate) leave() { g.calls.Add(-1) }

// overfull looks at the backlog at most four times a second.
func (g *gate) overfull() bool {
	if g.backlog == nil {
		return false
	}
	now := g.now().UnixMilli()
	last := g.checked.Load()
	if now-last >= 250 && g.checked.CompareAndSwap(last, now) {
		full := false
		for _, topic := range []string{event.TopicWebhooks, event.TopicInbound, event.TopicReceipts} {
			full = full || g.backlog(topic) > g.limits.Backlog
		}
		g.full.Store(full)
	}
	return g.full.Load()
}

// readAll reads a body, counting its bytes as they come. What was counted is to be given back with release, also after an
// error. A body of honest announced size up to 64 KiB costs one allocation; a larger one grows with what really arrives.
func (g *gate) readAll(r io.Reader, announced int64) (body []byte, err error) {
	size := min(announced, 64<<10)
	if size <= 0 {
		size = 4 << 10
	}
	b := make([]byte, 0, size+1) // one more, so that the end is seen without growing
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if g.bytes.Add(int64(n)) > g.limits.Bytes {
			return b, errBusy
		}
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

func (g *gate) release(body []byte) { g.bytes.Add(-int64(len(body))) }
