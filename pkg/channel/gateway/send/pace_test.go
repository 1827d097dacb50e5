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
	"github.com/tributaryhq/tributary/pkg/dispatch"
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
		waitFor(t, func() bool { row = w.row(id, 0); return row != nil && row.State == dispatch.Calling })
		if got := row.Deadline.Sub(row.UpdatedAt.Time); got != want {
			t.Errorf("%s may take %s, want %s", id, got, want)
		}
	}
	close(gate)
	w.settled()
	p.end()
}
