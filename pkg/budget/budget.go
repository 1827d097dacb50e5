// Package budget bounds what each of many callers may use: how often (Limits) and how much at once (Shares).
//
// Budgets are per process and in memory. Their number is bounded: what was used least recently is forgotten, which gives its
// owner a full budget again.
package budget

import (
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// kept is how many keys a budget remembers: some 10 MB at most.
const kept = 50_000

// Rate is N units in every Per, Burst of them at once.
type Rate struct {
	N     int
	Per   time.Duration
	Burst int
}

// Limits is one Rate for each of many keys.
type Limits struct {
	Rate Rate
	now  func() time.Time
	of   *lru.Cache[string, *rate.Limiter]
}

// New returns the limits of a rate.
func New(r Rate, now func() time.Time) *Limits { return NewOf(kept, r, now) }

// NewOf returns the limits of a rate for as many keys as are worth remembering.
func NewOf(keys int, r Rate, now func() time.Time) *Limits {
	of, err := lru.New[string, *rate.Limiter](keys)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Limits{Rate: r, now: now, of: of}
}

// Take takes one unit of the key's budget, or returns an error of kind Throttled with the time until there is one.
func (l *Limits) Take(key string) error { return l.TakeN(key, 1) }

// TakeN takes n units. More than the burst are never given.
func (l *Limits) TakeN(key string, n int) error {
	wait := l.Reserve(key, n)
	if wait == 0 {
		return nil
	}
	return fault.Later("rate_limited", wait, "at most %d in %s, %d at once; wait %s", l.Rate.N, l.Rate.Per, l.Rate.Burst, wait.Round(time.Second))
}

// Reserve takes n units, or takes none and returns how long there are fewer.
func (l *Limits) Reserve(key string, n int) time.Duration {
	_, wait := l.Hold(key, n)
	return wait
}

// Hold is Reserve of units that may turn out not to be used: back gives them back, once. What others have taken of the same key in
// between may make it give back less, never more.
func (l *Limits) Hold(key string, n int) (back func(), wait time.Duration) {
	now := l.now()
	r := l.limiter(key).ReserveN(now, n)
	if !r.OK() {
		return nil, l.Rate.Per
	}
	back = func() { r.CancelAt(now) } // a reservation whose time is over is not cancelled
	if wait = r.DelayFrom(now); wait > 0 {
		back()
		return nil, wait
	}
	return back, 0
}

// Left is how many units the key has now.
func (l *Limits) Left(key string) float64 { return l.limiter(key).TokensAt(l.now()) }

// Reset gives the key its full budget.
func (l *Limits) Reset(key string) { l.of.Remove(key) }

func (l *Limits) limiter(key string) *rate.Limiter {
	if known, ok := l.of.Get(key); ok {
		return known
	}
	fresh := rate.NewLimiter(rate.Limit(float64(l.Rate.N)/l.Rate.Per.Seconds()), l.Rate.Burst)
	if known, ok, _ := l.of.PeekOrAdd(key, fresh); ok {
		return known
	}
	return fresh
}

// Source is the key of an address: a whole IPv4 address, and the /64 of an IPv6 address, which is what one subscriber has.
func Source(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
