package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"github.com/tributaryhq/tributary/pkg/store"
)

const atOnce = 16 // compare-and-sets of one batch on their way at the same time

const duplicateKey = 11000 // https://www.mongodb.com/docs/manual/reference/error-codes/

// Batch implements store.DB: the inserts of a collection go in one unordered bulk. A bulk cannot tell which of its
// compare-and-sets matched, so those go singly, several at once; the order of ops on the same document is not defined.
func (db *DB) Batch(ctx context.Context, ops []store.Op) []error {
	errs := make([]error, len(ops))
	inserts := map[*collection][]int{}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, op := range ops {
		c, err := db.collection(op.Collection)
		switch {
		case err != nil:
			errs[i] = err
		case op.Kind == store.Insert:
			inserts[c] = append(inserts[c], i)
		default:
			g.Go(func() error {
				errs[i] = c.write(ctx, op)
				return nil
			})
		}
	}
	for c, at := range inserts {
		g.Go(func() error {
			c.insert(ctx, ops, at, errs)
			return nil
		})
	}
	_ = g.Wait() // each op has its own error
	return errs
}

func (c *collection) write(ctx context.Context, op store.Op) error {
	switch op.Kind {
	case store.Replace:
		doc, err := c.toBSON(op.ID, op.Rev+1, op.JSON)
		if err != nil {
			return err
		}
		r, err := c.ReplaceOne(ctx, c.at(op), doc)
		if err != nil {
			return trouble(fmt.Errorf("mongo %s: replace: %w", c.spec.Name, err))
		}
		if r.MatchedCount == 0 {
			return store.ErrConflict
		}
		if op.NewRev != nil {
			*op.NewRev = op.Rev + 1
		}
		return nil
	case store.Delete:
		if op.Rev == 0 {
			if _, err := c.DeleteOne(ctx, bson.D{{Key: fieldID, Value: op.ID}}); err != nil {
				return trouble(fmt.Errorf("mongo %s: delete: %w", c.spec.Name, err))
			}
			return nil
		}
		r, err := c.DeleteOne(ctx, c.at(op))
		if err != nil {
			return trouble(fmt.Errorf("mongo %s: delete: %w", c.spec.Name, err))
		}
		if r.DeletedCount == 0 {
			return store.ErrConflict
		}
		return nil
	}
	return fmt.Errorf("mongo: no such kind of write: %d", op.Kind)
}

// at matches the document as it was read.
func (c *collection) at(op store.Op) bson.D {
	return all(append(bson.A{bson.D{{Key: fieldID, Value: op.ID}}, bson.D{{Key: fieldRev, Value: op.Rev}}}, c.alive()...))
}

// insert makes the inserts of one collection, ops[i] for i in at. Revs begin at the clock, so that they go on rising if a
// document is deleted and inserted again.
func (c *collection) insert(ctx context.Context, ops []store.Op, at []int, errs []error) {
	rev := time.Now().UnixMicro()
	var docs []any
	var of []int
	for _, i := range at {
		doc, err := c.toBSON(ops[i].ID, rev, ops[i].JSON)
		if errs[i] = err; err == nil {
			docs, of = append(docs, doc), append(of, i)
		}
	}
	if len(docs) == 0 {
		return
	}
	_, err := c.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
	failed, rest := split(err)
	for j, i := range of {
		switch code, bad := failed[j]; {
		case bad && code == duplicateKey:
			errs[i] = c.overExpired(ctx, ops[i].ID, docs[j])
		case bad:
			errs[i] = fmt.Errorf("mongo %s: insert: %w", c.spec.Name, err)
		case rest != nil:
			errs[i] = trouble(fmt.Errorf("mongo %s: insert: %w", c.spec.Name, rest))
		}
		if errs[i] == nil && ops[i].NewRev != nil {
			*ops[i].NewRev = rev
		}
	}
}

// split tells which documents of a bulk failed, with what code, and whether the others are in doubt.
func split(err error) (failed map[int]int, rest error) {
	if err == nil {
		return nil, nil
	}
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) {
		return nil, err
	}
	failed = map[int]int{}
	for _, e := range bulk.WriteErrors {
		failed[e.Index] = e.Code
	}
	if bulk.WriteConcernError != nil {
		rest = bulk.WriteConcernError
	}
	return failed, rest
}

// overExpired takes the place of a document that has expired and is still there; else the id is taken.
func (c *collection) overExpired(ctx context.Context, id string, doc any) error {
	if !c.spec.Expires {
		return store.ErrExists
	}
	r, err := c.ReplaceOne(ctx, bson.D{
		{Key: fieldID, Value: id},
		{Key: fieldExpires, Value: bson.D{{Key: "$lte", Value: time.Now()}}},
	}, doc)
	if err != nil {
		return trouble(fmt.Errorf("mongo %s: insert: %w", c.spec.Name, err))
	}
	if r.MatchedCount == 0 {
		return store.ErrExists
	}
	return nil
}
