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

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

const atOnce = 16 // compare-and-sets of one batch on their way at the same time

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
		doc, err := c.encode(op.ID, op.Rev+1, op.JSON)
		if err != nil {
			return err
		}
		r, err := c.ReplaceOne(ctx, c.at(op), doc, options.Replace().SetHint(idIndex))
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
		r, err := c.DeleteOne(ctx, c.at(op), options.DeleteOne().SetHint(idIndex))
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
	var docs []bson.Raw
	var of []int
	for _, i := range at {
		doc, err := c.encode(ops[i].ID, rev, ops[i].JSON)
		if errs[i] = err; err == nil {
			docs, of = append(docs, doc), append(of, i)
		}
	}
	for j, err := range c.insertAll(ctx, docs) {
		i := of[j]
		if errs[i] = err; err == nil && ops[i].NewRev != nil {
			*ops[i].NewRev = rev
		}
	}
}

// insertAll inserts documents in one unordered bulk and returns one error each. A bulk that is refused as a whole because of what
// is in it is taken apart: only the document that is to blame fails.
func (c *collection) insertAll(ctx context.Context, docs []bson.Raw) []error {
	errs := make([]error, len(docs))
	if len(docs) == 0 {
		return errs
	}
	_, err := c.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
	var bulk mongo.BulkWriteException
	if err != nil && !errors.As(err, &bulk) {
		err = trouble(fmt.Errorf("mongo %s: insert: %w", c.spec.Name, err))
		for j := range docs {
			if errs[j] = err; len(docs) > 1 && !fault.Is(err, fault.Unavailable) {
				errs[j] = c.insertAll(ctx, docs[j:j+1])[0]
			}
		}
		return errs
	}
	for _, e := range bulk.WriteErrors {
		errs[e.Index] = e.WriteError
	}
	for j, err := range errs {
		if w := bulk.WriteConcernError; w != nil && (err == nil || taken(err)) {
			errs[j] = store.Away(fmt.Errorf("mongo %s: insert: %w", c.spec.Name, w))
			continue
		}
		errs[j] = c.inserted(ctx, docs[j], err)
	}
	return errs
}

// inserted is what became of one insert.
func (c *collection) inserted(ctx context.Context, doc bson.Raw, err error) error {
	switch {
	case err == nil:
		return nil
	case taken(err) && c.spec.Expires:
		return c.overExpired(ctx, doc)
	case taken(err):
		return store.ErrExists
	}
	return trouble(fmt.Errorf("mongo %s: insert: %w", c.spec.Name, err))
}

// overExpired takes the place of a document that has expired and is still there, or of one that went away since; else the id is
// taken.
func (c *collection) overExpired(ctx context.Context, doc bson.Raw) error {
	expired := bson.D{
		{Key: fieldID, Value: doc.Lookup(fieldID)},
		{Key: fieldExpires, Value: bson.D{{Key: "$lte", Value: time.Now()}}},
	}
	_, err := c.ReplaceOne(ctx, expired, doc, options.Replace().SetUpsert(true).SetHint(idIndex))
	if taken(err) {
		return store.ErrExists
	}
	if err != nil {
		return trouble(fmt.Errorf("mongo %s: insert: %w", c.spec.Name, err))
	}
	return nil
}
