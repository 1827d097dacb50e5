package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

func noIndex(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 1, nil)
	for name, q := range map[string]store.Query{
		"field without index":   {Where: where("name", "x")},
		"order without index":   {Order: "name"},
		"second field alone":    {Where: where("group", "x")},
		"order behind a gap":    {Where: where("tenant", "acme"), Order: "at"},
		"range without index":   {Where: where("tenant", "acme"), Range: &store.Range{Field: "name", From: "a"}},
		"order by an array":     {Where: where("tenant", "acme"), Order: "tags"},
		"the same field twice":  {Where: where("tenant", "acme", "tenant", "acme")},
		"sparse without field":  {Where: where("deep.due", nil)},
		"more than index holds": {Where: where("tenant", "acme", "n", 1, "on", true, "group", "g")},
	} {
		if _, _, _, err := c.Query(t.Context(), q); !errors.Is(err, store.ErrNoIndex) {
			t.Errorf("query, %s: %v", name, err)
		}
		if _, err := c.Count(t.Context(), q, 5); !errors.Is(err, store.ErrNoIndex) {
			t.Errorf("count, %s: %v", name, err)
		}
	}
	for name, q := range map[string]store.SearchQuery{
		"without tenant":      {Text: "x"},
		"within other fields": {Text: "x", Where: where("tenant", "acme", "name", "y")},
	} {
		if _, _, _, err := c.Search(t.Context(), q); !errors.Is(err, store.ErrNoIndex) {
			t.Errorf("search %s: %v", name, err)
		}
	}
	if _, _, _, err := c.Query(t.Context(), store.Query{Where: where("tenant", []string{"a"}), Order: "n"}); err == nil {
		t.Error("compared with a list")
	}
}

func badSpecs(t *testing.T, db store.DB) {
	for name, s := range map[string]store.Spec{
		"name":       {Name: `x"; DROP`},
		"index name": {Name: "x", Indexes: []store.Index{{Name: "A B"}}},
		"field":      {Name: "x", Indexes: []store.Index{{Name: "a", Fields: []string{"a'b"}}}},
		"two arrays": {Name: "x", Indexes: []store.Index{{Name: "a", Fields: []string{"a[]", "b[]"}}}},
		"twice":      {Name: "x", Indexes: []store.Index{{Name: "a", Fields: []string{"a"}}, {Name: "a", Fields: []string{"b"}}}},
		"repeated":   {Name: "x", Indexes: []store.Index{{Name: "a", Fields: []string{"a", "a[]"}}}},
		"search":     {Name: "x", Search: &store.SearchSpec{}},
		"no order":   {Name: "x", Lists: &store.Lists{Version: 1}},
		"deep order": {Name: "x", Lists: &store.Lists{Orders: []string{"a.b"}, Version: 1}},
		"order x 2":  {Name: "x", Lists: &store.Lists{Orders: []string{"a", "a"}, Version: 1}},
		"no version": {Name: "x", Lists: &store.Lists{Orders: []string{"a"}}},
		"expiring":   {Name: "x", Lists: &store.Lists{Orders: []string{"a"}, Version: 1}, Expires: true},
	} {
		if err := db.Ensure(t.Context(), s); err == nil {
			t.Errorf("%s: ensured", name)
		}
	}
}

