package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

func insert(t *testing.T, db store.DB) {
	c := open(t, db)
	d := doc(1)
	d.At = event.At(time.Unix(1700000000, 0))
	if err := c.Insert(t.Context(), d); err != nil || d.Rev() == 0 {
		t.Fatalf("insert: rev %d, %v", d.Rev(), err)
	}
	again := doc(1)
	if err := c.Insert(t.Context(), again); !errors.Is(err, store.ErrExists) || again.Rev() != 0 {
		t.Errorf("insert again: rev %d, %v", again.Rev(), err)
	}
	got := must[*Doc](t)(c.Get(t.Context(), d.ID))
	if got.Rev() != d.Rev() || got.At != d.At || got.Tenant != "acme" || got.N != 1 {
		t.Errorf("got %+v, want %+v", got, d)
	}
	if _, err := c.Get(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("get nobody: %v", err)
	}
	if err := c.Insert(t.Context(), &Doc{}); err == nil {
		t.Error("a document without id was inserted")
	}
}

func insertMany(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 1, nil)
	errs := c.InsertMany(t.Context(), doc(1), doc(0), &Doc{}, doc(2))
	if errs[0] != nil || !errors.Is(errs[1], store.ErrExists) || errs[2] == nil || errs[3] != nil {
		t.Errorf("got %v", errs)
	}
	if got := must[[]*Doc](t)(c.GetMany(t.Context(), []string{"d0002", "d0001"})); got[0] == nil || got[1] == nil {
		t.Errorf("neighbours of failed inserts are missing: %v", got)
	}
}

func update(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 1, nil)
	d := must[*Doc](t)(c.Update(t.Context(), "d0000", func(d *Doc) error { d.Name = "new"; return nil }))
	got := must[*Doc](t)(c.Get(t.Context(), "d0000"))
	if got.Name != "new" || got.Rev() != d.Rev() {
		t.Errorf("got %+v, returned %+v", got, d)
	}
	mine := errors.New("mine")
	if _, err := c.Update(t.Context(), "d0000", func(d *Doc) error { d.Name = "bad"; return mine }); !errors.Is(err, mine) {
		t.Errorf("the function's error: %v", err)
	}
	if got := must[*Doc](t)(c.Get(t.Context(), "d0000")); got.Name != "new" {
		t.Errorf("a refused change was written: %+v", got)
	}
	if _, err := c.Update(t.Context(), "nobody", func(*Doc) error { return nil }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("update nobody: %v", err)
	}
}

func unchanged(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 1, nil)
	before := must[*Doc](t)(c.Get(t.Context(), "d0000"))
	d := must[*Doc](t)(c.Update(t.Context(), "d0000", func(d *Doc) error { d.Name = "scratch"; return store.Unchanged }))
	if d.Name != "" || d.Rev() != before.Rev() {
		t.Errorf("not as it was read: %+v", d)
	}
	if got := must[*Doc](t)(c.Get(t.Context(), "d0000")); got.Rev() != before.Rev() {
		t.Error("it was written")
	}
}

func keepsHeader(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 1, nil)
	d := must[*Doc](t)(c.Update(t.Context(), "d0000", func(d *Doc) error {
		*d = Doc{Meta: store.Meta{ID: "other", Tenant: d.Tenant}, Name: "whole"}
		return nil
	}))
	if d.ID != "d0000" || d.Name != "whole" {
		t.Errorf("got %+v", d)
	}
}

