package dispatch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// ScopesDeps is what Scopes work with.
type ScopesDeps struct {
	Env
	First   Limits                                                  // of a scope of which nothing else is known yet
	Known   func(scope string) (l Limits, ok bool)                  // what a scope may do now; not ok, or nil: what was known before counts
	Ready   func(ctx context.Context, scope string) bool            // whether a call can be made now; nil: always
	Limiter func(name string, r budget.Rate) (l Limiter, err error) // shared by replicas; nil: each process limits itself
}

// Scopes bound the calls of each of many scopes (channels, bots, endpoints) for itself, in this process: none waits for another
// (promise P12).
type Scopes struct {
	ScopesDeps
	mu  sync.Mutex
	all map[string]*scope
}

// NewScopes returns scopes of which nothing is known yet.
func NewScopes(d ScopesDeps) *Scopes {
	d.Timing.fill()
	return &Scopes{ScopesDeps: d, all: map[string]*scope{}}
}

// Enter returns a permit for one call for the key, or nil: the scope does not allow it now.
func (s *Scopes) Enter(scope, key string) *Permit {
	p, _ := s.of(scope).enter(key)
	return p
}

// Adopt says what a scope may do from now on.
func (s *Scopes) Adopt(scope string, l Limits) { s.of(scope).adopt(l) }

// scope is what one scope may do now: places for calls, a breaker, limits; and the lines of its waiting rows.
type scope struct {
	*Scopes
	id      string
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	pace    atomic.Pointer[pace]

	opened due.Mark // when the breaker opened last

	mu      sync.Mutex
	calling int
	held    hold
	lines   [2][]work // waiting rows: what goes first, and what is bulk
	turn    int
	running bool
	room    chan struct{} // a place became free, or a line came
}

// pace is how many calls are allowed: at once, and in a time.
type pace struct {
	places int
	pacer  *pacer
}

// work is a line in a scope's queue.
type work struct {
	table *table
	line  *line
	until time.Time // its oldest row expires then
	bulk  bool
}

// TripAfter is how many failures in a row open a breaker.
const TripAfter = 5

const (
	defaultPlaces = 8
	bulkTurn      = 8 // of so many lines one is bulk, if both wait
	notYet        = 250 * time.Millisecond
)

func (s *Scopes) of(id string) *scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc := s.all[id]
	if sc == nil {
		sc = &scope{Scopes: s, id: id, room: make(chan struct{}, 1)}
		sc.adopt(s.First)
		sc.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Name: id, Timeout: s.Timing.Breaker,
			ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= TripAfter },
			IsExcluded:    func(err error) bool { return errors.Is(err, errUnused) },
			OnStateChange: sc.changed,
		})
		s.all[id] = sc
	}
	return sc
}

// adopt takes limits over, if they are others. What is left of changed rates is forgotten; calls under way beyond fewer places end as
// they are.
func (s *scope) adopt(l Limits) {
	now := s.pace.Load()
	changed := &pace{places: cmp.Or(l.Places, defaultPlaces)}
	switch {
	case now == nil || !slices.Equal(now.pacer.rates, l.Rates):
		changed.pacer = s.newPacer(s.id, l.Rates)
	case now.places != changed.places:
		changed.pacer = now.pacer
	default:
		return
	}
	if s.pace.CompareAndSwap(now, changed) {
		s.wake()
	}
}

// learn takes the scope's limits over before a waiting row is called: its task may have been made by another process.
func (s *scope) learn() {
	if s.Known == nil {
		return
	}
	if l, ok := s.Known(s.id); ok {
		s.adopt(l)
	}
}

var errUnused = errors.New("dispatch: the permit was not used")

// enter returns a permit for one call for the key, or how long to wait before asking again. Its place is taken first: the
// limits are asked without the lock, because other replicas may have to be asked.
func (s *scope) enter(key string) (*Permit, refusal) {
	if s.Ready != nil && !s.Ready(context.Background(), s.id) {
		return nil, refusal{wait: notYet}
	}
	p := &Permit{scope: s, key: key}
	if no := s.takePlace(p); no.wait > 0 {
		return nil, no
	}
	back, no := s.pace.Load().pacer.take(key)
	if no.wait > 0 {
		s.givePlace()
		return nil, no
	}
	done, err := s.breaker.Allow()
	if err != nil { // half open, and the one call that may try is under way
		back()
		s.givePlace()
		return nil, refusal{wait: notYet}
	}
	p.back = back
	p.done = done
	return p, refusal{}
}

func (s *scope) takePlace(p *Permit) refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch wait := s.held.left(time.Now()); {
	case wait > 0:
		return refusal{wait: wait}
	case s.breaker.State() == gobreaker.StateOpen:
		return refusal{wait: max(notYet, s.Timing.Breaker-s.opened.Since())}
	case s.calling >= s.pace.Load().places || s.held.probe && s.calling > 0:
		return refusal{wait: s.Timing.Breaker} // a call that ends wakes the pump
	}
	s.calling++
	p.probe = s.held.probe
	return refusal{}
}

func (s *scope) givePlace() {
	s.mu.Lock()
	s.calling--
	s.mu.Unlock()
	s.wake()
}

// refusal says why there is no permit.
type refusal struct {
	wait time.Duration
	key  bool // only the key's own limit is reached
}

func (s *scope) changed(_ string, from, to gobreaker.State) {
	if to == gobreaker.StateOpen {
		s.opened.Set()
	}
	s.Metrics.Breaker(from.String(), to.String())
	s.Log.Warn("breaker", "scope", s.id, "from", from.String(), "to", to.String())
}

// Permit allows one call. It is given back once; Judge reports first what came of the call. A nil Permit is none, and may be given back.
type Permit struct {
	scope *scope
	key   string
	probe bool // the scope was held: the outcome shows whether it still is
	done  func(error)
	back  func() // returns the tokens of the limits
	once  sync.Once
}

// Judge gives the permit of a call back.
func (p *Permit) Judge(v Verdict) {
	if p == nil {
		return
	}
	p.once.Do(func() { p.end(v) })
}

// Release gives the permit back unused, if it was not judged.
func (p *Permit) Release() {
	if p == nil {
		return
	}
	p.once.Do(func() {
		p.back()
		p.leave(errUnused)
	})
}

func (p *Permit) end(v Verdict) {
	switch {
	case v.Finding == Taken || v.Finding == Rejected:
		p.scope.answered(p)
		p.leave(nil)
	case v.Err.Kind == fault.Throttled:
		p.scope.throttled(p.key, v.Err)
		p.leave(nil) // it is alive and says how fast it wants us
	default:
		p.leave(v.Err)
	}
}

func (p *Permit) leave(err error) {
	p.done(err)
	p.scope.givePlace()
}

// throttled holds the scope back where the limit is the scope's.
func (s *scope) throttled(key string, why *fault.Error) {
	s.Metrics.Throttled(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now() // the monotonic clock, which nobody sets
	s.held.refuse(key, why.Scope, now.Add(min(max(why.After, s.Timing.Backoff), due.Longest)), now)
}

// answered ends the hold of a scope whose probe was not throttled.
func (s *scope) answered(p *Permit) {
	if !p.probe {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held.probe = false
}

func (s *scope) wake() {
	select {
	case s.room <- struct{}{}:
	default:
	}
}
