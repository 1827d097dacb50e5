package storetest

import (
	"context"
	"sync"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// doomed is the store and Kafka of a process that dies at its left-th step, before or after it. Each op of a batch is a step.
type doomed struct {
	store.DB
	p    *Publisher
	mu   sync.Mutex
	left int
	fate fate // unhappens or lost
}

// step tells whether the next step happens, and whether the process lives to see it.
func (d *doomed) step() (happens, lives bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left--
	return d.left >= 0 || d.left == -1 && d.fate == lost, d.left >= 0
}

func (d *doomed) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	if _, lives := d.step(); !lives {
		return nil, errDead
	}
	return d.DB.Get(ctx, collection, ids...)
}

func (d *doomed) Batch(ctx context.Context, ops []store.Op) []error {
	errs := make([]error, len(ops))
	for i, op := range ops {
		happens, lives := d.step()
		if happens {
			errs[i] = d.DB.Batch(ctx, []store.Op{op})[0]
		}
		if !lives {
			errs[i] = errDead
		}
	}
	return errs
}

// Publish implements store.Publisher.
func (d *doomed) Publish(ctx context.Context, recs ...event.Record) error {
	happens, lives := d.step()
	if happens {
		if err := d.p.Publish(ctx, recs...); err != nil {
			return err
		}
	}
	if !lives {
		return errDead
	}
	return nil
}
