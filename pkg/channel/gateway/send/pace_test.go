package send

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// single makes channels whose setting plan is "single" call one at a time, for two hours; others of the type call eight, for one hour.
func single(i *channel.Info) {
	i.Send.Concurrency = 8
	one := i.RuleSet
	one.Send.Concurrency, one.Send.Timeout = 1, channel.Duration(2*time.Hour)
	i.Variants = []channel.Variant{{When: map[string]string{"plan": "single"}, RuleSet: one}}
}

// onPlan configures a channel.
func (w *world) onPlan(id, plan string) {
	ch := w.channel(id)
	ch.Settings = maps.Clone(ch.Settings)
	ch.Settings["plan"] = plan
	w.channels.Put(ch)
}

// shortly is an answer that takes a while, so that calls that may be made at once are.
func shortly() gatewaytest.Answer {
	late := make(chan struct{})
	time.AfterFunc(3*time.Millisecond, func() { close(late) })
	return gatewaytest.Answer{Wait: late}
}

func TestAChannelCallsAsManyAtOnceAsItsOwnRulesAllow(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	var gated atomic.Bool
	var lanes sync.WaitGroup
	w := newWorld(t, func(gatewaytest.Sending, int) gatewaytest.Answer {
		if gated.Load() {
			return gatewaytest.Answer{Wait: gate}
		}
		return shortly()
	}, single)
	w.onPlan("ch_a", "single")
	for n := range 20 {
		w.post(text("ch_a", fmt.Sprint("p", n), fmt.Sprint("a", n), "x"))
	}
	p := w.start(0)
	w.settled()
	if n := w.provider.Most(); n != 1 {
		t.Errorf("%d calls at once on a channel that makes one", n)
	}
	gated.Store(true)
	w.onPlan("ch_a", "") // from the next message on
	for n := range 8 {
		w.post(text("ch_a", fmt.Sprint("q", n), fmt.Sprint("b", n), "x"))
		lanes.Go(func() {
			if err := p.handler()(context.Background(), w.records()[20+n]); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return w.provider.Most() == 8 })
	close(gate)
	lanes.Wait()
	w.settled()
	p.end()
	w.check()
}

// An owner that takes waiting rows over has rendered none of them: it finds out first what the channel may do.
func TestWhatWaitsAtATakeOverIsCalledByTheChannelsOwnRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(gatewaytest.Sending, int) gatewaytest.Answer { return shortly() }, single)
	w.onPlan("ch_a", "single")
	for n := range 8 {
		w.post(text("ch_a", fmt.Sprint("p", n), fmt.Sprint("a", n), "x"))
		w.plant(w.log[n], func(*Row) {})
	}
	w.commitTo(8)
	p := w.start(0)
	w.settled()
	p.end()
	if n := w.provider.Most(); n != 1 {
		t.Errorf("%d calls at once on a channel that makes one", n)
	}
	w.check()
}

func TestACallMayTakeAsLongAsTheChannelsOwnRulesAllow(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	w := newWorld(t, func(gatewaytest.Sending, int) gatewaytest.Answer { return gatewaytest.Answer{Wait: gate} }, single)
	w.onPlan("ch_a", "single")
	w.post(text("ch_a", "ann", "a0", "x"), text("ch_b", "ann", "b0", "x"))
	p := w.start(0)
	for id, want := range map[string]time.Duration{"a0": 2 * time.Hour, "b0": time.Hour} {
		var row *Row
		waitFor(t, func() bool { row = w.row(id, 0); return row != nil && row.State == Calling })
		if got := row.Deadline.Sub(row.UpdatedAt.Time); got != want {
			t.Errorf("%s may take %s, want %s", id, got, want)
		}
	}
	close(gate)
	w.settled()
	p.end()
}

// A recipient's tokens come back slowly, one in six seconds on WhatsApp: a call that is not made takes none, whatever stops it.
func TestOnlyACallTakesTheRecipientsToken(t *testing.T) {
	t.Parallel()
	shut := stop{}
	const tokens = 3
	w := newWorld(t, nil, func(i *channel.Info) {
		i.Send.Rates = []channel.Rate{
			{Per: "peer", N: 1, Every: channel.Duration(time.Hour), Burst: tokens},
			{Per: "channel", N: 1, Every: channel.Duration(time.Hour), Burst: 1},
		}
	})
	p := w.start(0, func(d *Deps) {
		d.Limiter = func(string, channel.Rate) (Limiter, error) { return &shut, nil }
		d.Timing.Breaker = time.Millisecond
	})
	defer p.end()
	s := p.worker.scopeOf("ch_a")
	stops := map[string]func(){
		"the channel's rate": func() {
			shut.Store(true)
			defer shut.Store(false)
			if _, no := s.enter("ann"); no.wait <= 0 || no.peer {
				t.Fatalf("refused with %+v", no)
			}
		},
		"nothing is left to call": func() {
			permit, _ := s.enter("ann")
			permit.release()
		},
		"the breaker's probe is under way": func() {
			for range tripAfter {
				permit, _ := s.enter("trips")
				if permit == nil { // its own tokens are used up
					permit, _ = s.enter("trips too")
				}
				permit.judge(provider.Verdict{Finding: provider.Refused, Err: fault.New(fault.Unavailable, "away", "away")})
			}
			var probe *permit
			waitFor(t, func() bool { probe, _ = s.enter("probe"); return probe != nil })
			if _, no := s.enter("ann"); no.wait != notYet {
				t.Fatalf("refused with %+v", no)
			}
			probe.judge(provider.Verdict{Finding: provider.Taken})
		},
	}
	for name, happens := range stops {
		for range 2 * tokens {
			happens()
			s.pace.Load().limits.peers[0].Reset("trips")
			s.pace.Load().limits.peers[0].Reset("trips too")
			s.pace.Load().limits.peers[0].Reset("probe")
		}
		if left := s.pace.Load().limits.peers[0].Left("ann"); left < tokens {
			t.Errorf("%s: %.3f of %d tokens are left", name, left, tokens)
		}
	}
	for n := range tokens + 1 {
		permit, no := s.enter("ann")
		if (permit != nil) != (n < tokens) || permit == nil && !no.peer {
			t.Errorf("call %d: permit %v, %+v", n, permit != nil, no)
		}
		permit.judge(provider.Verdict{Finding: provider.Taken})
	}
}

// stop is a limit that is reached as long as it says so.
type stop struct{ atomic.Bool }

func (s *stop) Take(context.Context) (bool, time.Duration) { return !s.Load(), time.Minute }
