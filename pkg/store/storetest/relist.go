package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// implyEntries: a record that a fact of an earlier version implies names no lists; it is in them all the same.
func implyEntries(t *testing.T, db store.DB) {
	parents := store.Spec{Name: "parents", Facts: true}
	if err := db.Ensure(t.Context(), entries, parents); err != nil {
		t.Fatal(err)
	}
	a := store.NewApplier(db, &Publisher{}, nil)
	c := store.NewCollection[entry](db, entries, store.Facts(a))
	p := store.NewCollection[Doc](db, parents, store.Facts(a), store.Records(func(store.Fact) ([]store.Implied, error) {
		return []store.Implied{{Collection: "entries", ID: "child", JSON: json.RawMessage(
			`{"_id":"child","tenant":"acme","at":"` + minute(1).String() + `","tags":["a"],"later":7}`)}}, nil
	}))
	d := doc(1)
	d.Emit("topic", "key", event.Event{ID: "evt_1", Type: "x"})
	if err := p.Insert(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	got, _, _ := walkThrough(t, c, store.ListQuery{Tenant: "acme", Groups: [][]string{{"a"}}}, nil)
	if len(got) != 1 {
		t.Fatalf("%d entries", len(got))
	}
	if raw := must[[]store.Raw](t)(db.Get(t.Context(), "entries", "child"))[0].JSON; !strings.Contains(string(raw), `"later":7`) {
		t.Errorf("a field that is not known is gone: %s", raw)
	}
}

// relisted: documents of an earlier version are in no list until the job has written them anew, which may be ended and run again.
func relisted(t *testing.T, db store.DB) {
	before := entries
	before.Lists = nil
	if err := db.Ensure(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	old := store.NewCollection[entry](db, before)
	const all = 450
	var docs []*entry
	for i := range all {
		docs = append(docs, newEntry(fmt.Sprintf("e%03d", i), i, "a"))
	}
	if err := errors.Join(old.InsertMany(t.Context(), docs...)...); err != nil {
		t.Fatal(err)
	}
	c := openEntries(t, db)
	q := store.ListQuery{Tenant: "acme", Groups: [][]string{{"a"}}, Limit: 1000}
	left := func(want, listed int) {
		t.Helper()
		if n, err := c.Unlisted(t.Context(), 1000); err != nil || n != want {
			t.Errorf("%d are not in lists, want %d; %v", n, want, err)
		}
		if got, _, _ := walkThrough(t, c, q, nil); len(got) != listed {
			t.Errorf("%d are listed, want %d", len(got), listed)
		}
	}
	left(all, 0)
	must[*entry](t)(c.Update(t.Context(), "e000", func(e *entry) error { e.Tags = append(e.Tags, "b"); return nil }))
	left(all-1, 1)
	if n, err := c.Unlisted(t.Context(), 7); err != nil || n != 7 {
		t.Errorf("counted to 7: %d, %v", n, err)
	}
	ctx, end := context.WithCancel(t.Context())
	if err := c.Relist(ctx, func(int) { end() }); err == nil {
		t.Error("the job that was ended says that it is done")
	}
	if n, err := c.Unlisted(t.Context(), 1000); err != nil || n == 0 || n >= all-1 {
		t.Errorf("%d are left of the first half, %v", n, err)
	}
	last := 0
	if err := c.Relist(t.Context(), func(done int) { last = done }); err != nil || last == 0 {
		t.Errorf("again: %v, %d", err, last)
	}
	left(0, all)
	if err := c.Relist(t.Context(), func(done int) { t.Errorf("%d done again", done) }); err != nil {
		t.Error(err)
	}
	must[*entry](t)(old.Update(t.Context(), "e007", func(e *entry) error { e.In, e.ListsVersion = nil, 0; return nil })) // a process of the earlier version
	left(1, all-1)
	next := entries
	next.Lists = &store.Lists{Orders: entries.Lists.Orders, Version: 2}
	later := store.NewCollection[entry](db, next)
	if err := later.Relist(t.Context(), func(int) {}); err != nil {
		t.Error(err)
	}
	if n, err := later.Unlisted(t.Context(), 1000); err != nil || n != 0 {
		t.Errorf("of the next version: %d, %v", n, err)
	}
	if n, err := c.Unlisted(t.Context(), 1000); err != nil || n != all {
		t.Errorf("for the version before: %d, %v", n, err)
	}
}
