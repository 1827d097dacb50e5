package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// walk goes through all pages and back, and checks that both ways show the same.
func walk(t *testing.T, c *store.Collection[Doc], q store.Query) []string {
	t.Helper()
	var there, back []string
	var last string
	for {
		got, next, prev, err := c.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > q.Limit {
			t.Fatalf("%d documents on a page of %d", len(got), q.Limit)
		}
		if (q.Cursor == "") != (prev == "") {
			t.Fatalf("cursor %q has prev %q", q.Cursor, prev)
		}
		there = append(there, ids(got)...)
		if next == "" {
			back, last = ids(got), prev
			break
		}
		q.Cursor = next
	}
	for last != "" {
		q.Cursor = last
		got, next, prev, err := c.Query(t.Context(), q)
		if err != nil || next == "" {
			t.Fatalf("on the way back: next %q, %v", next, err)
		}
		back, last = append(ids(got), back...), prev
	}
	if diff := cmp.Diff(there, back); diff != "" {
		t.Errorf("there and back differ: %s", diff)
	}
	return there
}

func pages(t *testing.T, db store.DB) {
	c := open(t, db)
	at := event.At(time.Unix(1700000000, 0))
	fill(t, c, 40, func(i int, d *Doc) {
		d.Group, d.At = "g", at.Add(time.Duration(i/7)*time.Second) // many share a time: the id decides
	})
	fill(t, store.NewCollection[Doc](db, docs), 0, nil)
	var want []string
	for i := range 40 {
		want = append(want, doc(i).ID)
	}
	q := store.Query{Where: where("tenant", "acme", "group", "g"), Order: "at"}
	for _, limit := range []int{1, 7, 39, 40, 41} {
		q.Limit, q.Desc = limit, false
		if diff := cmp.Diff(want, walk(t, c, q)); diff != "" {
			t.Errorf("limit %d: %s", limit, diff)
		}
		q.Desc = true
		got := walk(t, c, q)
		slices.Reverse(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d, descending: %s", limit, diff)
		}
	}
	var all []string
	for d, err := range c.All(t.Context(), store.Query{Limit: 7}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d.ID)
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("All by id: %s", diff)
	}
}

// pagesWithMissing: documents without the field that orders come first, and are paged like the others.
func pagesWithMissing(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 9, func(i int, d *Doc) {
		d.Group = "g"
		if i%2 == 0 {
			d.At = event.At(time.Unix(1700000000+int64(i), 0))
		}
	})
	want := []string{"d0001", "d0003", "d0005", "d0007", "d0000", "d0002", "d0004", "d0006", "d0008"}
	q := store.Query{Where: where("tenant", "acme", "group", "g"), Order: "at", Limit: 2}
	if diff := cmp.Diff(want, walk(t, c, q)); diff != "" {
		t.Error(diff)
	}
	q.Desc = true
	got := walk(t, c, q)
	slices.Reverse(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("descending: %s", diff)
	}
	q.Range = &store.Range{Field: "at", To: event.At(time.Unix(1700000004, 0))}
	if diff := cmp.Diff([]string{"d0002", "d0000"}, walk(t, c, q)); diff != "" {
		t.Errorf("a range leaves them out: %s", diff)
	}
}

// pagesWhileInserting: on the way there and on the way back, what was there at the start is shown once, whatever comes between.
func pagesWhileInserting(t *testing.T, db store.DB) {
	c := open(t, db)
	added := 0
	add := func(n int) {
		for range n {
			d := doc(added)
			d.Group, d.At = "g", event.At(time.Unix(int64(added*17%50), 0))
			if err := c.Insert(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			added++
		}
	}
	add(30)
	for _, desc := range []bool{false, true} {
		q := store.Query{Where: where("tenant", "acme", "group", "g"), Order: "at", Desc: desc, Limit: 4}
		end := ""
		for _, back := range []bool{false, true} {
			q.Cursor = end
			seen, atStart := map[string]int{}, added
			for {
				got, next, prev, err := c.Query(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range got {
					seen[d.ID]++
				}
				if added < atStart+15 {
					add(3)
				}
				if q.Cursor = next; back {
					q.Cursor = prev
				}
				if q.Cursor == "" {
					end = prev
					break
				}
			}
			shown := len(seen)
			for id, n := range seen {
				if n != 1 {
					t.Errorf("desc %t, back %t: %s was shown %d times", desc, back, id, n)
				}
			}
			if want := atStart; !back && shown < want || back && shown < want-q.Limit {
				t.Errorf("desc %t, back %t: %d documents shown of the %d there were", desc, back, shown, want)
			}
		}
	}
}

// pagesAfterDeletion: the documents around a position may go; those that stay are neither skipped nor shown twice.
func pagesAfterDeletion(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 10, nil)
	q := store.Query{Where: where("tenant", "acme"), Order: "n", Limit: 4}
	first, next, _, err := c.Query(t.Context(), q)
	if err != nil || len(first) != 4 {
		t.Fatal(first, err)
	}
	drop := func(names ...string) {
		for _, id := range names {
			if err := c.Delete(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
	}
	drop("d0003", "d0004") // the last one shown, and the next
	q.Cursor = next
	second, end, prev, err := c.Query(t.Context(), q)
	if diff := cmp.Diff([]string{"d0005", "d0006", "d0007", "d0008"}, ids(second)); err != nil || diff != "" {
		t.Fatalf("%v %s", err, diff)
	}
	drop("d0009")
	q.Cursor = end
	nothing, _, back, err := c.Query(t.Context(), q)
	if err != nil || len(nothing) != 0 || back == "" {
		t.Fatalf("%v, prev %q, %v", nothing, back, err)
	}
	q.Cursor = back
	again, _, _, err := c.Query(t.Context(), q)
	if diff := cmp.Diff(ids(second), ids(again)); err != nil || diff != "" {
		t.Errorf("back from an empty page: %v %s", err, diff)
	}
	drop("d0005", "d0000")
	q.Cursor = prev
	got, _, _, err := c.Query(t.Context(), q)
	if diff := cmp.Diff([]string{"d0001", "d0002"}, ids(got)); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func cursors(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 5, nil)
	q := store.Query{Where: where("tenant", "acme"), Order: "n", Limit: 2}
	_, next, _, err := c.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]store.Query{
		"rubbish":         {Where: q.Where, Order: "n", Cursor: "%%%"},
		"half":            {Where: q.Where, Order: "n", Cursor: next[:len(next)/2]},
		"other direction": {Where: q.Where, Order: "n", Desc: true, Cursor: next},
		"other index":     {Where: where("tenant", "acme", "on", nil), Order: "n", Cursor: next},
	} {
		if _, _, _, err := c.Query(t.Context(), q); !errors.Is(err, store.ErrCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
