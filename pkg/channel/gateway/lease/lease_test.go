package lease

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

func TestOneHolderAtATime(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, Spec)
	a, b := New(db, time.Now), New(db, time.Now)
	var first int64
	held, err := a.Try(t.Context(), "work", func(ctx context.Context, fence int64) error {
		first = fence
		if held, err := b.Try(ctx, "work", func(context.Context, int64) error { t.Error("two at once"); return nil }); held || err != nil {
			t.Errorf("held %v, %v", held, err)
		}
		if held, err := b.Try(ctx, "other work", func(context.Context, int64) error { return nil }); !held || err != nil {
			t.Errorf("other work: held %v, %v", held, err)
		}
		return nil
	})
	if !held || err != nil {
		t.Fatalf("held %v, %v", held, err)
	}
	held, err = b.Try(t.Context(), "work", func(_ context.Context, fence int64) error {
		if fence <= first {
			t.Errorf("fence %d after %d", fence, first)
		}
		return errors.New("its own")
	})
	if !held || err == nil {
		t.Errorf("after a release: held %v, %v", held, err)
	}
}

// flaky is a store whose writes can be made to fail.
type flaky struct {
	store.DB
	fail *atomic.Bool
}

func (f flaky) Batch(ctx context.Context, ops []store.Op) []error {
	if f.fail.Load() {
		return []error{errors.New("away")}
	}
	return f.DB.Batch(ctx, ops)
}

func TestAHolderStopsBeforeAnotherMayBegin(t *testing.T) {
	t.Parallel()
	db := &memory{docs: map[string]store.Raw{}}
	synctest.Test(t, func(t *testing.T) {
		var fail atomic.Bool
		a, b := New(flaky{db, &fail}, time.Now), New(db, time.Now)
		held, err := a.Try(t.Context(), "work", func(ctx context.Context, _ int64) error {
			time.Sleep(2 * TTL) // renewed meanwhile
			if ctx.Err() != nil {
				t.Error("lost a lease that could be renewed")
			}
			if held, _ := b.Try(ctx, "work", func(context.Context, int64) error { return nil }); held {
				t.Error("taken from a holder that renews")
			}
			fail.Store(true)
			start := time.Now()
			<-ctx.Done()
			if lost := time.Since(start); lost > TTL*4/5 {
				t.Errorf("noticed only after %s", lost)
			}
			if held, _ := b.Try(t.Context(), "work", func(context.Context, int64) error { return nil }); held {
				t.Error("another began before the first had to stop")
			}
			time.Sleep(TTL)
			if held, err := b.Try(t.Context(), "work", func(context.Context, int64) error { return nil }); !held || err != nil {
				t.Errorf("after TTL: held %v, %v", held, err)
			}
			return ctx.Err()
		})
		if !held || !errors.Is(err, context.Canceled) {
			t.Errorf("held %v, %v", held, err)
		}
	})
}

// memory is a store without goroutines of its own, so that a bubble of synctest can be around it.
type memory struct {
	store.DB
	mu   sync.Mutex
	docs map[string]store.Raw
}

func (m *memory) Get(_ context.Context, _ string, ids ...string) ([]store.Raw, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return []store.Raw{m.docs[ids[0]]}, nil
}

func (m *memory) Batch(_ context.Context, ops []store.Op) []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	op := ops[0]
	have, ok := m.docs[op.ID]
	switch {
	case op.Kind == store.Insert && ok:
		return []error{store.ErrExists}
	case op.Kind == store.Replace && have.Rev != op.Rev:
		return []error{store.ErrConflict}
	}
	m.docs[op.ID] = store.Raw{ID: op.ID, Rev: have.Rev + 1, JSON: op.JSON}
	*op.NewRev = have.Rev + 1
	return []error{nil}
}
