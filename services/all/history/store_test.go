package history

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/pkg/store"
)

var errDead = store.Away(errors.New("the process is dead"))

// mortalDB is the store as a node sees it: of a write under way at its death nobody knows whether it was made.
type mortalDB struct {
	store.DB
	of *node
}

func (d mortalDB) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	if d.of.dead.Load() {
		return nil, errDead
	}
	return d.DB.Get(ctx, collection, ids...)
}

func (d mortalDB) Query(ctx context.Context, collection string, q store.Query) (store.Page, error) {
	if d.of.dead.Load() {
		return store.Page{}, errDead
	}
	return d.DB.Query(ctx, collection, q)
}

func (d mortalDB) Batch(ctx context.Context, ops []store.Op) []error {
	errs := make([]error, len(ops))
	if !d.of.dead.Load() {
		errs = d.DB.Batch(ctx, ops)
	}
	if d.of.dead.Load() {
		for i := range errs {
			errs[i] = errDead
		}
	}
	return errs
}

// weather is how the store is today, for all nodes.
type weather int32

const (
	fair   weather = iota
	stormy         // half of all calls fail, of the writes half after they were made
	slow           // every call takes its time
	frozen         // nothing answers until the caller gives up
	gone           // every call fails at once, and nothing is done
)

// weatherDB is the store of all nodes.
type weatherDB struct {
	store.DB
	now    atomic.Int32
	failed atomic.Int64
	rooms  rooms
}

var errStorm = store.Away(errors.New("the store is away"))

// pass waits as the weather wants; before says that a call fails before anything happened, after that it fails afterwards.
func (d *weatherDB) pass(ctx context.Context) (before, after error) {
	switch weather(d.now.Load()) {
	case stormy:
		d.failed.Add(1)
		switch rand.IntN(4) {
		case 0:
			return errStorm, nil
		case 1:
			return nil, errStorm
		}
		d.failed.Add(-1)
	case gone:
		d.failed.Add(1)
		return errStorm, nil
	case slow:
		return wait(ctx, time.Duration(5+rand.IntN(60))*time.Millisecond), nil
	case frozen:
		d.failed.Add(1)
		for weather(d.now.Load()) == frozen {
			if err := wait(ctx, 20*time.Millisecond); err != nil {
				return err, nil
			}
		}
	}
	return nil, nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return store.Away(ctx.Err())
	}
}

func (d *weatherDB) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	before, after := d.pass(ctx)
	if before != nil || after != nil {
		return nil, errors.Join(before, after)
	}
	return d.DB.Get(ctx, collection, ids...)
}

func (d *weatherDB) Query(ctx context.Context, collection string, q store.Query) (store.Page, error) {
	before, after := d.pass(ctx)
	if before != nil || after != nil {
		return store.Page{}, errors.Join(before, after)
	}
	return d.DB.Query(ctx, collection, q)
}

func (d *weatherDB) Batch(ctx context.Context, ops []store.Op) []error {
	before, after := d.pass(ctx)
	errs := make([]error, len(ops))
	if before == nil {
		errs = d.DB.Batch(ctx, ops)
		d.rooms.look(ops, errs)
	}
	if err := errors.Join(before, after); err != nil {
		for i := range errs {
			errs[i] = err
		}
	}
	return errs
}
