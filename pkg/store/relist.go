package store

import (
	"context"
	"errors"
	"fmt"
)

// relistAtOnce is how many documents are written together: other writes come between.
const relistAtOnce = 200

// Relister is a collection whose documents stand in lists, for the job that writes those of earlier versions anew.
type Relister interface {
	Spec() Spec
	// Unlisted counts the documents that lists do not have, to limit: an earlier version has written them last.
	Unlisted(ctx context.Context, limit int) (int, error)
	// Relist writes into all of them which lists they are in. It may be ended at any time and run again, and by several processes at
	// once. progress is told how many are done so far. A document that cannot be written is named in the error, the others are done.
	Relist(ctx context.Context, progress func(done int)) error
}

// unlisted are the queries for documents that were not written with the lists of this version.
func (c *Collection[T]) unlisted() []Query {
	if c.spec.Lists == nil {
		return nil
	}
	version := c.spec.Lists.Version
	return []Query{
		{Where: []Eq{{Field: VersionField}}, Limit: relistAtOnce},
		{Range: &Range{Field: VersionField, To: version}, Limit: relistAtOnce},
		{Range: &Range{Field: VersionField, From: version, FromExcl: true}, Limit: relistAtOnce},
	}
}

// Unlisted implements [Relister].
func (c *Collection[T]) Unlisted(ctx context.Context, limit int) (n int, err error) {
	for _, q := range c.unlisted() {
		of, err := c.Count(ctx, q, limit-n)
		if err != nil {
			return 0, err
		}
		if n += of; n >= limit {
			break
		}
	}
	return n, nil
}

// Relist implements [Relister]. Documents leave the index along which it walks as they are written, so that there is nothing to
// remember where it ended. Those that others write meanwhile are met in the next pass, if that left them as they were.
func (c *Collection[T]) Relist(ctx context.Context, progress func(done int)) error {
	for done := 0; ; {
		met, failed := 0, error(nil)
		for _, q := range c.unlisted() {
			for {
				page, err := c.db.Query(ctx, c.spec.Name, q)
				if err != nil {
					return fmt.Errorf("%s: %w", c.spec.Name, err)
				}
				n, err := c.relist(ctx, page.Docs)
				if ctx.Err() != nil {
					return Away(ctx.Err())
				}
				failed = errors.Join(failed, err)
				if met, done = met+len(page.Docs), done+n; n > 0 {
					progress(done)
				}
				if q.Cursor = page.Next; q.Cursor == "" {
					break
				}
			}
		}
		if met == 0 || failed != nil {
			return failed
		}
	}
}

// relist writes documents with the lists that they are in, each unless it was written meanwhile.
func (c *Collection[T]) relist(ctx context.Context, raws []Raw) (done int, failed error) {
	var ops []Op
	for _, raw := range raws {
		doc, err := c.listRaw(raw.JSON)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", raw.ID, err))
			continue
		}
		ops = append(ops, Op{Kind: Replace, Collection: c.spec.Name, ID: raw.ID, Rev: raw.Rev, JSON: doc, Was: raw.JSON})
	}
	if len(ops) == 0 {
		return 0, failed
	}
	for i, err := range c.db.Batch(ctx, ops) {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, ErrConflict):
			failed = errors.Join(failed, fmt.Errorf("%s %s: %w", c.spec.Name, ops[i].ID, err))
		}
	}
	return done, failed
}
