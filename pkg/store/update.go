package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

// Unchanged is returned by an update's function that leaves the document as it is: nothing is written.
var Unchanged = errors.New("store: unchanged") //nolint:errname,staticcheck // an answer, not a failure

// Insert stores a new document, and its facts with it; ErrExists if the id is taken, and then doc is as before.
func (c *Collection[T]) Insert(ctx context.Context, doc *T) error { return c.InsertMany(ctx, doc)[0] }

// InsertMany stores new documents, each by itself, and returns one error per document: nil, ErrExists or trouble.
func (c *Collection[T]) InsertMany(ctx context.Context, docs ...*T) []error {
	errs, before, revs := make([]error, len(docs)), make([]Meta, len(docs)), make([]int64, len(docs))
	var ops []Op
	var at []int // ops[i] inserts docs[at[i]]
	for i, doc := range docs {
		before[i] = *c.meta(doc)
		b, err := c.seal(ctx, doc)
		if err != nil {
			errs[i] = err
			continue
		}
		ops = append(ops, Op{Kind: Insert, Collection: c.spec.Name, ID: before[i].ID, JSON: b, NewRev: &revs[i]})
		at = append(at, i)
	}
	if len(ops) > 0 {
		for j, err := range c.db.Batch(ctx, ops) {
			if i := at[j]; err != nil {
				errs[i] = fmt.Errorf("%s %s: %w", c.spec.Name, ops[j].ID, err)
			} else {
				c.committed(ctx, docs[i], Raw{ID: ops[j].ID, Rev: revs[i], JSON: ops[j].JSON})
			}
		}
	}
	for i, err := range errs {
		if err != nil {
			*c.meta(docs[i]) = before[i]
		}
	}
	return errs
}

// Update reads the document, lets change alter it and writes it if nobody else has written it meanwhile; else it reads again
// and calls change again, for as long as ctx lives. So change decides from the document alone and has no effect outside it.
// Facts emitted in a try that lost are dropped. If change returns [Unchanged], nothing is written and the document is returned
// as it was read; any other error is returned as it is. After an error of the store the write may have been made or not.
//
// When Update returns, the records that the document's facts imply are there, except those in order; facts are published soon.
func (c *Collection[T]) Update(ctx context.Context, id string, change func(*T) error) (*T, error) {
	raw, recalled := c.recent.get(id)
	for try := 0; ; try++ {
		var err error
		if !recalled {
			if raw, err = c.read(ctx, id); err != nil {
				return nil, err
			}
		}
		doc, err := c.decode(raw)
		if err != nil {
			return nil, err
		}
		before := *c.meta(doc)
		if err = change(doc); err == nil {
			if err = c.replace(ctx, raw, before, doc); err == nil {
				return doc, nil
			}
			if !errors.Is(err, errLost) {
				return nil, err
			}
		}
		switch {
		case recalled: // and perhaps old: what was decided does not count
			recalled = false
			continue
		case errors.Is(err, Unchanged):
			return c.decode(raw)
		case !errors.Is(err, errLost):
			return nil, err
		}
		if err := pause(ctx, try); err != nil {
			return nil, fmt.Errorf("%s %s: %w", c.spec.Name, id, err)
		}
	}
}

// Upsert updates the document, or inserts what create returns after change has altered it. create and change may be called
// several times. If change leaves a document that is not there [Unchanged], nothing is inserted and what create made is returned.
func (c *Collection[T]) Upsert(ctx context.Context, id string, create func() *T, change func(*T) error) (*T, error) {
	for try := 0; ; try++ {
		doc, err := c.Update(ctx, id, change)
		if !errors.Is(err, ErrNotFound) {
			return doc, err
		}
		doc = create()
		c.meta(doc).ID = id
		if err := change(doc); errors.Is(err, Unchanged) {
			return doc, nil
		} else if err != nil {
			return nil, err
		}
		if err := c.Insert(ctx, doc); !errors.Is(err, ErrExists) {
			if err != nil {
				return nil, err
			}
			return doc, nil
		}
		if err := pause(ctx, try); err != nil {
			return nil, fmt.Errorf("%s %s: %w", c.spec.Name, id, err)
		}
	}
}

// errLost tells Update that another was faster, apart from an ErrConflict that change itself returns.
var errLost = errors.New("store: lost the race")

// replace writes doc in the place of raw. before is the header as it was read.
func (c *Collection[T]) replace(ctx context.Context, raw Raw, before Meta, doc *T) error {
	m := c.meta(doc)
	// The header's own fields are ours, also if change has replaced the whole document.
	m.ID, m.FactSeq, m.Pending, m.PendingSince, m.rev = before.ID, before.FactSeq, before.Pending, before.PendingSince, before.rev
	b, err := c.seal(ctx, doc)
	if err != nil {
		return err
	}
	var rev int64
	err = c.write(ctx, raw.ID, Op{Kind: Replace, Rev: raw.Rev, JSON: b, Was: raw.JSON, NewRev: &rev})
	if errors.Is(err, ErrConflict) {
		return errLost
	}
	if err != nil {
		return err
	}
	c.committed(ctx, doc, Raw{ID: raw.ID, Rev: rev, JSON: b})
	return nil
}

// Imply returns doc, which is to be inserted, as the record that a fact implies, its own facts with it.
func (c *Collection[T]) Imply(ctx context.Context, doc *T) (Implied, error) {
	b, err := c.seal(ctx, doc)
	return Implied{Collection: c.spec.Name, ID: c.meta(doc).ID, JSON: b}, err
}

// seal numbers the facts, takes out those that this process has published, and encodes the document.
func (c *Collection[T]) seal(ctx context.Context, doc *T) (json.RawMessage, error) {
	m := c.meta(doc)
	switch {
	case m.ID == "":
		return nil, fmt.Errorf("%s: a document without id", c.spec.Name)
	case len(m.facts) > 0 && !c.spec.Facts:
		return nil, fmt.Errorf("%s %s: the collection declares no facts", c.spec.Name, m.ID)
	}
	published := int64(0)
	if c.facts != nil {
		published = c.facts.applier.published(key{c.spec.Name, m.ID})
	}
	m.seal(published, time.Now(), traceparent.Of(ctx))
	if c.spec.Lists != nil {
		if err := m.list(c.spec.Lists, doc); err != nil {
			return nil, fmt.Errorf("%s %s: %w", c.spec.Name, m.ID, err)
		}
	}
	b, err := encode(doc)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", c.spec.Name, m.ID, err)
	}
	return b, nil
}

// committed finishes what begins with a successful write.
func (c *Collection[T]) committed(ctx context.Context, doc *T, raw Raw) {
	m := c.meta(doc)
	m.rev, m.facts = raw.Rev, nil
	c.recent.note(raw)
	if c.facts != nil {
		c.facts.applier.committed(ctx, version{source: c.facts, raw: raw, pending: m.Pending})
	}
}

// pause waits a little, longer with every try, so that racers do not meet again.
func pause(ctx context.Context, try int) error {
	t := time.NewTimer(rand.N(time.Millisecond << min(try, 5)))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return Away(ctx.Err())
	case <-t.C:
		return nil
	}
}
