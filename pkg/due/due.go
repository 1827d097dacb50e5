// Package due says when something that waits for a stored time is due, whatever happens to the wall clock meanwhile.
//
// A stored time was set by a rule that bounds how far ahead it lies: a pause, a deadline, a lease. The clock may be set back
// after that (a virtual machine that resumes, a start with a wrong clock), and replicas' clocks differ a little. So a time
// further ahead than its rule allows is due, and whoever waits in memory waits by the monotonic clock, never longer than the rule.
package due

import (
	"context"
	"math"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Skew is how far the clocks of replicas may differ without any effect.
const Skew = time.Minute

// Longest bounds pauses that a provider asks for. After it one try shows whether the provider still means what it said.
const Longest = time.Hour

// AnyTime is how far ahead a time may lie that somebody chose freely: it is due when it has come, and not before.
const AnyTime = time.Duration(math.MaxInt64)

// Passed reports whether a time has come that was set at most some time ahead.
func Passed(at, now event.Time, most time.Duration) bool {
	return !at.After(now) || most != AnyTime && at.After(now.Add(most+Skew))
}

// Sleep waits some time, by the monotonic clock; false if ctx ended first. For no time it does not wait, whatever ctx is.
func Sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Left is how long to wait for a time that was set at most some time ahead: at least 0, at most that.
func Left(at, now time.Time, most time.Duration) time.Duration {
	return min(max(at.Sub(now), 0), max(most, 0))
}
