package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/mongo/fresh"
)

const noSuchCommand = 59

// TestNoScan asks MongoDB itself how it runs queries: never by reading a whole collection, never by sorting what an index has in
// order.
func TestNoScan(t *testing.T) {
	if !fresh.Real() {
		t.Skipf("set %s to a MongoDB deployment to run this", fresh.Variable)
	}
	uri, drop, err := fresh.Database()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := Open(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	db := opened.(*DB)
	defer func() {
		if err := errors.Join(drop(context.WithoutCancel(t.Context())), db.Close()); err != nil {
			t.Error(err)
		}
	}()
	spec := store.Spec{
		Name: "things", Expires: true, Facts: true,
		Indexes: []store.Index{
			{Name: "all"},
			{Name: "by_status", Fields: []string{"tenant", "status", "at"}},
			{Name: "by_tag", Fields: []string{"tenant", "tags[]", "at"}},
			{Name: "by_due", Fields: []string{"due.at"}, Sparse: true},
			{Name: "by_waits_for", Fields: []string{"waits_for", "at"}, Has: "waits_for"},
		},
	}
	if err := db.Ensure(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	c, err := db.collection("things")
	if err != nil {
		t.Fatal(err)
	}
	tenant := store.Eq{Field: "tenant", Value: "a"}
	for name, q := range map[string]store.Query{
		"by id":     {},
		"by status": {Where: []store.Eq{tenant, {Field: "status", Value: "open"}}, Range: &store.Range{Field: "at", From: "x"}},
		"by tag":    {Where: []store.Eq{tenant, {Field: "tags", Value: "x"}}, Order: "at", Desc: true},
		"null":      {Where: []store.Eq{tenant, {Field: "status", Value: nil}}, Order: "at"},
		"null last": {Where: []store.Eq{tenant, {Field: "status", Value: nil}}, Order: "at", Desc: true},
		"waiting":   {Where: []store.Eq{{Field: "waits_for", Value: "x"}}, Range: &store.Range{Field: "at", To: "y"}},
		"by due":    {Range: &store.Range{Field: "due.at", To: "y"}},
		"pending":   {Range: &store.Range{Field: "pending_since", To: "y", ToIncl: true}},
	} {
		p, err := spec.Plan(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, onward := range []bool{false, true} {
			if onward {
				p.At = &store.Position{Keys: make([]any, len(p.Order)), ID: "x"}
				for i := range p.At.Keys {
					p.At.Keys[i] = "k"
				}
			}
			text := explain(t, c, p)
			if strings.Contains(text, "COLLSCAN") || strings.Contains(text, `"SORT"`) || !strings.Contains(text, "IXSCAN") {
				t.Errorf("%s, onward %t: %s", name, onward, text)
			}
		}
	}
	noScanOfLists(t, db)
}

// noScanOfLists does the same for walks along lists: a union is merged, not sorted.
func noScanOfLists(t *testing.T, db *DB) {
	t.Helper()
	spec := store.Spec{Name: "listed", Lists: &store.Lists{Orders: []string{"at"}, Version: 1}}
	if err := db.Ensure(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	c, err := db.collection("listed")
	if err != nil {
		t.Fatal(err)
	}
	lists := make([]string, store.MaxLists)
	for i := range lists {
		lists[i] = fmt.Sprint("list", i)
	}
	for _, n := range []int{1, 2, store.MaxLists} {
		for _, from := range []*store.Place{nil, {At: "2026-01-01T00:00:00.000Z", Tie: "x"}} {
			for _, down := range []bool{true, false} {
				w := store.Walk{Tenant: "a", Order: "at", Groups: [][]string{lists[:n]}, Down: down, From: from}
				text := explainFind(t, c, bson.D{
					{Key: "find", Value: c.spec.Name}, {Key: "filter", Value: all(c.along(w, 0))},
					{Key: "sort", Value: order(store.Scan{Order: []string{"at"}, Desc: down})}, {Key: "hint", Value: listsIndex("at")}, {Key: "limit", Value: 26},
				})
				if strings.Contains(text, "COLLSCAN") || strings.Contains(text, `"SORT"`) || !strings.Contains(text, "IXSCAN") {
					t.Errorf("%d lists, down %t: %s", n, down, text)
				}
			}
		}
	}
}

func explain(t *testing.T, c *collection, p store.Plan) string {
	t.Helper()
	return explainFind(t, c, bson.D{
		{Key: "find", Value: c.spec.Name},
		{Key: "filter", Value: all(append(c.conditions(p), behind(p.Scan, p.Range != nil)...))},
		{Key: "sort", Value: order(p.Scan)}, {Key: "hint", Value: hint(p.Index)}, {Key: "limit", Value: p.Limit + 1},
	})
}

func explainFind(t *testing.T, c *collection, find bson.D) string {
	t.Helper()
	raw, err := c.Database().RunCommand(t.Context(), bson.D{{Key: "explain", Value: find}, {Key: "verbosity", Value: "queryPlanner"}}).Raw()
	var refused mongo.CommandError
	if errors.As(err, &refused) && refused.Code == noSuchCommand {
		t.Skip("the server cannot explain: nothing is known about how it runs queries")
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw.String()
}
