package send

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// scope is what one channel may do now, in this process: places for calls, a breaker, the provider's limits; and the lines of
// its waiting rows. Every channel has its own, so none waits for another (promise P12).
type scope struct {
	*Worker
	id      string
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	pace    atomic.Pointer[pace]

	opened due.Mark // when the breaker opened last

	mu      sync.Mutex
	calling int
	held    hold
	lines   [2][]work // waiting rows: what people wait for, and broadcasts
	turn    int
	running bool
	room    chan struct{} // a place became free, or a line came
}

// pace is how many calls the channel's rules allow: at once, and in a time.
type pace struct {
	places int
	limits *limits
}

// work is a line in a channel's queue.
type work struct {
	table *table
	line  *line
	until time.Time // its oldest row expires then
	bulk  bool
}

const (
	defaultPlaces = 8 // calls at once, where the channel's rules do not say

	tripAfter = 5 // failures in a row that open the breaker
	bulkTurn  = 8 // of so many lines one is of a broadcast, if both wait
	notYet    = 250 * time.Millisecond
)

// scopeOf returns the scope of a channel.
func (w *Worker) scopeOf(id string) *scope {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.scopes[id]
	if s == nil {
		s = &scope{Worker: w, id: id, room: make(chan struct{}, 1)}
		s.adopt(w.info.For(nil).Send)
		s.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Name: id, Timeout: w.Timing.Breaker,
			ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
			IsExcluded:    func(err error) bool { return errors.Is(err, errUnused) },
			OnStateChange: s.changed,
		})
		w.scopes[id] = s
	}
	return s
}

func (w *Worker) scope(ch channel.Channel) *scope { return w.scopeOf(ch.ID) }

// adopt takes the channel's rules over, if they are others. What is left of changed rates is forgotten; calls under way beyond fewer
// places end as they are.
func (s *scope) adopt(r channel.SendRules) {
	now := s.pace.Load()
	changed := &pace{places: cmp.Or(r.Concurrency, defaultPlaces)}
	switch {
	case now == nil || !slices.Equal(now.limits.rates, r.Rates):
		changed.limits = newLimits(s.Worker, s.id, r.Rates)
	case now.places != changed.places:
		changed.limits = now.limits
	default:
		return
	}
	if s.pace.CompareAndSwap(now, changed) {
		s.wake()
	}
}

// learn takes the channel's rules over before a waiting row is called: it may have been rendered by another process. While the channel
// cannot be found, the rules are those that were known before, at first the type's.
func (s *scope) learn() {
	if ch, err := s.Channels.Channel(context.Background(), s.id); err == nil {
		s.adopt(s.info.For(ch.Settings).Send)
	}
}

var errUnused = errors.New("send: the permit was not used")

// enter returns a permit for one call to the key's recipient, or how long to wait before asking again. Its place is taken first: the
// limits are asked without the lock, because other replicas may have to be asked.
func (s *scope) enter(key string) (*permit, refusal) {
	if s.Sessions != nil && !s.Sessions.Ready(context.Background(), s.id) {
		return nil, refusal{wait: notYet}
	}
	p := &permit{scope: s, key: key}
	if no := s.takePlace(p); no.wait > 0 {
		return nil, no
	}
	back, no := s.pace.Load().limits.take(key)
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

func (s *scope) takePlace(p *permit) refusal {
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
	peer bool
}

func (s *scope) changed(_ string, from, to gobreaker.State) {
	if to == gobreaker.StateOpen {
		s.opened.Set()
	}
	s.metrics.breaker(from.String(), to.String())
	s.Log.Warn("breaker", "channel", s.id, "from", from.String(), "to", to.String())
}

// permit allows one call. It is given back once; judge reports first what the provider did.
type permit struct {
	scope *scope
	key   string
	probe bool // the channel was held: the outcome shows whether it still is
	done  func(error)
	back  func() // returns the tokens of the limits
	once  sync.Once
}

func (p *permit) judge(v provider.Verdict) {
	if p == nil {
		return
	}
	p.once.Do(func() { p.end(v) })
}

func (p *permit) release() {
	if p == nil {
		return
	}
	p.once.Do(func() {
		p.back()
		p.leave(errUnused)
	})
}

func (p *permit) end(v provider.Verdict) {
	switch {
	case v.Finding == provider.Taken || v.Finding == provider.Failed:
		p.scope.answered(p)
		p.leave(nil)
	case v.Err.Kind == fault.Throttled:
		p.scope.throttled(p.key, v.Err)
		p.leave(nil) // it is alive and says how fast it wants us
	default:
		p.leave(v.Err)
	}
}

func (p *permit) leave(err error) {
	p.done(err)
	p.scope.givePlace()
}

// throttled holds the channel back where the provider's limit is the channel's.
func (s *scope) throttled(key string, why *fault.Error) {
	s.metrics.throttled(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now() // the monotonic clock, which nobody sets
	s.held.refuse(key, why.Scope, now.Add(min(max(why.After, s.Timing.Backoff), due.Longest)), now)
}

// answered ends the hold of a channel whose probe was not throttled.
func (s *scope) answered(p *permit) {
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

// bulk reports whether a message may let others of its channel go first.
func bulk(msg event.Outbound) bool { return msg.By.Kind == "broadcast" }
