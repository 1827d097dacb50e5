package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// entry is a document that stands in lists: those of its tags.
type entry struct {
	store.Meta
	At    event.Time `json:"at"`
	Since event.Time `json:"since,omitzero"` // the second order; not all have it
	Tags  []string   `json:"tags,omitempty"`
	N     int        `json:"n,omitempty"`
}

// Tokens implements store.Listed.
func (e *entry) Tokens() []string { return e.Tags }

var entries = store.Spec{Name: "entries", Facts: true, Lists: &store.Lists{Orders: []string{"at", "since"}, Version: 1}}

// time is what orders the entry.
func (e *entry) time(order string) event.Time {
	if order == "since" {
		return e.Since
	}
	return e.At
}

func openEntries(t testing.TB, db store.DB) *store.Collection[entry] {
	t.Helper()
	if err := db.Ensure(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	return store.NewCollection[entry](db, entries)
}

func minute(n int) event.Time { return event.At(time.Unix(1790000000+60*int64(n), 0)) }

func newEntry(id string, at int, tags ...string) *entry {
	return &entry{Meta: store.Meta{ID: id, Tenant: "acme"}, At: minute(at), Tags: tags}
}

// RunLists runs what the suite has on lists.
func RunLists(t *testing.T, open Opener) {
	for name, check := range map[string]func(*testing.T, store.DB){
		"Lists":              listsAreWhatAFilterFinds,
		"ListsWhileTheyMove": listsWhileTheyMove,
		"ListsLookSoFar":     listsLookSoFar,
		"ListCursors":        listCursors,
		"ListsOfImplied":     implyEntries,
		"Relisted":           relisted,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, open(t))
		})
	}
}

// walkThrough reads a query page by page to its end.
func walkThrough(t testing.TB, c *store.Collection[entry], q store.ListQuery, keep func(*entry) (bool, error)) (all []*entry, pages int, last store.ListPage[entry]) {
	t.Helper()
	for {
		p, err := c.List(t.Context(), q, keep)
		if err != nil {
			t.Fatal(err)
		}
		if size := store.PageSize(q.Limit); len(p.Docs) > size || len(p.Docs) < size && p.Next != "" && !p.Partial {
			t.Fatalf("a page of %d documents, the limit is %d, partial %t, more %t", len(p.Docs), size, p.Partial, p.Next != "")
		}
		all, last = append(all, p.Docs...), p
		if pages++; p.Next == "" {
			return all, pages, last
		}
		q.Cursor = p.Next
	}
}

// listsAreWhatAFilterFinds writes and deletes at random, and compares every query with a filter over all documents.
func listsAreWhatAFilterFinds(t *testing.T, db store.DB) {
	c := openEntries(t, db)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	tags := []string{"a", "b", "c", "d:x/y", "ü", `q"u\o`, "", "a/b", "long " + strings.Repeat("x", 300)}
	some := func() (out []string) {
		for range r.IntN(6) {
			out = append(out, tags[r.IntN(len(tags))])
		}
		return out
	}
	model := map[string]*entry{}
	for round := range 12 {
		for range 30 {
			writeAtRandom(t, db, c, model, r, some)
		}
		for range 8 {
			q := store.ListQuery{Tenant: "acme", Limit: 1 + r.IntN(12), Oldest: r.IntN(3) == 0, Order: []string{"", "at", "since"}[r.IntN(3)]}
			for range 1 + r.IntN(3) {
				q.Groups = append(q.Groups, some())
			}
			compareWithFilter(t, c, model, q, fmt.Sprintf("round %d, %q by %q, oldest %t", round, q.Groups, q.Order, q.Oldest))
		}
	}
}

