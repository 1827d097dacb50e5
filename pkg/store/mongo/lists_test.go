package mongo_test

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tributaryhq/tributary/pkg/store"
	driver "github.com/tributaryhq/tributary/pkg/store/mongo"
	"github.com/tributaryhq/tributary/pkg/store/mongo/mongofake"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// imitated is a database of a fake server that keeps documents.
func imitated(t testing.TB) (*mongofake.Server, store.DB) {
	t.Helper()
	s := mongofake.New(t)
	s.Answer(mongofake.NewEngine().Answer)
	db, err := driver.Open(t.Context(), s.URI())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, db
}

// TestLists: the driver's queries find what lists have; whether MongoDB serves them by the index, TestNoScan asks it.
func TestLists(t *testing.T) {
	t.Parallel()
	storetest.RunLists(t, func(t testing.TB) store.DB {
		_, db := imitated(t)
		return db
	})
}

var listed = store.Spec{Name: "listed", Lists: &store.Lists{Orders: []string{"at"}, Version: 1}}

// TestAWalkNamesItsIndex: what the server is asked is in the order of the index, bounded, and names it, so that it fails rather than scan.
func TestAWalkNamesItsIndex(t *testing.T) {
	t.Parallel()
	s, db := imitated(t)
	if err := db.Ensure(t.Context(), listed); err != nil {
		t.Fatal(err)
	}
	keys := bson.D{}
	for _, c := range s.Seen("createIndexes") {
		models, _ := c.Body.Lookup("indexes").Array().Values()
		for _, m := range models {
			if name := m.Document().Lookup("name").StringValue(); name == "_lists_at" {
				if err := bson.Unmarshal(m.Document().Lookup("key").Document(), &keys); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if len(keys) != 4 || keys[0].Key != "tenant" || keys[1].Key != "in" || keys[2].Key != "at" || keys[3].Key != "_id" {
		t.Fatalf("the index is over %v", keys)
	}
	at := &store.Place{At: "2026-01-01T00:00:00.000Z", Tie: "x"}
	for name, w := range map[string]store.Walk{
		"one group":  {Groups: [][]string{{"a", "b"}}, Down: true},
		"onward":     {Groups: [][]string{{"a", "b"}}, Down: true, From: at},
		"two groups": {Groups: [][]string{{"a", "b"}, {"c"}}, From: at},
	} {
		before := len(s.Seen("find"))
		w.Tenant, w.Order, w.Limit, w.Look = "acme", "at", 26, 2000
		if _, err := db.Walk(t.Context(), "listed", w); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, c := range s.Seen("find")[before:] {
			dir := int64(1)
			if w.Down {
				dir = -1
			}
			if c.Text("hint") != "_lists_at" || c.Number("sort", "at") != dir || c.Number("sort", "_id") != dir || c.Number("limit") > 500 {
				t.Errorf("%s: %v", name, c.Body)
			}
		}
	}
	if _, err := db.CountLists(t.Context(), "listed", "acme", []string{"a", "b"}, 10); err != nil {
		t.Error(err)
	}
	for _, c := range s.Seen("aggregate") {
		if c.Text("hint") != "_lists_at" {
			t.Errorf("a count: %v", c.Body)
		}
	}
}
