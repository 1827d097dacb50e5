package crash

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/tributaryhq/tributary/pkg/store"
)

type watchedDB struct {
	store.DB
	fuse *Fuse
}

// DB watches what is written.
func (f *Fuse) DB(db store.DB) store.DB {
	if f == nil {
		return db
	}
	return &watchedDB{db, f}
}

// Batch implements store.DB. The process dies before the batch that has the nth occurrence, or after it.
func (d *watchedDB) Batch(ctx context.Context, ops []store.Op) (errs []error) {
	var at []int
	for i, op := range ops {
		if d.fuse.about(d.step(ctx, op), op.Collection) {
			at = append(at, i)
		}
	}
	if !d.fuse.After {
		for range at {
			d.fuse.count()
		}
	}
	errs = d.DB.Batch(ctx, ops)
	for _, i := range at {
		if d.fuse.After && errs[i] == nil {
			d.fuse.count()
		}
	}
	return errs
}

// step tells what an operation is. Whether a compare-and-set is a Clear is seen from the document that it replaces, which is read
// only where the fuse is about that.
func (d *watchedDB) step(ctx context.Context, op store.Op) string {
	switch op.Kind {
	case store.Insert:
		return Insert
	case store.Delete:
		return Delete
	}
	if op.Collection != d.fuse.Name || d.fuse.Step != Clear && d.fuse.Step != Update {
		return Update
	}
	cleared, err := d.clears(ctx, op)
	if err == nil && cleared {
		return Clear
	}
	return Update
}

// clears reports whether op takes facts out of its document without adding any.
func (d *watchedDB) clears(ctx context.Context, op store.Op) (bool, error) {
	raws, err := d.Get(ctx, op.Collection, op.ID)
	if err != nil || raws[0].Rev != op.Rev {
		return false, errors.Join(err, store.ErrConflict) // it will fail, whatever it is
	}
	var before, after store.Meta
	if err := errors.Join(json.Unmarshal(raws[0].JSON, &before), json.Unmarshal(op.JSON, &after)); err != nil {
		return false, err
	}
	return len(after.Pending) < len(before.Pending) && after.FactSeq == before.FactSeq, nil
}
