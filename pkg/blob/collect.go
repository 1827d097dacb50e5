package blob

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	collectPage = 100              // entries read at once
	collectMost = 1000             // entries of a run
	askMost     = 100              // references of an entry that are asked about in a run
	failedFor   = 10 * time.Minute // until an entry whose turn failed has its next
)

// Refers reports whether the owner of a reference refers to its file now.
type Refers func(ctx context.Context, r *Reference) (bool, error)

func newCollected() metric.Int64Counter {
	c, err := otel.Meter("tributary/blob").Int64Counter("tributary_blob_collected", metric.WithUnit("By"),
		metric.WithDescription("Bytes of files that were deleted because nothing refers to them any more."))
	if err != nil {
		panic(err) // the name is ours
	}
	return c
}

// Collect deletes files whose time is over and that nothing refers to: at most collectMost in a run. Every replica may run it, at
// once and at any time; one that dies in the middle leaves an entry that says what is still to be deleted.
func (s *Store) Collect(ctx context.Context, refers Refers) error {
	return s.collect(ctx, refers, collectMost/collectPage)
}

func (s *Store) collect(ctx context.Context, refers Refers, pages int) error {
	var errs []error
	for range pages {
		due, _, _, err := s.entries.Query(ctx, store.Query{Range: &store.Range{Field: "due", To: s.at().String(), ToIncl: true}, Limit: collectPage})
		if err != nil {
			return err
		}
		for _, e := range due {
			if err := s.turn(ctx, e, refers); err != nil {
				errs = append(errs, err, s.postpone(ctx, e))
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if len(due) < collectPage {
			break
		}
	}
	return errors.Join(errs...)
}

// postpone lets others have their turn before an entry that failed.
func (s *Store) postpone(ctx context.Context, e *entry) error {
	_, err := s.entries.Update(ctx, e.ID, func(e *entry) error {
		e.Due = s.at().Add(failedFor)
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (s *Store) turn(ctx context.Context, e *entry, refers Refers) (err error) {
	if now := s.at(); e.Key != "" && !later(e.Until, e.Next).After(now) {
		next, err := s.wanted(ctx, e.Key, refers)
		if err != nil {
			return err
		}
		if e, err = s.decide(ctx, e, next); err != nil {
			return err
		}
	}
	return s.destroy(ctx, e)
}

// wanted is when the references of a file are to be looked at again; zero if there are none.
func (s *Store) wanted(ctx context.Context, key string, refers Refers) (event.Time, error) {
	now := s.at()
	rs, more, _, err := s.references.Query(ctx, store.Query{Where: []store.Eq{{Field: "key", Value: key}}, Order: "at", Limit: askMost})
	if err != nil {
		return event.Time{}, err
	}
	var next event.Time
	for _, r := range rs {
		yes, err := refers(ctx, r)
		if err != nil {
			return event.Time{}, err
		}
		switch {
		case yes:
			return now.Add(recheck), nil
		case r.At.Add(unsure).After(now):
			next = later(next, r.At.Add(unsure))
		default:
			err := s.references.Remove(ctx, r)
			if errors.Is(err, store.ErrConflict) { // its owner has just said it again
				next = later(next, now.Add(unsure))
			} else if err != nil {
				return event.Time{}, err
			}
		}
	}
	if more != "" && next.IsZero() {
		next = now.Add(time.Second)
	}
	return next, nil
}

// decide leaves a file alone until next, or dooms it if that is zero; not if it was put, kept or held since e was read.
func (s *Store) decide(ctx context.Context, e *entry, next event.Time) (*entry, error) {
	after, err := s.entries.Update(ctx, e.ID, func(now *entry) error {
		if now.Touched != e.Touched || now.Key != e.Key {
			return store.Unchanged
		}
		now.Next = next
		if next.IsZero() {
			now.Doomed, now.Key = append(now.Doomed, doomed{Key: now.Key, Size: now.Size}), ""
		}
		now.settle(s.at())
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return &entry{}, nil // another replica has collected it
	}
	return after, err
}

// destroy deletes the bytes that are doomed, and then the entry if it is about nothing else.
func (s *Store) destroy(ctx context.Context, e *entry) error {
	if len(e.Doomed) > 0 {
		var err error
		if e, err = s.erase(ctx, e); err != nil {
			return err
		}
	}
	if e.ID == "" || e.Key != "" || len(e.Doomed) > 0 {
		return nil
	}
	if err := s.entries.Remove(ctx, e); !errors.Is(err, store.ErrConflict) { // it is put again
		return err
	}
	return nil
}

// erase deletes the bytes that are doomed, and then strikes them out.
func (s *Store) erase(ctx context.Context, e *entry) (*entry, error) {
	for _, d := range e.Doomed {
		if err := s.remove(ctx, d.Key); err != nil {
			return nil, err
		}
	}
	var bytes int64
	after, err := s.entries.Update(ctx, e.ID, func(now *entry) error {
		bytes = 0
		now.Doomed = slices.DeleteFunc(now.Doomed, func(d doomed) bool {
			gone := slices.Contains(e.Doomed, d)
			if gone {
				bytes += d.Size
			}
			return gone
		})
		now.settle(s.at())
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return &entry{}, nil // another replica has done it
	}
	s.collected.Add(ctx, bytes)
	return after, err
}
