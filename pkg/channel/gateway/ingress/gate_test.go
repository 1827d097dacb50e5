package ingress

import (
	"testing"
	"time"
)

// A gate that closed before the wall clock was set back opens again, and one that was open closes.
func TestAClockThatIsSetHoldsNoGate(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{-time.Hour, time.Hour, -48 * time.Hour, 48 * time.Hour} {
		clock, backlog := time.Now(), int64(0)
		g := newGate(Limits{Backlog: 10}, func(string) int64 { return backlog }, func() time.Time { return clock })
		for _, full := range []bool{false, true, false} {
			clock = clock.Add(step)
			if backlog = 0; full {
				backlog = 11
			}
			if g.overfull() != full {
				t.Errorf("%s: full is %t after the clock was set", step, !full)
			}
		}
	}
}
