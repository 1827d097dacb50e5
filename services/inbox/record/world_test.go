package record_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// world lets several processes take their steps one at a time, in an order that rapid draws, and lets some of them die:
// the interleavings of docs/models/facts.pml with the real record on a real store. A step is one write, one read or one
// produce.
type world struct {
	t   *rapid.T
	db  store.DB
	log storetest.Publisher // what is on Kafka

	mu      sync.Mutex
	moved   *sync.Cond
	deaths  int // how many processes may still die
	fails   int // how many produces may still return an error
	waiting []*step
	running map[*member]int // handlers in progress
	late    [][]event.Record
}

// member is a process.
type member struct {
	*world
	name int
	dead bool
}

type step struct {
	of      *member
	produce bool
	cut     uint64 // of a produce that fails: what is written all the same, for storetest.Heads
	turn    chan fate
}

type fate uint8

const (
	happens   fate = iota
	unhappens      // the process dies before it
	lost           // the process dies after it
	fails          // an error, and only a part written
	delayed        // an error, and written later
)

var (
	errDead = errors.New("the process is dead")
	errAway = errors.New("the broker did not answer")
)

func newWorld(t *rapid.T, db store.DB, deaths, failures int) *world {
	w := &world{t: t, db: db, deaths: deaths, fails: failures, running: map[*member]int{}}
	w.moved = sync.NewCond(&w.mu)
	return w
}

// start runs a handler in a process.
func (w *world) start(m *member, handler func()) {
	w.mu.Lock()
	w.running[m]++
	w.mu.Unlock()
	go func() {
		handler()
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.running[m]--; w.running[m] == 0 {
			delete(w.running, m)
		}
		w.moved.Broadcast()
	}()
}

// play grants steps until all handlers have ended.
func (w *world) play() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for !w.allWait() {
			w.moved.Wait()
		}
		if len(w.running) == 0 {
			break
		}
		if len(w.late) > 0 && rapid.IntRange(0, 3).Draw(w.t, "late") == 0 {
			w.arrive()
			continue
		}
		slices.SortStableFunc(w.waiting, func(a, b *step) int { return a.of.name - b.of.name })
		i := rapid.IntRange(0, len(w.waiting)-1).Draw(w.t, "turn")
		s := w.waiting[i]
		w.waiting = slices.Delete(w.waiting, i, i+1)
		s.turn <- w.draw(s)
	}
	for len(w.late) > 0 {
		w.arrive()
	}
}

func (w *world) allWait() bool {
	at := map[*member]bool{}
	for _, s := range w.waiting {
		at[s.of] = true
	}
	return len(at) == len(w.running)
}

func (w *world) arrive() {
	_ = w.log.Publish(context.Background(), w.late[0]...)
	w.late = w.late[1:]
}

func (w *world) draw(s *step) fate {
	switch {
	case s.of.dead:
		return unhappens
	case w.deaths > 0 && rapid.IntRange(0, 14).Draw(w.t, "death") == 0:
		w.deaths--
		s.of.dead = true
		return rapid.SampledFrom([]fate{unhappens, lost}).Draw(w.t, "how")
	case s.produce && w.fails > 0 && rapid.IntRange(0, 3).Draw(w.t, "fail") == 0:
		w.fails--
		s.cut = rapid.Uint64().Draw(w.t, "cut")
		return rapid.SampledFrom([]fate{fails, delayed}).Draw(w.t, "how")
	}
	return happens
}

// wait waits for the turn of a step of the store.
func (m *member) wait() fate { return m.step(false).fate() }

// step puts a step among those that wait.
func (m *member) step(produce bool) *step {
	s := &step{of: m, produce: produce, turn: make(chan fate, 1)}
	m.mu.Lock()
	m.waiting = append(m.waiting, s)
	m.moved.Broadcast()
	m.mu.Unlock()
	return s
}

// fate waits for the step's turn.
func (s *step) fate() fate { return <-s.turn }

func (m *member) died() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

// memberDB is the store and Kafka as a member sees them.
type memberDB struct {
	store.DB
	*member
}

func (d memberDB) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	if d.wait() != happens {
		return nil, errDead
	}
	return d.DB.Get(ctx, collection, ids...)
}

func (d memberDB) Query(ctx context.Context, collection string, q store.Query) (store.Page, error) {
	if d.wait() != happens {
		return store.Page{}, errDead
	}
	return d.DB.Query(ctx, collection, q)
}

// Batch lets each op be a step of its own: nothing holds them together.
func (d memberDB) Batch(ctx context.Context, ops []store.Op) []error {
	errs := make([]error, len(ops))
	for i, op := range ops {
		f := d.wait()
		if f != unhappens {
			errs[i] = d.DB.Batch(ctx, []store.Op{op})[0]
		}
		if f != happens {
			errs[i] = errDead
		}
	}
	return errs
}

// Publish implements store.Publisher. A call that fails has written a part of its records, or writes them later.
func (d memberDB) Publish(ctx context.Context, recs ...event.Record) error {
	s := d.step(true)
	switch s.fate() {
	case happens:
		return d.log.Publish(ctx, recs...)
	case lost:
		_ = d.log.Publish(ctx, recs...)
	case delayed:
		d.mu.Lock()
		d.late = append(d.late, recs)
		d.mu.Unlock()
		return errAway
	case fails:
		_ = d.log.Publish(ctx, storetest.Heads(recs, s.cut)...)
		return errAway
	}
	return errDead
}
