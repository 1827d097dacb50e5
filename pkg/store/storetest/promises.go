package storetest

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/tributaryhq/tributary/pkg/store"
)

// P3Racers checks: however many take the same thing at once, one document is left, and every change counts once.
func P3Racers(t *testing.T, open Opener) {
	db := open(t)
	setup(t, db)
	var p Publisher
	a, b := newProcess(db, &p), newProcess(db, &p)
	var won errgroup.Group
	first := make(chan string, 16)
	for i := range 16 {
		won.Go(func() error {
			err := a.notes.Insert(t.Context(), &note{Meta: store.Meta{ID: "same"}, N: int64(i)})
			if err == nil {
				first <- "one"
			} else if !errors.Is(err, store.ErrExists) {
				return err
			}
			return nil
		})
		won.Go(func() error { return []*process{a, b}[i%2].count(t.Context(), "c", 1) })
	}
	if err := won.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(first) != 1 {
		t.Errorf("the same insert succeeded %d times", len(first))
	}
	if err := errors.Join(a.Flush(t.Context()), b.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	settled(t, db, &p, "c", 16)
}

// P4FactsInOrder checks: the facts of a document are seen in the order in which they were committed, without a hole, whoever of the
// processes dies or loses Kafka in between.
func P4FactsInOrder(t *testing.T, open Opener) {
	for name, play := range map[string]func(t *testing.T, db store.DB, p *Publisher){
		"the first writer dies before publishing": func(t *testing.T, db store.DB, p *Publisher) {
			a, b := newProcess(db, p), newProcess(db, p)
			check(t, a.count(t.Context(), "c", 2), b.count(t.Context(), "c", 1), b.Flush(t.Context()))
		},
		"two publish each other's": func(t *testing.T, db store.DB, p *Publisher) {
			a, b := newProcess(db, p), newProcess(db, p)
			check(t, a.count(t.Context(), "c", 1), b.count(t.Context(), "c", 2), b.Flush(t.Context()), a.Flush(t.Context()))
		},
		"one clears while another has just appended": func(t *testing.T, db store.DB, p *Publisher) {
			a, b := newProcess(db, p), newProcess(db, p)
			check(t, a.count(t.Context(), "c", 1), a.counters.Apply(t.Context(), "c"), b.count(t.Context(), "c", 1), a.Flush(t.Context()))
			if c := must[*Counter](t)(a.counters.Get(t.Context(), "c")); len(c.Pending) != 1 {
				t.Fatalf("pending %+v, want what b appended", c.Pending)
			}
			check(t, newProcess(db, p).Sweep(t.Context(), 0), b.Flush(t.Context()))
		},
		"a produce fails in the middle": func(t *testing.T, db store.DB, p *Publisher) {
			a := newProcess(db, &partly{Publisher: p, cut: 2})
			check(t, a.count(t.Context(), "c", 4))
			if err := a.Flush(t.Context()); !errors.Is(err, errAway) {
				t.Fatalf("flush: %v", err)
			}
			if got := consumed(t, p); len(got) != 2 {
				t.Fatalf("published: %v, want the first two", got)
			}
			check(t, a.count(t.Context(), "c", 1), a.Flush(t.Context()))
			settled(t, db, p, "c", 5)
			check(t, a.count(t.Context(), "c", 1), a.Flush(t.Context()))
			settled(t, db, p, "c", 6)
		},
		"an own update takes out what is published": func(t *testing.T, db store.DB, p *Publisher) {
			a := newProcess(db, p)
			check(t, a.count(t.Context(), "c", 2), a.counters.Apply(t.Context(), "c"), a.count(t.Context(), "c", 1))
			if c := must[*Counter](t)(a.counters.Get(t.Context(), "c")); len(c.Pending) != 1 {
				t.Errorf("pending %d, want 1", len(c.Pending))
			}
			check(t, a.Flush(t.Context()))
			if n := len(p.Records()); n != 3 {
				t.Errorf("one process published %d records for 3 facts", n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			setup(t, db)
			var p Publisher
			play(t, db, &p)
			sweeper := newProcess(db, &p)
			check(t, sweeper.Sweep(t.Context(), 0), sweeper.Flush(t.Context()))
			c := must[*Counter](t)(sweeper.counters.Get(t.Context(), "c"))
			settled(t, db, &p, "c", c.N)
		})
	}
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// P13KilledAnywhere checks: a process dies before or after every single step of its work, one after the other; what follows from
// its commits happens all the same, and what it did not commit did not happen.
func P13KilledAnywhere(t *testing.T, open Opener) {
	db := open(t)
	setup(t, db)
	for at := 0; ; at++ {
		for _, fate := range []fate{unhappens, lost} {
			id := fmt.Sprintf("c%d%d", at, fate)
			var p Publisher
			d := &doomed{DB: db, p: &p, left: at, fate: fate}
			a := newProcess(d, d)
			acked := int64(0)
			for range 2 {
				if a.count(t.Context(), id, 2) == nil {
					acked += 2
				}
				_ = a.Flush(t.Context()) // it dies somewhere in here
			}
			b := newProcess(db, &p)
			check(t, b.Sweep(t.Context(), 0), b.Flush(t.Context()))
			c, err := b.counters.Get(t.Context(), id)
			if errors.Is(err, store.ErrNotFound) && acked == 0 {
				continue
			}
			check(t, err)
			if c.N < acked {
				t.Errorf("killed at step %d: %d of %d acknowledged facts are there", at, c.N, acked)
			}
			settled(t, db, &p, id, c.N)
			if d.left > 0 { // it lived through everything
				return
			}
		}
	}
}
