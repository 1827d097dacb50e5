package storetest

import (
	"bytes"
	"context"
	"sync/atomic"

	"github.com/tributaryhq/tributary/pkg/store"
)

// Counted counts what is asked of a store: the budget of a hot path is a number of writes. What takes published facts out of
// documents is not counted, because it goes in batches, nor are the sweeper's looks.
type Counted struct {
	store.DB
	Reads, Writes atomic.Int64
}

// Reset begins to count anew.
func (c *Counted) Reset() { c.Reads.Store(0); c.Writes.Store(0) }

// Get implements store.DB.
func (c *Counted) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	c.Reads.Add(1)
	return c.DB.Get(ctx, collection, ids...)
}

// Query implements store.DB.
func (c *Counted) Query(ctx context.Context, collection string, q store.Query) (store.Page, error) {
	if q.Range == nil || q.Range.Field != store.PendingIndex {
		c.Reads.Add(1)
	}
	return c.DB.Query(ctx, collection, q)
}

// Batch implements store.DB.
func (c *Counted) Batch(ctx context.Context, ops []store.Op) []error {
	for _, op := range ops {
		if clears := bytes.Contains(op.Was, pending) && !bytes.Contains(op.JSON, pending); !clears {
			c.Writes.Add(1)
		}
	}
	return c.DB.Batch(ctx, ops)
}

var pending = []byte(`"pending":`)
