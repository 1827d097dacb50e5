package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// drive applies q's facts, from the head, until none is left or one fails. Only one at a time drives a queue.
func (a *Applier) drive(ctx context.Context, q *queue) error {
	for {
		a.mu.Lock()
		v, todo, recorded := q.version, q.todo(), q.recorded
		a.mu.Unlock()
		if len(todo) == 0 {
			return nil
		}
		implied, err := v.source.implied(todo)
		if err != nil {
			return err
		}
		if err := a.insert(ctx, outOfOrder(todo, implied, recorded)); err != nil {
			return err
		}
		last := todo[len(todo)-1].Seq
		for len(todo) > 0 {
			if err := a.insert(ctx, inOrder(implied[0])); err != nil {
				return err
			}
			n := runLength(todo, implied)
			if err := a.publish(ctx, todo[:n]); err != nil {
				return err
			}
			a.mu.Lock()
			q.recorded, q.published = max(q.recorded, last), max(q.published, todo[n-1].Seq)
			a.mu.Unlock()
			todo, implied = todo[n:], implied[n:]
		}
	}
}

// runLength tells how many facts are published with one call. Of a topic they all have the same key: only then has a call
// that fails written none of them without those in front of it, which the consumer of the topic would skip. And what
// comes before a record in order is published before that record exists.
func runLength(todo []Fact, implied [][]Implied) int {
	keys := map[string]string{}
	todo = todo[:min(len(todo), publishAtOnce)]
	for i, f := range todo {
		if key, known := keys[f.Topic]; known && key != f.Key || i > 0 && len(inOrder(implied[i])) > 0 {
			return i
		}
		keys[f.Topic] = f.Key
	}
	return len(todo)
}

func (a *Applier) publish(ctx context.Context, run []Fact) error {
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	recs := make([]event.Record, len(run))
	for i, f := range run {
		recs[i] = event.Record{Topic: f.Topic, Key: f.Key, Event: f.Event, Trace: f.Trace}
	}
	if err := a.publisher.Publish(ctx, recs...); err != nil {
		return fmt.Errorf("publish fact %d and %d more: %w", run[0].Seq, len(run)-1, err)
	}
	return nil
}

// recordAll inserts the records of all facts of v that need not wait, and returns the number up to which they are in.
func (a *Applier) recordAll(ctx context.Context, v version) (int64, error) {
	a.mu.Lock()
	recorded := int64(0)
	if q := a.queues[v.key()]; q != nil {
		recorded = q.recorded
	}
	a.mu.Unlock()
	facts := behind(v.pending, recorded)
	implied, err := v.source.implied(facts)
	if err != nil {
		return recorded, err
	}
	if err := a.insert(ctx, outOfOrder(facts, implied, recorded)); err != nil {
		return recorded, err
	}
	return max(recorded, v.last()), nil
}

// insert inserts records, all at once. If a record is itself a document with facts, those are ours to apply from now on.
func (a *Applier) insert(ctx context.Context, records []Implied) error {
	if len(records) == 0 {
		return nil
	}
	ops, revs := make([]Op, len(records)), make([]int64, len(records))
	for i, r := range records {
		doc, err := a.listed(r)
		if err != nil {
			return fmt.Errorf("record %s %s: %w", r.Collection, r.ID, err)
		}
		records[i].JSON = doc
		ops[i] = Op{Kind: Insert, Collection: r.Collection, ID: r.ID, JSON: doc, NewRev: &revs[i]}
	}
	var failed error
	for i, err := range a.db.Batch(ctx, ops) {
		switch {
		case errors.Is(err, ErrExists):
		case err != nil:
			failed = errors.Join(failed, fmt.Errorf("record %s %s: %w", records[i].Collection, records[i].ID, err))
		default:
			failed = errors.Join(failed, a.inserted(ctx, records[i].Collection, Raw{ID: records[i].ID, Rev: revs[i], JSON: records[i].JSON}))
		}
	}
	return failed
}

// listed returns the record with the lists that it is in: a fact of an earlier version implies it without.
func (a *Applier) listed(r Implied) (json.RawMessage, error) {
	a.mu.Lock()
	s := a.sources[r.Collection]
	a.mu.Unlock()
	if s == nil || s.list == nil {
		return r.JSON, nil
	}
	return s.list(r.JSON)
}

func (a *Applier) inserted(ctx context.Context, collection string, raw Raw) error {
	a.mu.Lock()
	s := a.sources[collection]
	a.mu.Unlock()
	if s == nil || !s.spec.Facts {
		return nil
	}
	v, err := versionOf(s, raw)
	if err != nil {
		return err
	}
	a.committed(ctx, v)
	return nil
}

// outOfOrder returns the records of facts behind recorded that need not wait.
func outOfOrder(facts []Fact, implied [][]Implied, recorded int64) []Implied {
	var all []Implied
	for i, rs := range implied {
		for _, r := range rs {
			if !r.InOrder && facts[i].Seq > recorded {
				all = append(all, r)
			}
		}
	}
	return all
}

func inOrder(implied []Implied) []Implied {
	var all []Implied
	for _, r := range implied {
		if r.InOrder {
			all = append(all, r)
		}
	}
	return all
}

// backoff grows from 50 ms to about 5 s, with jitter.
func backoff(tries int) time.Duration {
	d := min(50*time.Millisecond<<min(tries-1, 10), 5*time.Second)
	return d/2 + rand.N(d)
}
