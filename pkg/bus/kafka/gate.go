package kafka

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	gateMin = 50 * time.Millisecond
	gateMax = 5 * time.Second
)

// gate stops a partition while our own store or broker is away. Shut, it lets one caller at a time try again, after a pause that
// doubles with every failure; the first that succeeds opens it for all.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // nil while the gate is open; closed when it opens again
	pause  time.Duration
	turn   chan struct{} // held by who tries
	report func(shut bool)
}

func newGate(report func(shut bool)) *gate {
	return &gate{turn: make(chan struct{}, 1), report: report}
}

func (g *gate) state() (opened <-chan struct{}, pause time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened, g.pause
}

func (g *gate) shut() bool {
	ch, _ := g.state()
	return ch != nil
}

// wait returns when the gate is open; false means that ctx ended first.
func (g *gate) wait(ctx context.Context) bool {
	ch, _ := g.state()
	if ch == nil {
		return ctx.Err() == nil
	}
	select {
	case <-ch:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// enter returns when the caller may try. ok is false if ctx ended first; else the caller must leave with the same probe.
func (g *gate) enter(ctx context.Context) (probe, ok bool) {
	for ctx.Err() == nil {
		ch, pause := g.state()
		if ch == nil {
			return false, true
		}
		select {
		case <-ch:
		case <-ctx.Done():
		case g.turn <- struct{}{}:
			if !sleep(ctx, ch, jitter(pause)) {
				return true, true
			}
			<-g.turn // opened meanwhile, or ctx ended
		}
	}
	return false, false
}

// leave tells how it went.
func (g *gate) leave(probe, away bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case away && g.opened == nil:
		g.opened, g.pause = make(chan struct{}), gateMin
		g.report(true)
	case away && probe:
		g.pause = min(2*g.pause, gateMax)
	case !away && probe && g.opened != nil:
		close(g.opened)
		g.opened = nil
		g.report(false)
	}
	if probe {
		<-g.turn
	}
}

// end reports a shut gate open, because nobody waits for it any more.
func (g *gate) end() {
	if g.shut() {
		g.report(false)
	}
}

// sleep waits for d; true means that ctx or early ended it sooner.
func sleep(ctx context.Context, early <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return false
	case <-early:
	case <-ctx.Done():
	}
	return true
}

// jitter spreads d over [d/2, d).
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
