package due

import (
	"math"
	"sync/atomic"
	"time"
)

// began is what marks are measured from, by the monotonic clock.
var began = time.Now()

// Mark is a moment of this process, set and read by several goroutines. It is measured by the monotonic clock: a number
// of Unix nanoseconds would move with the wall clock. The zero Mark was never set.
type Mark struct{ after atomic.Int64 } // nanoseconds after began, plus one

// Set makes the moment now.
func (m *Mark) Set() { m.after.Store(int64(time.Since(began)) + 1) }

// Since returns how long ago the moment was, the longest duration if it was never set.
func (m *Mark) Since() time.Duration {
	after := m.after.Load()
	if after == 0 {
		return math.MaxInt64
	}
	return time.Since(began) - time.Duration(after-1)
}
