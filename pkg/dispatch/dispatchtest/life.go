// Package dispatchtest ends the life of a process at any point of what it does to the world, for tests of what is dispatched.
package dispatchtest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Life is the life of a process. It dies at a point, before or after something that it does to the world.
type Life struct {
	at    int64
	end   error
	clock atomic.Int64
	dead  chan struct{}
	once  sync.Once
}

// NewLife returns a life that ends at the given point; 0: it does not. What the dead do to the world fails with an error that wraps end, which
// those who would try again take for an answer: a dead process tries nothing.
func NewLife(at int64, end error) *Life {
	return &Life{at: at, end: fmt.Errorf("the process is dead: %w", end), dead: make(chan struct{})}
}

// Err is what a dead process gets for everything it does.
func (l *Life) Err() error { return l.end }

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

// DB is a store as the process sees it: every write has a point before it and one behind it.
func (l *Life) DB(db store.DB) store.DB { return mortalDB{db, l} }

// Bus is a producer as the process sees it: every publish has a point before it and one behind it.
func (l *Life) Bus(b bus.Producer) bus.Producer { return mortalBus{b, l} }

type mortalDB struct {
	store.DB
	life *Life
}

func (d mortalDB) Batch(ctx context.Context, ops []store.Op) []error {
	dead := make([]error, len(ops))
	for i := range dead {
		dead[i] = d.life.end
	}
	if !d.life.Point() {
		return dead
	}
	errs := d.DB.Batch(ctx, ops)
	if !d.life.Point() {
		return dead
	}
	return errs
}

func (d mortalDB) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	if d.life.Gone() {
		return nil, d.life.end
	}
	return d.DB.Get(ctx, collection, ids...)
}

type mortalBus struct {
	bus.Producer
	life *Life
}

func (b mortalBus) Publish(ctx context.Context, recs ...event.Record) error {
	if !b.life.Point() {
		return b.life.end
	}
	if err := b.Producer.Publish(ctx, recs...); err != nil {
		return err
	}
	if !b.life.Point() {
		return b.life.end
	}
	return nil
}
