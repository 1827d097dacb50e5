package storetest

import (
	"context"
	"sync"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Mortal is a process that dies at one of its writes or produces, before or after it. Each op of a batch is a step; reads are none.
type Mortal struct {
	Left  int  // steps that it survives
	After bool // the step at which it dies still happens

	mu   sync.Mutex
	dead bool
}

// Dead reports whether it has died.
func (m *Mortal) Dead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

func (m *Mortal) step() (happens, lives bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return false, false
	}
	m.Left--
	m.dead = m.Left < 0
	return !m.dead || m.After, !m.dead
}

// DB is the store as the process has it.
func (m *Mortal) DB(db store.DB) store.DB { return mortalDB{db, m} }

type mortalDB struct {
	store.DB
	of *Mortal
}

func (d mortalDB) Batch(ctx context.Context, ops []store.Op) []error {
	errs := make([]error, len(ops))
	for i, op := range ops {
		happens, lives := d.of.step()
		if happens {
			errs[i] = d.DB.Batch(ctx, []store.Op{op})[0]
		}
		if !lives {
			errs[i] = errDead
		}
	}
	return errs
}

// Publish lets the process produce to p.
func (m *Mortal) Publish(ctx context.Context, p store.Publisher, recs ...event.Record) error {
	happens, lives := m.step()
	if happens {
		if err := p.Publish(ctx, recs...); err != nil {
			return err
		}
	}
	if !lives {
		return errDead
	}
	return nil
}
