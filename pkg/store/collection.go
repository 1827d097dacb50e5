package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	v2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	fastjson "github.com/go-json-experiment/json/v1" // encoding/json's semantics, a third of its time: every document passes here
)

// Collection keeps documents of one type. It is safe for concurrent use; the documents it returns are the caller's own.
type Collection[T any] struct {
	db    DB
	spec  Spec
	meta  func(*T) *Meta
	facts *source // nil: nothing is applied by this process

	recent *recent
	counts *recalls // of lists
}

// NewCollection gives typed access to the collection that spec declares. It touches no store: that is [DB.Ensure].
func NewCollection[T any, P Document[T]](db DB, spec Spec, opts ...Option) *Collection[T] {
	c := &Collection[T]{db: db, spec: spec, meta: func(doc *T) *Meta { return P(doc).meta() }}
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	c.recent = o.recent
	if spec.Lists != nil {
		c.counts = newRecalls(countKept)
	}
	if o.applier == nil {
		return c
	}
	c.facts = &source{spec: spec, applier: o.applier, records: o.records, recent: o.recent}
	if spec.Lists != nil {
		c.facts.list = c.listRaw
	}
	o.applier.register(c.facts)
	return c
}

// Option sets what a collection does beyond keeping documents.
type Option func(*options)

type options struct {
	applier *Applier
	records func(Fact) ([]Implied, error)
	recent  *recent
}

// Facts lets a apply the facts of the collection. A process that only reads a collection needs none.
func Facts(a *Applier) Option { return func(o *options) { o.applier = a } }

// Records tells which records a fact of the collection implies: from the fact alone, because whoever applies it may have another
// version of the document than the one that it came with.
func Records(records func(Fact) ([]Implied, error)) Option {
	return func(o *options) { o.records = records }
}

// Spec returns the declaration, for [DB.Ensure].
func (c *Collection[T]) Spec() Spec { return c.spec }

// Get returns the document, or ErrNotFound.
func (c *Collection[T]) Get(ctx context.Context, id string) (*T, error) {
	raw, err := c.read(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.decode(raw)
}

// Recent returns the document as this process last read or wrote it, if the collection has [Recall] and that is not long ago; else
// it is Get. Somebody may have changed the document since: it is for looks that a later write makes good.
func (c *Collection[T]) Recent(ctx context.Context, id string) (*T, error) {
	if raw, ok := c.recent.get(id); ok {
		return c.decode(raw)
	}
	return c.Get(ctx, id)
}

// GetMany returns the documents with these ids, in their order; nil where there is none.
func (c *Collection[T]) GetMany(ctx context.Context, ids []string) ([]*T, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	raws, err := c.db.Get(ctx, c.spec.Name, ids...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.spec.Name, err)
	}
	return c.decodeAll(raws)
}

// Query returns a page of documents and the cursors of the pages around it, empty where there is none.
func (c *Collection[T]) Query(ctx context.Context, q Query) (docs []*T, next, prev string, err error) {
	p, err := c.db.Query(ctx, c.spec.Name, q)
	return c.page(p, err)
}

// Search returns documents that contain all words of the text, the last one as a prefix, newest first.
func (c *Collection[T]) Search(ctx context.Context, q SearchQuery) (docs []*T, next, prev string, err error) {
	p, err := c.db.Search(ctx, c.spec.Name, q)
	return c.page(p, err)
}

// Count counts at most limit documents of q.
func (c *Collection[T]) Count(ctx context.Context, q Query, limit int) (int, error) {
	n, err := c.db.Count(ctx, c.spec.Name, q, limit)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.spec.Name, err)
	}
	return n, nil
}

// All walks through all documents of q, page by page; q.Limit is the size of a page. It ends with the first error.
func (c *Collection[T]) All(ctx context.Context, q Query) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for {
			docs, next, _, err := c.Query(ctx, q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, doc := range docs {
				if !yield(doc, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			q.Cursor = next
		}
	}
}

// Delete removes the document, whatever its rev; a document that is not there is no error. Facts that are still pending are
// applied first.
func (c *Collection[T]) Delete(ctx context.Context, id string) error {
	if c.facts == nil {
		return c.write(ctx, id, Op{Kind: Delete})
	}
	for try := 0; ; try++ {
		raw, err := c.read(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.facts.applier.settle(ctx, c.facts, raw); err != nil {
			return fmt.Errorf("%s %s: %w", c.spec.Name, id, err)
		}
		if err := c.write(ctx, id, Op{Kind: Delete, Rev: raw.Rev}); !errors.Is(err, ErrConflict) {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// Remove deletes the document if it is still as it was read, else ErrConflict.
func (c *Collection[T]) Remove(ctx context.Context, doc *T) error {
	m := c.meta(doc)
	return c.write(ctx, m.ID, Op{Kind: Delete, Rev: m.rev})
}

// Apply waits until everything that is pending now is applied: records inserted, facts published. It does the work itself
// if nobody in this process is at it.
func (c *Collection[T]) Apply(ctx context.Context, id string) error {
	raw, err := c.read(ctx, id)
	if err != nil || c.facts == nil {
		return err
	}
	if err := c.facts.applier.settle(ctx, c.facts, raw); err != nil {
		return fmt.Errorf("%s %s: %w", c.spec.Name, id, err)
	}
	return nil
}

func (c *Collection[T]) write(ctx context.Context, id string, op Op) error {
	op.Collection, op.ID = c.spec.Name, id
	if err := c.db.Batch(ctx, []Op{op})[0]; err != nil {
		return fmt.Errorf("%s %s: %w", c.spec.Name, id, err)
	}
	return nil
}

func (c *Collection[T]) read(ctx context.Context, id string) (Raw, error) {
	raws, err := c.db.Get(ctx, c.spec.Name, id)
	if err == nil && raws[0].ID == "" {
		err = ErrNotFound
	}
	if err != nil {
		return Raw{}, fmt.Errorf("%s %s: %w", c.spec.Name, id, err)
	}
	c.recent.note(raws[0])
	return raws[0], nil
}

func (c *Collection[T]) decode(raw Raw) (*T, error) {
	doc := new(T)
	if err := fastjson.Unmarshal(raw.JSON, doc); err != nil {
		return nil, fmt.Errorf("%s %s: stored document: %w", c.spec.Name, raw.ID, err)
	}
	m := c.meta(doc)
	m.ID, m.rev = raw.ID, raw.Rev
	return doc, nil
}

func (c *Collection[T]) decodeAll(raws []Raw) ([]*T, error) {
	docs := make([]*T, len(raws))
	for i, raw := range raws {
		if raw.ID == "" {
			continue
		}
		doc, err := c.decode(raw)
		if err != nil {
			return nil, err
		}
		docs[i] = doc
	}
	return docs, nil
}

func (c *Collection[T]) page(p Page, err error) ([]*T, string, string, error) {
	if err != nil {
		return nil, "", "", fmt.Errorf("%s: %w", c.spec.Name, err)
	}
	docs, err := c.decodeAll(p.Docs)
	return docs, p.Next, p.Prev, err
}

// encode writes a document without escaping what only HTML needs escaped.
func encode(doc any) (json.RawMessage, error) {
	return v2.Marshal(doc, fastjson.DefaultOptionsV1(), jsontext.EscapeForHTML(false))
}