func ranges(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 10, nil)
	for name, tt := range map[string]struct {
		r    store.Range
		want []string
	}{
		"closed":       {store.Range{From: 3, To: 5, ToIncl: true}, []string{"d0003", "d0004", "d0005"}},
		"half open":    {store.Range{From: 3, To: 5}, []string{"d0003", "d0004"}},
		"open":         {store.Range{From: 3, FromExcl: true, To: 5}, []string{"d0004"}},
		"no upper end": {store.Range{From: int64(8)}, []string{"d0008", "d0009"}},
		"no lower end": {store.Range{To: 2}, []string{"d0000", "d0001"}},
		"empty":        {store.Range{From: 5, To: 5}, []string{}},
	} {
		tt.r.Field = "n"
		got, _, _, err := c.Query(t.Context(), store.Query{Where: where("tenant", "acme"), Range: &tt.r})
		if diff := cmp.Diff(tt.want, ids(got)); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func equality(t *testing.T, db store.DB) {
	c := open(t, db)
	type word string
	fill(t, c, 6, func(i int, d *Doc) {
		d.On = i%2 == 0
		if i > 3 {
			d.Group = "g"
		}
	})
	other := doc(100)
	other.Tenant, other.On = "other", true
	if err := c.Insert(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		where []store.Eq
		want  []string
	}{
		"true":        {where("tenant", "acme", "on", true), []string{"d0000", "d0002", "d0004"}},
		"no field":    {where("on", nil, "tenant", "acme"), []string{"d0001", "d0003", "d0005"}},
		"named type":  {where("tenant", word("acme"), "group", word("g")), []string{"d0004", "d0005"}},
		"no group":    {where("tenant", "acme", "group", nil), []string{"d0000", "d0001", "d0002", "d0003"}},
		"number":      {where("tenant", "acme", "n", 3), []string{"d0003"}},
		"text number": {where("tenant", "acme", "n", "3"), []string{}},
	} {
		got, _, _, err := c.Query(t.Context(), store.Query{Where: tt.where})
		if diff := cmp.Diff(tt.want, ids(got)); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func sparse(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 6, func(i int, d *Doc) {
		if i%2 == 0 {
			d.Deep = &Deep{Due: int64(10 - i)}
		}
	})
	got, _, _, err := c.Query(t.Context(), store.Query{Range: &store.Range{Field: "deep.due", To: 8, ToIncl: true}})
	if diff := cmp.Diff([]string{"d0004", "d0002"}, ids(got)); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if diff := cmp.Diff([]string{"d0004", "d0002", "d0000"}, walk(t, c, store.Query{Order: "deep.due", Limit: 2})); diff != "" {
		t.Error(diff)
	}
	must[*Doc](t)(c.Update(t.Context(), "d0002", func(d *Doc) error { d.Deep = nil; return nil }))
	if n := must[int](t)(c.Count(t.Context(), store.Query{Order: "deep.due"}, 10)); n != 2 {
		t.Errorf("%d documents are due, want 2", n)
	}
}

func arrays(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 8, func(i int, d *Doc) {
		d.Tags = [][]string{nil, {"a"}, {"a", "b"}, {"b", "b"}}[i%4]
	})
	expect := func(value any, want ...string) {
		t.Helper()
		got := walk(t, c, store.Query{Where: where("tenant", "acme", "tags", value), Order: "n", Limit: 2})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tag %v: %s", value, diff)
		}
	}
	expect("a", "d0001", "d0002", "d0005", "d0006")
	expect("b", "d0002", "d0003", "d0006", "d0007")
	none := store.Query{Where: where("tenant", "acme", "tags", nil), Order: "n"}
	if _, _, _, err := c.Query(t.Context(), none); !errors.Is(err, store.ErrNoIndex) {
		t.Errorf("documents without any tag: %v", err)
	}
	must[*Doc](t)(c.Update(t.Context(), "d0002", func(d *Doc) error { d.Tags = []string{"c"}; return nil }))
	must[*Doc](t)(c.Update(t.Context(), "d0000", func(d *Doc) error { d.Name = "tags stay"; return nil }))
	must[*Doc](t)(c.Update(t.Context(), "d0005", func(d *Doc) error { d.N = 0; return nil }))
	if err := c.Delete(t.Context(), "d0006"); err != nil {
		t.Fatal(err)
	}
	expect("a", "d0005", "d0001")
	expect("b", "d0003", "d0007")
	expect("c", "d0002")
}

func counts(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 12, func(i int, d *Doc) { d.Tags = []string{"t"} })
	for _, tt := range []struct {
		q           store.Query
		limit, want int
	}{
		{store.Query{Where: where("tenant", "acme")}, 100, 12},
		{store.Query{Where: where("tenant", "acme")}, 10, 10},
		{store.Query{Where: where("tenant", "nobody")}, 10, 0},
		{store.Query{Where: where("tenant", "acme"), Range: &store.Range{Field: "n", From: 10}}, 10, 2},
		{store.Query{Where: where("tenant", "acme", "tags", "t")}, 20, 12},
		{store.Query{}, 20, 12},
	} {
		if n := must[int](t)(c.Count(t.Context(), tt.q, tt.limit)); n != tt.want {
			t.Errorf("%+v: counted %d, want %d", tt.q, n, tt.want)
		}
	}
}

func expiry(t *testing.T, db store.DB) {
	c := open(t, db)
	past, future := event.At(time.Now().Add(-time.Second)), event.At(time.Now().Add(time.Hour))
	fill(t, c, 4, func(i int, d *Doc) {
		d.ExpiresAt = []event.Time{{}, past, future, past}[i]
		d.Words, d.Tags = store.Words("hello"), []string{"t"}
	})
	got := must[[]*Doc](t)(c.GetMany(t.Context(), []string{"d0000", "d0001", "d0002"}))
	if got[0] == nil || got[1] != nil || got[2] == nil {
		t.Errorf("got %v", got)
	}
	for name, q := range map[string]store.Query{
		"query": {Where: where("tenant", "acme"), Order: "n"},
		"array": {Where: where("tenant", "acme", "tags", "t"), Order: "n"},
	} {
		got, _, _, err := c.Query(t.Context(), q)
		if diff := cmp.Diff([]string{"d0000", "d0002"}, ids(got)); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
		if n := must[int](t)(c.Count(t.Context(), q, 10)); n != 2 {
			t.Errorf("%s: counted %d", name, n)
		}
	}
	found, _, _, err := c.Search(t.Context(), store.SearchQuery{Text: "hello", Where: where("tenant", "acme")})
	if diff := cmp.Diff([]string{"d0002", "d0000"}, ids(found)); err != nil || diff != "" {
		t.Errorf("search: %v %s", err, diff)
	}
	if _, err := c.Update(t.Context(), "d0001", func(*Doc) error { return nil }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("update of what has expired: %v", err)
	}
	anew := doc(1)
	if err := c.Insert(t.Context(), anew); err != nil {
		t.Errorf("its id is not free: %v", err)
	}
	if d := must[*Doc](t)(c.Get(t.Context(), "d0001")); d.Rev() != anew.Rev() {
		t.Errorf("got rev %d, want %d", d.Rev(), anew.Rev())
	}
}
