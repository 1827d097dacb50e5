package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/proof"
)

// concurrency is how many calls a WhatsApp channel makes at once (whatsapp.Adapter.Info).
const concurrency = 16

// TestP7_P12_P13_KilledWithSixteenSendsInFlight kills the process while the provider holds as many calls as the channel makes at
// once, and more are waiting. Afterwards nothing is queued for ever, nothing went out twice, and the channel makes exactly as
// many calls at once as before: what the dead process had open is not counted any more.
func TestP7_P12_P13_KilledWithSixteenSendsInFlight(t *testing.T) {
	t.Parallel()
	done := work()
	p := newProvider(t)
	s := newScene(t, false)
	s.begin()
	s.furnish(p)
	a := s.at(p.open(t, 0))
	l := newLoad(s.test, a, 24, 1)
	a.set(func(a *account) { a.delay = 3 * time.Second })
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Second)
	defer cancel()
	loaded := make(chan struct{})
	go func() { l.run(ctx); close(loaded) }()
	atOnce := func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.inFlight == concurrency }
	s.eventually("sixteen sends are in flight", atOnce)
	<-loaded // all 24 are acknowledged: 16 in flight, 8 wait
	before, after := 0, 0
	a.set(func(a *account) { before = a.most })
	s.kill()
	a.set(func(a *account) { a.delay = 0 })
	s.begin()
	done()
	f := l.settle(80*time.Second, concurrency)
	l.nothingLeft()

	b := s.at(p.open(t, 0))
	second := newLoad(s.test, b, 24, 1)
	b.set(func(a *account) { a.delay = time.Second })
	second.run(ctx)
	g := second.settle(60*time.Second, 0)
	b.set(func(a *account) { after = a.most })
	if before != concurrency || after != concurrency {
		t.Errorf("the channel made %d calls at once before the kill and %d after it, want %d", before, after, concurrency)
	}
	t.Logf("after the kill: %s; a second burst: %s, %d at once", fates(f.fates), fates(g.fates), after)
	both := l.figures(f, 1)
	more := second.figures(g, 0)
	proof.Report(t, proof.Figures{Events: both.Events + more.Events, Faults: 1, Lost: both.Lost + more.Lost, Doubled: both.Doubled + more.Doubled})
}
