package directory

import (
	"context"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// askedEvery is how often whatever lasts is asked again without a change that was heard of: more often than every 30 s.
const askedEvery = 25 * time.Second

// Ask finds out whether what was allowed at a start still is, and when that ends by itself; zero: no such time is known.
type Ask func(ctx context.Context) (until time.Time, err error)

// Hold lets something last (a stream, a socket, a long poll, a transfer, a job) only as long as it is allowed: ask is called at
// once, after every change of an entity with one of the ids, when the time that it told has come, and at least every 30 s. An error
// ends the returned context with that error as its cause, also one that only says that it cannot be found out. end ends the hold.
func (d *Directory) Hold(ctx context.Context, ask Ask, ids ...string) (held context.Context, end context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	h := &hold{ctx: ctx, ask: ask, cancel: cancel, now: d.now}
	d.holds.add(h, ids)
	h.mu.Lock()
	h.timer = time.AfterFunc(0, h.again)
	h.mu.Unlock()
	return ctx, func() {
		cancel(context.Canceled)
		d.holds.remove(h, ids)
		h.timer.Stop()
	}
}

type hold struct {
	ctx    context.Context
	ask    Ask
	cancel context.CancelCauseFunc
	now    func() time.Time

	mu    sync.Mutex // held while it is asked
	timer *time.Timer
}

// again asks, and says when to ask next.
func (h *hold) again() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return
	}
	until, err := h.ask(h.ctx)
	if err != nil {
		h.cancel(err)
		return
	}
	next := askedEvery
	if !until.IsZero() {
		next = max(0, min(next, until.Sub(h.now())))
	}
	h.timer.Reset(next)
}

// holds are what lasts just now, by the ids that it depends on.
type holds struct {
	mu   sync.Mutex
	byID map[string]map[*hold]struct{}
}

func (hs *holds) add(h *hold, ids []string) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	for _, id := range ids {
		if hs.byID[id] == nil {
			hs.byID[id] = map[*hold]struct{}{}
		}
		hs.byID[id][h] = struct{}{}
	}
}

func (hs *holds) remove(h *hold, ids []string) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	for _, id := range ids {
		delete(hs.byID[id], h)
		if len(hs.byID[id]) == 0 {
			delete(hs.byID, id)
		}
	}
}

// changed has everything asked that depends on the entity. A timer that fires is asked by a goroutine of its own, so this returns
// at once.
func (hs *holds) changed(c event.Config) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	for h := range hs.byID[c.ID] {
		time.AfterFunc(0, h.again)
	}
}
