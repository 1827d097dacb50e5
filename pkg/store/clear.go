package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// clear takes published facts out of documents, one compare-and-set each. Who lost the race reads and tries once more; what then
// is left is left to the next round.
func (a *Applier) clear(ctx context.Context, due []*queue) error {
	var failed error
	for part := range slices.Chunk(due, clearAtOnce) {
		lost, err := a.clearOnce(ctx, part)
		if err == nil && len(lost) > 0 {
			if err = a.reread(ctx, lost); err == nil {
				_, err = a.clearOnce(ctx, lost)
			}
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// clearOnce returns those that another has written meanwhile.
func (a *Applier) clearOnce(ctx context.Context, due []*queue) (lost []*queue, failed error) {
	of, was, versions := a.cleared(due)
	if len(of) == 0 {
		return nil, nil
	}
	ops := make([]Op, len(versions))
	for i := range versions {
		v := &versions[i]
		ops[i] = Op{Kind: Replace, Collection: v.source.spec.Name, ID: v.raw.ID, Rev: v.raw.Rev, JSON: v.raw.JSON, Was: was[i], NewRev: &v.raw.Rev}
	}
	for i, err := range a.db.Batch(ctx, ops) {
		switch {
		case err == nil:
			a.renew(of[i], versions[i])
		case errors.Is(err, ErrConflict):
			lost = append(lost, of[i])
		default:
			failed = fmt.Errorf("clear facts of %s %s: %w", ops[i].Collection, ops[i].ID, err)
		}
	}
	return lost, failed
}

// cleared returns those of which something is published, what they were, and what they are without that.
func (a *Applier) cleared(due []*queue) (of []*queue, was []json.RawMessage, versions []version) {
	a.mu.Lock()
	var published []int64
	for _, q := range due {
		if len(q.pending) > 0 && q.pending[0].Seq <= q.published {
			of, versions, published = append(of, q), append(versions, q.version), append(published, q.published)
		}
	}
	a.mu.Unlock()
	now, n := event.At(time.Now()), 0
	for i, q := range of {
		v, err := versions[i].without(published[i], now)
		if err != nil {
			a.log.Error("facts cannot be cleared", "error", err)
			continue
		}
		was = append(was, versions[i].raw.JSON)
		of[n], versions[n] = q, v
		n++
	}
	return of[:n], was, versions[:n]
}

// renew replaces what is known of a document by a newer version; its new facts are the business of whoever wrote them.
func (a *Applier) renew(q *queue, v version) {
	v.source.recent.note(v.raw)
	a.mu.Lock()
	defer a.mu.Unlock()
	if q.raw.Rev < v.raw.Rev {
		q.version = v
	}
	if a.queues[q.key()] == q {
		a.tidy(q)
	}
}

// reread reads documents anew and forgets those that are gone.
func (a *Applier) reread(ctx context.Context, qs []*queue) error {
	by, idsOf := map[*source][]*queue{}, map[*source][]string{}
	a.mu.Lock()
	for _, q := range qs {
		by[q.source], idsOf[q.source] = append(by[q.source], q), append(idsOf[q.source], q.raw.ID)
	}
	a.mu.Unlock()
	for s, qs := range by {
		ids := idsOf[s]
		raws, err := a.db.Get(ctx, s.spec.Name, ids...)
		if err != nil {
			return fmt.Errorf("read %s again: %w", s.spec.Name, err)
		}
		for i, raw := range raws {
			if raw.ID == "" {
				a.forget(qs[i])
				continue
			}
			v, err := versionOf(s, raw)
			if err != nil {
				return err
			}
			a.renew(qs[i], v)
		}
	}
	return nil
}

// forget drops a document that was deleted: nothing of it is left to clear.
func (a *Applier) forget(q *queue) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q.pending = nil
	if a.queues[q.key()] == q {
		a.tidy(q)
	}
}

// rested returns the documents that nobody has written for a while: the next write of one that is busy takes its published facts
// out in passing. If there are many, they are all due.
func (a *Applier) rested(now time.Time) []*queue {
	all := a.snapshot()
	if len(all) > queueLimit/2 {
		return all
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(all, func(q *queue) bool { return now.Sub(q.added) < clearAfter })
}

// clearUntil clears every now and then, until ctx ends.
func (a *Applier) clearUntil(ctx context.Context) error {
	t := time.NewTicker(clearEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			if err := a.clear(ctx, a.rested(time.Now())); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "published facts not taken out yet", "error", err)
			}
		}
	}
}
