package send

import (
	"cmp"
	"context"
	"errors"
	"sync"
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
	places  int
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	limits  *limits

	opened due.Mark // when the breaker opened last

	mu      sync.Mutex
	calling int
	paused  time.Time // a refusal of the whole channel lasts until then, by the monotonic clock
	lines   [2][]work // waiting rows: what people wait for, and broadcasts
	turn    int
	running bool
	room    chan struct{} // a place became free, or a line came
}

// work is a line in a channel's queue.
type work struct {
	table *table
	line  *line
	until time.Time // its oldest row expires then
	bulk  bool
}

const (
	defaultPlaces = 8 // calls at once per channel, where the type does not say

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
		s = &scope{Worker: w, id: id, places: cmp.Or(w.info.Send.Concurrency, defaultPlaces), room: make(chan struct{}, 1), limits: newLimits(w, id)}
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

var errUnused = errors.New("send: the permit was not used")

// enter gives leave for one call now, or says how long it will take until it is worth asking again. peer tells that only
// this recipient must wait.
func (s *scope) enter(key string) (*permit, refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch left := time.Until(s.paused); {
	case left > 0:
		return nil, refusal{wait: left}
	case s.breaker.State() == gobreaker.StateOpen:
		return nil, refusal{wait: max(notYet, s.Timing.Breaker-s.opened.Since())}
	case s.calling >= s.places:
		return nil, refusal{wait: s.Timing.Breaker} // whoever leaves wakes us
	}
	if wait, peer := s.limits.take(key); wait > 0 {
		return nil, refusal{wait: wait, peer: peer}
	}
	done, err := s.breaker.Allow()
	if err != nil { // half open, and the one call that may try is under way
		return nil, refusal{wait: notYet}
	}
	s.calling++
	return &permit{scope: s, done: done}, refusal{}
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

// permit is leave for one call. It is given back once; judge says first how the provider did.
type permit struct {
	scope *scope
	done  func(error)
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
	p.once.Do(func() { p.leave(errUnused) })
}

func (p *permit) end(v provider.Verdict) {
	switch {
	case v.Finding == provider.Taken || v.Finding == provider.Failed:
		p.leave(nil)
	case v.Err.Kind == fault.Throttled:
		p.scope.throttled(v.Err)
		p.leave(nil) // it is alive and says how fast it wants us
	default:
		p.leave(v.Err)
	}
}

func (p *permit) leave(err error) {
	p.done(err)
	s := p.scope
	s.mu.Lock()
	s.calling--
	s.mu.Unlock()
	s.wake()
}

// throttled holds the channel back, unless the provider meant this recipient only; then its row waits, and nothing else.
func (s *scope) throttled(why *fault.Error) {
	s.metrics.throttled(context.Background())
	if forPeer(why) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if until := time.Now().Add(max(why.After, s.Timing.Backoff)); until.After(s.paused) {
		s.paused = until
	}
}

func (s *scope) wake() {
	select {
	case s.room <- struct{}{}:
	default:
	}
}

// bulk reports whether a message may let others of its channel go first.
func bulk(msg event.Outbound) bool { return msg.By.Kind == "broadcast" }
