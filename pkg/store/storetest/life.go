package storetest

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Life is the life of a process that dies at a point of it. Every op of a batch and every publish has a point before it and one behind it.
// The dead read nothing, either.
type Life struct {
	at    int64
	err   error
	clock atomic.Int64
	dead  chan struct{}
	once  sync.Once
}

// NewLife returns a life that ends at the given point; 0: it does not. What the dead do fails with an error that wraps end, which those who
// would try again take for an answer; nil if nobody does.
func NewLife(at int64, end error) *Life {
	return &Life{at: at, err: fmt.Errorf("a life has ended: %w", cmp.Or(end, errDead)), dead: make(chan struct{})}
}

// Err is what the dead get for everything they do.
func (l *Life) Err() error { return l.err }

// Point passes one moment; false: the process is dead.
func (l *Life) Point() bool {
	if n := l.clock.Add(1); l.at != 0 && n >= l.at {
		l.Kill()
	}
	return !l.Gone()
}

// Points returns how many moments have passed.
func (l *Life) Points() int64 { return l.clock.Load() }

// Kill ends the life now.
func (l *Life) Kill() { l.once.Do(func() { close(l.dead) }) }

// Dead is closed when the life has ended.
func (l *Life) Dead() <-chan struct{} { return l.dead }

// Gone reports whether the life has ended.
func (l *Life) Gone() bool {
	select {
	case <-l.dead:
		return true
	default:
		return false
	}
}

// do does what the process does to the world.
func (l *Life) do(what func() error) error {
	if !l.Point() {
		return l.err
	}
	if err := what(); err != nil {
		return err
	}
	if !l.Point() {
		return l.err
	}
	return nil
}

// DB is the store as the process has it.
func (l *Life) DB(db store.DB) store.DB { return mortalDB{db, l} }

// Publisher is where the process publishes to.
func (l *Life) Publisher(p store.Publisher) store.Publisher { return mortalPublisher{p, l} }

type mortalDB struct {
	store.DB
	of *Life
}

func (d mortalDB) Batch(ctx context.Context, ops []store.Op) []error {
	errs := make([]error, len(ops))
	for i, op := range ops {
		errs[i] = d.of.do(func() error { return d.DB.Batch(ctx, []store.Op{op})[0] })
	}
	return errs
}

func (d mortalDB) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	if d.of.Gone() {
		return nil, d.of.err
	}
	return d.DB.Get(ctx, collection, ids...)
}

type mortalPublisher struct {
	store.Publisher
	of *Life
}

func (p mortalPublisher) Publish(ctx context.Context, recs ...event.Record) error {
	return p.of.do(func() error { return p.Publisher.Publish(ctx, recs...) })
}