func upsert(t *testing.T, db store.DB) {
	c := open(t, db)
	var created atomic.Int32
	var g errgroup.Group
	for range 16 {
		g.Go(func() error {
			_, err := c.Upsert(t.Context(), "u", func() *Doc {
				created.Add(1)
				return &Doc{Meta: store.Meta{Tenant: "acme"}, N: 100}
			}, func(d *Doc) error { d.N++; return nil })
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := must[*Doc](t)(c.Get(t.Context(), "u")); got.N != 116 {
		t.Errorf("16 increments of 100 gave %d", got.N)
	}
	d := must[*Doc](t)(c.Upsert(t.Context(), "none", func() *Doc { return &Doc{} }, func(*Doc) error { return store.Unchanged }))
	if d == nil || d.Rev() != 0 {
		t.Errorf("unchanged: %+v", d)
	}
	if _, err := c.Get(t.Context(), "none"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unchanged was inserted: %v", err)
	}
}

func remove(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 2, nil)
	stale := must[*Doc](t)(c.Get(t.Context(), "d0000"))
	must[*Doc](t)(c.Update(t.Context(), "d0000", func(d *Doc) error { d.N++; return nil }))
	if err := c.Remove(t.Context(), stale); !errors.Is(err, store.ErrConflict) {
		t.Errorf("remove of a stale document: %v", err)
	}
	for range 2 {
		if err := c.Delete(t.Context(), "d0000"); err != nil {
			t.Error(err)
		}
	}
	if err := c.Remove(t.Context(), stale); !errors.Is(err, store.ErrConflict) {
		t.Errorf("remove of what is gone: %v", err)
	}
	if _, err := c.Get(t.Context(), "d0000"); !errors.Is(err, store.ErrNotFound) {
		t.Error("still there")
	}
	if err := c.Remove(t.Context(), must[*Doc](t)(c.Get(t.Context(), "d0001"))); err != nil {
		t.Error(err)
	}
}

func multiget(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 3, nil)
	got := must[[]*Doc](t)(c.GetMany(t.Context(), []string{"d0002", "nobody", "d0000", "d0002"}))
	if len(got) != 4 || got[0].ID != "d0002" || got[1] != nil || got[2].ID != "d0000" || got[3].ID != "d0002" {
		t.Errorf("got %v", got)
	}
	if got := must[[]*Doc](t)(c.GetMany(t.Context(), nil)); len(got) != 0 {
		t.Errorf("got %v for nothing", got)
	}
}

func revs(t *testing.T, db store.DB) {
	c := open(t, db)
	seen := map[int64]bool{}
	for range 5 {
		d := doc(0)
		if err := c.Insert(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		d2 := must[*Doc](t)(c.Update(t.Context(), d.ID, func(d *Doc) error { d.N++; return nil }))
		if seen[d.Rev()] || seen[d2.Rev()] || d.Rev() >= d2.Rev() {
			t.Errorf("revs %d, %d came before", d.Rev(), d2.Rev())
		}
		seen[d.Rev()], seen[d2.Rev()] = true, true
		if err := c.Delete(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func batch(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 3, nil)
	d0 := must[*Doc](t)(c.Get(t.Context(), "d0000"))
	body := func(id string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"_id":%q,"tenant":"acme","n":7}`, id))
	}
	var rev int64
	errs := db.Batch(t.Context(), []store.Op{
		{Kind: store.Insert, Collection: "docs", ID: "d0001", JSON: body("d0001")},
		{Kind: store.Replace, Collection: "docs", ID: "d0000", Rev: d0.Rev(), JSON: body("d0000"), NewRev: &rev},
		{Kind: store.Replace, Collection: "docs", ID: "d0000", Rev: d0.Rev() - 1, JSON: body("d0000")},
		{Kind: store.Replace, Collection: "docs", ID: "nobody", Rev: 1, JSON: body("nobody")},
		{Kind: store.Delete, Collection: "docs", ID: "d0002"},
		{Kind: store.Insert, Collection: "docs", ID: "x", JSON: json.RawMessage(`{"_id":`)},
		{Kind: store.Insert, Collection: "docs", ID: "new", JSON: body("new")},
		{Kind: store.Insert, Collection: "unheard_of", ID: "new", JSON: body("new")},
	})
	want := []error{store.ErrExists, nil, store.ErrConflict, store.ErrConflict, nil, errAny, nil, errAny}
	for i, err := range errs {
		if errors.Is(want[i], errAny) && err != nil || errors.Is(err, want[i]) {
			continue
		}
		t.Errorf("op %d: got %v, want %v", i, err, want[i])
	}
	raws := must[[]store.Raw](t)(db.Get(t.Context(), "docs", "d0000", "d0002", "x", "new"))
	if raws[0].Rev != rev || rev <= d0.Rev() || raws[1].ID != "" || raws[2].ID != "" || raws[3].ID != "new" {
		t.Errorf("got %v; new rev %d", raws, rev)
	}
}

var errAny = errors.New("any")

// fidelity: what a document holds comes back as it was, whatever people and providers put into it.
func fidelity(t *testing.T, db store.DB) {
	open(t, db)
	body := `{"_id":"j","tenant":"acme","raw":{"null":null,"big":9007199254740993,"long":123456789012345678901234567890,` +
		`"float":0.1,"whole":1.0,"exp":1e3,"neg":-0.5,"text":"a\u0000b \ud83d\ude00 <&>","$set":{"$gt":1},"a.b":"c","\u0000k":1,"\\k":2,"":3,` +
		`"empty":{},"digits":123456789012345678901234567890123456789,"huge":1e99999,"zero":-0,"nan":"NaN",` +
		`"half":"\ud800","deep":` + strings.Repeat(`[{"a":`, 150) + `1` + strings.Repeat(`}]`, 150) + `,` +
		`"list":[1,"2",null,[],{"x":true}],"2024-01-01T00:00:00.000Z":"2024-01-01T00:00:00.000Z"}}`
	errs := db.Batch(t.Context(), []store.Op{{Kind: store.Insert, Collection: "docs", ID: "j", JSON: json.RawMessage(body)}})
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
	raw := must[[]store.Raw](t)(db.Get(t.Context(), "docs", "j"))[0]
	if !reflect.DeepEqual(generic(t, []byte(body)), generic(t, raw.JSON)) { // cmp takes twice as long for every level
		t.Errorf("stored %s, read %s", body, raw.JSON)
	}
}

// generic reads JSON as a reader without a schema does, except that integers stay exact.
// generic is JSON with its numbers as they compare: those that neither int64 nor float64 holds, and -0, by their text.
func generic(t testing.TB, b []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return numbers(v)
}

func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = numbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = numbers(e)
		}
	case json.Number:
		i, err := v.Int64()
		f, inexact := v.Float64()
		switch {
		case v == "-0":
		case inexact == nil && len(v) < 16:
			return f
		case err == nil:
			return i
		}
	}
	return v
}

// unknownFields: an older binary reads what a newer one wrote.
func unknownFields(t *testing.T, db store.DB) {
	c := open(t, db)
	errs := db.Batch(t.Context(), []store.Op{{Kind: store.Insert, Collection: "docs", ID: "f",
		JSON: json.RawMessage(`{"_id":"f","tenant":"acme","n":1,"from_the_future":{"a":[1,2]},"pending_future":1}`)}})
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
	d := must[*Doc](t)(c.Update(t.Context(), "f", func(d *Doc) error { d.N++; return nil }))
	if d.N != 2 {
		t.Errorf("got %+v", d)
	}
}

// cancelled: a call ends when its context ends, and a dead context writes nothing.
func cancelled(t *testing.T, db store.DB) {
	c := open(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Insert(ctx, doc(1)); !errors.Is(err, context.Canceled) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("insert: %v", err)
	}
	if _, err := c.Get(ctx, "d0001"); !errors.Is(err, context.Canceled) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("get: %v", err)
	}
	if _, _, _, err := c.Query(ctx, store.Query{}); !errors.Is(err, context.Canceled) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("query: %v", err)
	}
	if _, err := c.Get(t.Context(), "d0001"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("written although the context was dead: %v", err)
	}
}

func ensureTwice(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 3, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := db.Ensure(t.Context(), docs, facts); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := must[int](t)(c.Count(t.Context(), store.Query{}, 10)); n != 3 {
		t.Errorf("%d documents left of 3", n)
	}
}

// ensureFills: an index that is declared later covers what is already there.
func ensureFills(t *testing.T, db store.DB) {
	bare := store.Spec{Name: docs.Name, Expires: true}
	if err := db.Ensure(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	fill(t, store.NewCollection[Doc](db, bare), 3, func(i int, d *Doc) {
		d.Tags, d.Words, d.Deep = []string{"x", "x"}, store.Words("old text"), &Deep{Due: int64(i)}
	})
	c := open(t, db)
	for name, q := range map[string]store.Query{
		"plain":  {Where: where("tenant", "acme"), Order: "n"},
		"array":  {Where: where("tenant", "acme", "tags", "x"), Order: "n"},
		"sparse": {Order: "deep.due"},
	} {
		got, _, _, err := c.Query(t.Context(), q)
		if diff := cmp.Diff([]string{"d0000", "d0001", "d0002"}, ids(got)); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	got, _, _, err := c.Search(t.Context(), store.SearchQuery{Text: "old", Where: where("tenant", "acme")})
	if err != nil || len(got) != 3 {
		t.Errorf("search: %d documents, %v", len(got), err)
	}
}
