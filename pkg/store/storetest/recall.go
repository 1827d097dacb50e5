package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/tributaryhq/tributary/pkg/store"
)

// reads counts what is read by id.
type reads struct {
	store.DB
	n atomic.Int32
}

func (r *reads) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	r.n.Add(1)
	return r.DB.Get(ctx, collection, ids...)
}

// What is recalled may be old: it saves a read, and decides nothing that is not written.
func recall(t *testing.T, db store.DB) {
	others := open(t, db)
	fill(t, others, 1, nil)
	r := &reads{DB: db}
	c := store.NewCollection[Doc](r, docs, store.Recall())
	step := func(what string, want int64, wantReads int32, change func(*Doc) error) {
		t.Helper()
		before := r.n.Load()
		d, err := c.Update(t.Context(), "d0000", change)
		if err != nil || d.N != want {
			t.Fatalf("%s: %+v, %v", what, d, err)
		}
		if n := r.n.Load() - before; n != wantReads {
			t.Errorf("%s: %d reads", what, n)
		}
	}
	more := func(d *Doc) error { d.N++; return nil }
	step("not seen yet", 1, 1, more)
	step("written by us", 2, 0, more)
	must[*Doc](t)(others.Update(t.Context(), "d0000", more))
	step("written by another", 4, 1, more)
	must[*Doc](t)(others.Update(t.Context(), "d0000", more))
	step("unchanged", 5, 1, func(*Doc) error { return store.Unchanged })
	step("seen when it was left unchanged", 6, 0, more)
	must[*Doc](t)(others.Update(t.Context(), "d0000", more))
	odd := errors.New("odd")
	step("refused as it was, not as it is", 8, 1, func(d *Doc) error {
		if d.N%2 == 0 {
			return odd
		}
		d.N++
		return nil
	})
	if err := others.Delete(t.Context(), "d0000"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update(t.Context(), "d0000", more); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	fill(t, others, 1, nil)
	step("inserted again", 1, 1, more)
}

func recallAmongMany(t *testing.T, db store.DB) {
	fill(t, open(t, db), 2, nil)
	var g errgroup.Group
	for i := range 4 {
		c := store.NewCollection[Doc](db, docs, store.Recall())
		for range 8 {
			g.Go(func() error {
				for n := range 10 {
					if _, err := c.Update(t.Context(), fmt.Sprintf("d%04d", (i+n)%2), func(d *Doc) error { d.N++; return nil }); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, d := range must[[]*Doc](t)(open(t, db).GetMany(t.Context(), []string{"d0000", "d0001"})) {
		if want := int64(i + 4*8*5); d.N != want {
			t.Errorf("%s: %d, want %d", d.ID, d.N, want)
		}
	}
}
