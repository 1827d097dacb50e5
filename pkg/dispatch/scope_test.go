package dispatch

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// silent counts nothing.
type silent struct{}

func (silent) Settled(context.Context, State, string) {}
func (silent) Waited(context.Context)                 {}
func (silent) Throttled(context.Context)              {}
func (silent) Breaker(string, string)                 {}

func env(t Timing) Env {
	return Env{Timing: t, Metrics: silent{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

var (
	taken = Verdict{Finding: Taken}
	away  = Verdict{Finding: Deferred, Err: fault.New(fault.Unavailable, "away", "away")}
)

// stop is a limit that is reached as long as it says so.
type stop struct{ atomic.Bool }

func (s *stop) Take(context.Context) (bool, time.Duration) { return !s.Load(), time.Minute }

// A key's tokens can come back slowly, one in six seconds for a recipient on WhatsApp: a call that is not made takes none, whatever stops it.
func TestOnlyACallTakesTheKeysToken(t *testing.T) {
	t.Parallel()
	shut := stop{}
	const tokens = 3
	rate := func(burst int, key bool) Rate { return Rate{budget.Rate{N: 1, Per: time.Hour, Burst: burst}, key} }
	all := NewScopes(ScopesDeps{
		Env: env(Timing{Breaker: time.Millisecond}), First: Limits{Rates: []Rate{rate(tokens, true), rate(1, false)}},
		Limiter: func(string, budget.Rate) (Limiter, error) { return &shut, nil },
	})
	s := all.of("a")
	keys := func() *budget.Limits { return s.pace.Load().pacer.keys[0] }
	stops := map[string]func(){
		"the scope's rate": func() {
			shut.Store(true)
			defer shut.Store(false)
			if _, no := s.enter("ann"); no.wait <= 0 || no.key {
				t.Fatalf("refused with %+v", no)
			}
		},
		"nothing is left to call": func() { all.Enter("a", "ann").Release() },
		"the breaker's probe is under way": func() {
			for range TripAfter {
				keys().Reset("trips")
				all.Enter("a", "trips").Judge(away)
			}
			var probe *Permit
			waitFor(t, func() bool { probe, _ = s.enter("probe"); return probe != nil })
			if _, no := s.enter("ann"); no.wait != notYet {
				t.Fatalf("refused with %+v", no)
			}
			probe.Judge(taken)
		},
	}
	for name, happens := range stops {
		for range 2 * tokens {
			happens()
			keys().Reset("probe")
		}
		if left := keys().Left("ann"); left < tokens {
			t.Errorf("%s: %.3f of %d tokens are left", name, left, tokens)
		}
	}
	for n := range tokens + 1 {
		permit, no := s.enter("ann")
		if (permit != nil) != (n < tokens) || permit == nil && !no.key {
			t.Errorf("call %d: permit %v, %+v", n, permit != nil, no)
		}
		permit.Judge(taken)
	}
}

// A scope that was held is tried with one call at a time, also if it was asked to wait for longer than anybody may ask.
func TestP12_AHeldScopeIsTriedByOneCall(t *testing.T) {
	t.Parallel()
	all := NewScopes(ScopesDeps{Env: env(Timing{})})
	tooFast := fault.New(fault.Throttled, "rate_limited", "too fast")
	tooFast.After, tooFast.Scope = 1000*24*time.Hour, fault.ScopeChannel
	all.Enter("a", "ann").Judge(Verdict{Finding: Deferred, Err: tooFast})
	s := all.of("a")
	if left := s.held.left(time.Now()); left <= 0 || left > time.Hour {
		t.Errorf("held for %s, want an hour at most", left)
	}
	if all.Enter("a", "bob") != nil || all.Enter("b", "bob") == nil {
		t.Error("a held scope was called, or another one not")
	}
	s.held.until = time.Now() // the hour is over
	probe := all.Enter("a", "bob")
	for _, key := range []string{"ann", "bob", "cid"} {
		if all.Enter("a", key) != nil {
			t.Errorf("a call to %s beside the probe", key)
		}
	}
	probe.Judge(taken)
	if one, two := all.Enter("a", "ann"), all.Enter("a", "bob"); one == nil || two == nil {
		t.Error("the scope is still held after its probe was taken")
	}
}
