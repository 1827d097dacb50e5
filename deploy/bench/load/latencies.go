// Package load makes calls: in a closed loop, each connection as fast as it is answered, or in an open one, at a fixed rate
// whatever the answers take.
package load

import (
	"slices"
	"time"
)

// Latencies are how long calls took.
type Latencies []time.Duration

// Sort puts them in order; [Latencies.At] needs it.
func (l Latencies) Sort() { slices.Sort(l) }

// At is the quantile q of sorted latencies, by the nearest rank; 0 if there are none.
func (l Latencies) At(q float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[min(len(l)-1, int(q*float64(len(l))))]
}

// Result is what became of the calls.
type Result struct {
	OK      int         // answered 2xx
	Refused map[int]int // other answers by status; 0: none came
	Took    time.Duration
	Lat     Latencies // of the calls answered 2xx, sorted
}

// Rate is how many calls a second were answered 2xx.
func (r *Result) Rate() float64 { return float64(r.OK) / r.Took.Seconds() }

// Bad is how many calls were not answered 2xx.
func (r *Result) Bad() (n int) {
	for _, k := range r.Refused {
		n += k
	}
	return n
}

// merge adds what another connection saw.
func (r *Result) merge(o *Result) {
	r.OK += o.OK
	r.Lat = append(r.Lat, o.Lat...)
	for s, n := range o.Refused {
		r.Refused[s] += n
	}
}

// note takes down one call.
func (r *Result) note(status int, took time.Duration) bool {
	if status < 200 || status > 299 {
		r.Refused[status]++
		return false
	}
	r.OK++
	r.Lat = append(r.Lat, took)
	return true
}

func newResult(room int) *Result {
	return &Result{Refused: map[int]int{}, Lat: make(Latencies, 0, room)}
}
