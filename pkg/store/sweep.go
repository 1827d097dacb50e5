package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// sweepUntil sweeps at once and then every few seconds, until ctx ends.
func (a *Applier) sweepUntil(ctx context.Context) error {
	for age := time.Duration(0); ; age = SweepAge {
		if err := a.Sweep(ctx, age); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "sweep", "error", err)
		}
		t := time.NewTimer(SweepAge/4 + rand.N(SweepAge/4))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// Sweep takes over all documents whose first pending fact is older than age: their writer is dead, or Kafka was away.
func (a *Applier) Sweep(ctx context.Context, age time.Duration) error {
	a.mu.Lock()
	var all []*source
	for _, s := range a.sources {
		if s.spec.Facts {
			all = append(all, s)
		}
	}
	a.mu.Unlock()
	var failed error
	for _, s := range all {
		failed = errors.Join(failed, a.sweep(ctx, s, event.At(time.Now()).Add(-age)))
	}
	return failed
}

// sweep takes over what was pending before a time, and what says it is pending since a time that has not come.
func (a *Applier) sweep(ctx context.Context, s *source, before event.Time) error {
	for _, r := range dueRanges("pending_since", before, SweepAge) {
		if err := a.sweepRange(ctx, s, r); err != nil {
			return err
		}
	}
	return nil
}

func (a *Applier) sweepRange(ctx context.Context, s *source, r *Range) error {
	q := Query{Range: r, Limit: 200}
	for {
		p, err := a.db.Query(ctx, s.spec.Name, q)
		if err != nil {
			return err
		}
		for _, raw := range p.Docs {
			if err := a.adopt(ctx, s, raw); err != nil {
				return err
			}
		}
		if q.Cursor = p.Next; p.Next == "" {
			return nil
		}
	}
}

// adopt makes the facts of a document of somebody else ours, once there is room for it.
func (a *Applier) adopt(ctx context.Context, s *source, raw Raw) error {
	v, err := versionOf(s, raw)
	if err != nil {
		a.log.ErrorContext(ctx, "sweep", "error", err) // one document that nobody can read stops no other
		return nil
	}
	for {
		if _, ok := a.add(v, 0); ok {
			return nil
		}
		t := time.NewTimer(100 * time.Millisecond)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}
