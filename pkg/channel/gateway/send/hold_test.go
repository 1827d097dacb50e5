package send

import (
	"fmt"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestALimitHoldsWhatItsScopeNames(t *testing.T) {
	t.Parallel()
	now := time.Now()
	type refusal struct {
		key   string
		scope fault.Scope
		after time.Duration // since the beginning
	}
	const span = time.Minute // of every refusal
	for name, c := range map[string]struct {
		refusals []refusal
		held     bool
	}{
		"a recipient's":                       {[]refusal{{"ann", fault.ScopePeer, 0}, {"bob", fault.ScopePeer, 0}}, false},
		"the channel's":                       {[]refusal{{"ann", fault.ScopeChannel, 0}}, true},
		"the account's":                       {[]refusal{{"ann", fault.ScopeAccount, 0}}, true},
		"unknown, one recipient":              {[]refusal{{"ann", "", 0}}, false},
		"unknown, one recipient again":        {[]refusal{{"ann", "", 0}, {"ann", "", time.Second}}, false},
		"unknown, two recipients":             {[]refusal{{"ann", "", 0}, {"bob", "", time.Second}}, true},
		"unknown, another when it is over":    {[]refusal{{"ann", "", 0}, {"bob", "", span}}, false},
		"unknown, and another's known as own": {[]refusal{{"ann", "", 0}, {"bob", fault.ScopePeer, time.Second}}, false},
	} {
		var h hold
		for _, r := range c.refusals {
			at := now.Add(r.after)
			h.refuse(r.key, r.scope, at.Add(span), at)
		}
		last := now.Add(c.refusals[len(c.refusals)-1].after)
		if held := h.left(last) > 0; held != c.held || held != h.probe {
			t.Errorf("%s: held %v for %s, probe %v", name, held, h.left(last), h.probe)
		}
	}
}

// A channel that was held is tried with one call at a time, also if the provider asked for longer than it may.
func TestP12_AHeldChannelIsTriedByOneCall(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	w := newWorld(t, func(s gatewaytest.Sending, call int) gatewaytest.Answer {
		switch {
		case s.ID == "a0/0" && call == 1:
			return gatewaytest.Answer{Status: 429, After: "86400000", Scope: fault.ScopeChannel} // 1,000 days
		case s.ID == "a1/0":
			return gatewaytest.Answer{Wait: release}
		}
		return gatewaytest.Answer{}
	}, func(i *channel.Info) { i.Send.Concurrency = 8 })
	w.post(text("ch_a", "p0", "a0", "x"))
	p := w.start(0)
	waitFor(t, func() bool { r := w.row("a0", 0); return r != nil && r.State == Waiting })
	scope := p.worker.scopeOf("ch_a")
	scope.mu.Lock()
	if left := scope.held.left(time.Now()); left <= 0 || left > time.Hour {
		t.Errorf("held for %s, want an hour at most", left)
	}
	scope.held.until = time.Now() // the hour is over
	scope.mu.Unlock()
	for n := 1; n < 6; n++ {
		w.post(text("ch_a", fmt.Sprint("p", n), fmt.Sprint("a", n), "x"))
		rec := w.records()[n]
		go func() { _ = p.handler()(t.Context(), rec) }()
		waitFor(t, func() bool { return w.provider.Calls("a1/0") == 1 }) // it is the probe
	}
	waitFor(t, func() bool { r := w.row("a5", 0); return r != nil && r.State == Waiting })
	for n := 2; n < 6; n++ {
		if calls := w.provider.Calls(fmt.Sprint("a", n, "/0")); calls != 0 {
			t.Errorf("%d calls to p%d before the probe's end", calls, n)
		}
	}
	close(release)
	waitFor(t, func() bool { return len(w.results()) == 5 }) // the timer of the first runs for an hour of this machine
	p.end()
}
