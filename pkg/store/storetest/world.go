package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// world lets several processes take their steps one at a time, in an order drawn from a seed, and lets some of them
// die: the interleavings of docs/models/facts.pml, against a real store. A step is one call of the store or of Kafka.
// Between two steps a process may be stalled for as long as the others like.
type world struct {
	db  store.DB
	log Publisher // what is on Kafka

	mu      sync.Mutex
	moved   *sync.Cond
	rng     *rand.Rand
	deaths  int // how many processes may still die
	fails   int // how many produces may still return an error
	waiting []*step
	running map[*member]int // handlers in progress
	late    [][]event.Record
}

// member is a process of the world.
type member struct {
	world *world
	name  int
	dead  bool
}

// step is a call that waits for its turn.
type step struct {
	of      *member
	produce bool
	cut     uint64 // of a produce that fails: what is written all the same, for Heads
	turn    chan fate
}

// fate is what becomes of a step.
type fate uint8

const (
	happens   fate = iota
	unhappens      // the process dies before it
	lost           // the process dies after it
	fails          // an error, and only a part written
	delayed        // an error, and written later
)

var errDead = errors.New("the process is dead")

func newWorld(db store.DB, seed uint64) *world {
	w := &world{db: db, rng: rand.New(rand.NewPCG(seed, 0)), running: map[*member]int{}}
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
		w.running[m]--
		if w.running[m] == 0 {
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
		if len(w.late) > 0 && w.rng.IntN(4) == 0 {
			w.arrive()
			continue
		}
		slices.SortStableFunc(w.waiting, func(a, b *step) int { return a.of.name - b.of.name })
		i := w.rng.IntN(len(w.waiting))
		s := w.waiting[i]
		w.waiting = slices.Delete(w.waiting, i, i+1)
		s.turn <- w.draw(s)
	}
	for len(w.late) > 0 {
		w.arrive()
	}
}

// allWait reports whether every process with a handler in progress has a step waiting.
func (w *world) allWait() bool {
	at := map[*member]bool{}
	for _, s := range w.waiting {
		at[s.of] = true
	}
	return len(at) == len(w.running)
}

func (w *world) arrive() {
	recs := w.late[0]
	w.late = w.late[1:]
	_ = w.log.Publish(context.Background(), recs...)
}

func (w *world) draw(s *step) fate {
	switch {
	case s.of.dead:
		return unhappens
	case w.deaths > 0 && w.rng.IntN(12) == 0:
		w.deaths--
		s.of.dead = true
		return []fate{unhappens, lost}[w.rng.IntN(2)]
	case s.produce && w.fails > 0 && w.rng.IntN(3) == 0:
		w.fails--
		s.cut = w.rng.Uint64()
		return []fate{fails, delayed}[w.rng.IntN(2)]
	}
	return happens
}

// wait waits for the turn of a step of the store.
func (m *member) wait() fate { return m.step(false).fate() }

// step puts a step among those that wait.
func (m *member) step(produce bool) *step {
	w := m.world
	s := &step{of: m, produce: produce, turn: make(chan fate, 1)}
	w.mu.Lock()
	w.waiting = append(w.waiting, s)
	w.moved.Broadcast()
	w.mu.Unlock()
	return s
}

// fate waits for the step's turn.
func (s *step) fate() fate { return <-s.turn }

// memberDB is the store as a member sees it.
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
		fate := d.wait()
		if fate != unhappens {
			errs[i] = d.DB.Batch(ctx, []store.Op{op})[0]
		}
		if fate != happens {
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
		return d.world.log.Publish(ctx, recs...)
	case lost:
		_ = d.world.log.Publish(ctx, recs...)
	case delayed:
		d.world.mu.Lock()
		d.world.late = append(d.world.late, recs)
		d.world.mu.Unlock()
		return errAway
	case fails:
		_ = d.world.log.Publish(ctx, Heads(recs, s.cut)...)
		return errAway
	}
	return errDead
}