// writeAtRandom inserts, changes or deletes one document, in all the ways there are.
func writeAtRandom(t *testing.T, db store.DB, c *store.Collection[entry], model map[string]*entry, r *rand.Rand, some func() []string) {
	id := fmt.Sprintf("e%02d", r.IntN(60))
	e := newEntry(id, r.IntN(40), some()...)
	if r.IntN(8) == 0 {
		e.Tenant = "other"
	}
	if r.IntN(2) == 0 {
		e.Since = minute(r.IntN(40))
	}
	var err error
	switch was := model[id]; {
	case was == nil:
		err = c.Insert(t.Context(), e)
	case r.IntN(5) == 0:
		err, e = c.Delete(t.Context(), id), nil
	case r.IntN(5) == 0: // as whoever does not know what was there
		raw := must[[]store.Raw](t)(db.Get(t.Context(), entries.Name, id))[0]
		e.In, e.ListsVersion = slices.Compact(slices.Sorted(slices.Values(e.Tags))), 1
		op := store.Op{Kind: store.Replace, Collection: entries.Name, ID: id, Rev: raw.Rev, JSON: must[[]byte](t)(json.Marshal(e))}
		err = db.Batch(t.Context(), []store.Op{op})[0]
	default:
		_, err = c.Update(t.Context(), id, func(d *entry) error {
			d.Tenant, d.Tags, d.Since = e.Tenant, e.Tags, e.Since
			if r.IntN(2) == 0 {
				d.At = e.At
			}
			e.At = d.At
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	if model[id] = e; e == nil {
		delete(model, id)
	}
}

// compareWithFilter reads a query down to its end, and the pages before the last one up again.
func compareWithFilter(t *testing.T, c *store.Collection[entry], model map[string]*entry, q store.ListQuery, what string) {
	t.Helper()
	var want []*entry
	for _, e := range model {
		in := e.Tenant == q.Tenant && !e.time(q.Order).IsZero()
		for _, g := range q.Groups {
			in = in && slices.ContainsFunc(g, func(l string) bool { return slices.Contains(e.Tags, l) })
		}
		if in {
			want = append(want, e)
		}
	}
	got, _, last := walkThrough(t, c, q, nil)
	if diff := cmp.Diff(inOrder(want, q), asFound(got, q)); diff != "" {
		t.Fatalf("%s: %s", what, diff)
	}
	back := last.Docs
	for cursor := last.Prev; cursor != ""; {
		q.Cursor = cursor
		p, err := c.List(t.Context(), q, nil)
		if err != nil {
			t.Fatal(err)
		}
		back, cursor = append(p.Docs, back...), p.Prev
	}
	if diff := cmp.Diff(asFound(got, q), asFound(back, q)); len(last.Docs) > 0 && diff != "" {
		t.Fatalf("%s, on the way back: %s", what, diff)
	}
	if len(q.Groups) == 1 && q.Order != "since" {
		for _, limit := range []int{3, 1000} {
			n, err := c.CountLists(context.WithoutCancel(t.Context()), q.Tenant, append(q.Groups[0], fmt.Sprint(what, limit)), limit) // a new list: not the kept count
			if err != nil || n != min(len(want), limit) {
				t.Fatalf("%s: counted %d to %d, there are %d; %v", what, n, limit, len(want), err)
			}
		}
	}
}

// inOrder are the ids as a list has them, those of the same time by their id.
func inOrder(all []*entry, q store.ListQuery) []string {
	slices.SortFunc(all, func(a, b *entry) int {
		if d := compareEntries(a, b, q); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	var ids []string
	for _, e := range all {
		ids = append(ids, e.time(q.Order).String()+" "+e.ID)
	}
	return ids
}

func compareEntries(a, b *entry, q store.ListQuery) int {
	if q.Oldest {
		a, b = b, a
	}
	return b.time(q.Order).Compare(a.time(q.Order).Time)
}

// asFound checks that the times are in order and sorts those of the same time, which drivers order as they like.
func asFound(all []*entry, q store.ListQuery) []string {
	if !slices.IsSortedFunc(all, func(a, b *entry) int { return compareEntries(a, b, q) }) {
		return []string{"not in the order of time"}
	}
	return inOrder(slices.Clone(all), q)
}

// listsWhileTheyMove: on the way down nothing comes twice, and what has not moved comes.
func listsWhileTheyMove(t *testing.T, db store.DB) {
	c, r := openEntries(t, db), rand.New(rand.NewPCG(7, 7))
	const all = 300
	for i := range all {
		if err := c.Insert(t.Context(), newEntry(fmt.Sprintf("e%03d", i), i/3, "a", []string{"b", "c"}[i%2])); err != nil {
			t.Fatal(err)
		}
	}
	seen, moved := map[string]bool{}, map[string]bool{}
	q := store.ListQuery{Tenant: "acme", Groups: [][]string{{"b", "c"}, {"a"}}, Limit: 10}
	for now := all; ; {
		p := must[store.ListPage[entry]](t)(c.List(t.Context(), q, nil))
		for _, d := range p.Docs {
			if seen[d.ID] {
				t.Fatalf("%s comes twice", d.ID)
			}
			seen[d.ID] = true
		}
		if q.Cursor = p.Next; q.Cursor == "" {
			break
		}
		for range 5 {
			now++
			id := fmt.Sprintf("e%03d", r.IntN(all))
			moved[id] = true
			must[*entry](t)(c.Update(t.Context(), id, func(e *entry) error { e.At = minute(now); return nil }))
		}
	}
	for i := range all {
		if id := fmt.Sprintf("e%03d", i); !seen[id] && !moved[id] {
			t.Errorf("%s was skipped", id)
		}
	}
}

// listsLookSoFar: conditions that no list serves are looked at for a bounded number of entries; then the page says that it is not all.
func listsLookSoFar(t *testing.T, db store.DB) {
	c := openEntries(t, db)
	const all = store.LookAt + 150
	var docs []*entry
	for i := range all {
		e := newEntry(fmt.Sprintf("e%04d", i), i, "a", "n"+fmt.Sprint(i%2))
		e.N = i
		docs = append(docs, e)
	}
	for some := range slices.Chunk(docs, 500) {
		if err := errors.Join(c.InsertMany(t.Context(), some...)...); err != nil {
			t.Fatal(err)
		}
	}
	for name, groups := range map[string][][]string{"one group": {{"a"}}, "two groups": {{"a"}, {"n0", "n1"}}} {
		q := store.ListQuery{Tenant: "acme", Groups: groups, Limit: 5}
		first := must[store.ListPage[entry]](t)(c.List(t.Context(), q, func(e *entry) (bool, error) { return e.N == 3, nil }))
		if len(first.Docs) != 0 || !first.Partial || first.Next == "" {
			t.Errorf("%s: %d documents, partial %t, next %q", name, len(first.Docs), first.Partial, first.Next)
		}
		got, pages, last := walkThrough(t, c, q, func(e *entry) (bool, error) { return e.N == 3, nil })
		if len(got) != 1 || got[0].N != 3 || pages != 2 || last.Partial {
			t.Errorf("%s: %d documents on %d pages", name, len(got), pages)
		}
		failed := errors.New("no")
		if _, err := c.List(t.Context(), q, func(*entry) (bool, error) { return false, failed }); !errors.Is(err, failed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wide := make([]string, store.MaxLists+1)
	for i := range wide {
		wide[i] = fmt.Sprint("n", i)
	}
	for name, q := range map[string]store.ListQuery{"no group": {}, "too many lists": {Groups: [][]string{wide}}} {
		if _, err := c.List(t.Context(), q, nil); !errors.Is(err, store.ErrNoIndex) {
			t.Errorf("%s: %v", name, err)
		}
	}
	q := store.ListQuery{Tenant: "acme", Groups: [][]string{wide, {"a"}}, Limit: 1000}
	if got, _, _ := walkThrough(t, c, q, nil); len(got) != all {
		t.Errorf("a wide group that does not lead: %d", len(got))
	}
	q.Groups = [][]string{wide[:store.MaxLists]}
	if got, _, _ := walkThrough(t, c, q, nil); len(got) != all {
		t.Errorf("as many lists as may be: %d", len(got))
	}
}

// listCursors: a cursor is for its query, both ways, and nothing else.
func listCursors(t *testing.T, db store.DB) {
	c := openEntries(t, db)
	for i := range 6 {
		if err := c.Insert(t.Context(), newEntry(fmt.Sprint("e", i), i, "a", "b")); err != nil {
			t.Fatal(err)
		}
	}
	q := store.ListQuery{Tenant: "acme", Groups: [][]string{{"a"}}, Limit: 2}
	first := must[store.ListPage[entry]](t)(c.List(t.Context(), q, nil))
	named := q
	named.Name = "mine"
	of := must[store.ListPage[entry]](t)(c.List(t.Context(), named, nil))
	for what, other := range map[string]store.ListQuery{
		"another list":   {Tenant: "acme", Groups: [][]string{{"b"}}},
		"another tenant": {Tenant: "other", Groups: [][]string{{"a"}}},
		"another order":  {Tenant: "acme", Groups: [][]string{{"a"}}, Oldest: true},
		"a named one":    named,
	} {
		other.Cursor = first.Next
		if _, err := c.List(t.Context(), other, nil); !errors.Is(err, store.ErrCursor) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, cursor := range []string{"x", "e30", first.Next[:len(first.Next)-3], first.Next[:len(first.Next)-4] + "AAAA"} {
		q.Cursor = cursor
		if _, err := c.List(t.Context(), q, nil); !errors.Is(err, store.ErrCursor) {
			t.Errorf("%s: %v", cursor, err)
		}
	}
	named.Cursor, named.Groups = of.Next, [][]string{{"b"}} // what it names by now
	if p, err := c.List(t.Context(), named, nil); err != nil || len(p.Docs) != 2 || p.Docs[0].ID != "e3" || p.Prev == "" {
		t.Errorf("the named query with other lists: %v", err)
	}
}
