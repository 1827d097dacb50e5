package send

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
)

// steps are what a wall clock does when it is corrected, or when a virtual machine resumes.
var steps = map[string]time.Duration{
	"an hour back": -time.Hour, "an hour on": time.Hour, "two days back": -48 * time.Hour, "two days on": 48 * time.Hour, "five seconds back": -5 * time.Second,
}

// A row waits for a pause of its own when the clock is set: it is called when the pause is over, and what waits behind it too.
func TestP12_AClockThatIsSetHoldsNoRetryUp(t *testing.T) {
	t.Parallel()
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var refuse atomic.Bool
			refuse.Store(true)
			w := newWorld(t, func(s gatewaytest.Sending, _ int) gatewaytest.Answer {
				if s.ID == "a0/0" && refuse.Load() {
					return gatewaytest.Answer{Status: http.StatusServiceUnavailable}
				}
				return gatewaytest.Answer{}
			})
			w.timing.Backoff, w.timing.MaxBackoff = 100*time.Millisecond, 100*time.Millisecond
			w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a1", "x"))
			p := w.start(0)
			defer p.end()
			waitFor(t, func() bool { r := w.row("a0", 0); return r != nil && r.State == dispatch.Waiting && r.Tries > 0 })
			w.pass(step)
			refuse.Store(false)
			waitFor(t, func() bool { return w.provider.Taken("a1/0") == 1 })
			if diff := cmp.Diff([]string{"a0/0", "a1/0"}, w.provider.Order("ann")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The clock is set back between any two of its readings: a pause lasts as long as it was meant to.
func TestP12_AClockThatIsSetBetweenTwoReadingsHoldsNoRetryUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ gatewaytest.Sending, n int) gatewaytest.Answer {
		if n <= 2 { // once in its lane, once in the hands of the drainer
			return gatewaytest.Answer{Status: http.StatusServiceUnavailable}
		}
		return gatewaytest.Answer{}
	})
	w.slips.Store(int64(-time.Hour))
	w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a1", "x"))
	p := w.start(0)
	defer p.end()
	waitFor(t, func() bool { return w.provider.Taken("a1/0") == 1 })
	if diff := cmp.Diff([]string{"a0/0", "a1/0"}, w.provider.Order("ann")); diff != "" {
		t.Error(diff)
	}
}

// A process died in a call, and the clock was set before the next one came: the call is given up after its time, not after the
// step, and is not made twice.
func TestP7_AClockThatIsSetHoldsNoCallOfTheDeadUp(t *testing.T) {
	t.Parallel()
	for name, step := range steps {
		for kind, fresh := range map[string]bool{"of the record itself": true, "that waited": false} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, nil)
				w.post(text("ch_a", "ann", "a0", "x"), text("ch_a", "ann", "a1", "x"))
				w.plant(w.log[0], foreign(200*time.Millisecond, fresh))
				w.pass(step)
				w.finish()
				if diff := cmp.Diff([]event.DeliveryStatus{event.Unsure}, w.statuses("a0/0")); diff != "" || w.provider.Calls("a0/0") != 0 {
					t.Errorf("%d calls, %s", w.provider.Calls("a0/0"), diff)
				}
				if w.provider.Taken("a1/0") != 1 {
					t.Error("what waited behind it was not sent")
				}
			})
		}
	}
}
