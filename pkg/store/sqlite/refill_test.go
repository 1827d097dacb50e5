package sqlite

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/store"
)

// An index declared later finds the documents that are there: its columns are filled when it is ensured.
func TestALaterIndexFindsOlderDocuments(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	first, err := open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	spec := store.Spec{Name: "things", Indexes: []store.Index{{Name: "by_at", Fields: []string{"at"}}}}
	if err := first.Ensure(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	for id, doc := range map[string]string{
		"a": `{"_id":"a","at":1,"size":{"of":2.5},"tags":["x","y","x"]}`, "b": `{"_id":"b","at":2,"size":{"of":"large"},"tags":[]}`,
		"c": `{"_id":"c","at":3,"size":{"of":true},"tags":["y"]}`, "d": `{"_id":"d","at":4}`,
	} {
		if err := first.Batch(t.Context(), []store.Op{{Kind: store.Insert, Collection: "things", ID: id, JSON: json.RawMessage(doc)}})[0]; err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	later, err := open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := later.Close(); err != nil {
			t.Error(err)
		}
	}()
	spec.Indexes = append(spec.Indexes, store.Index{Name: "by_size", Fields: []string{"size.of"}, Sparse: true}, store.Index{Name: "by_tag", Fields: []string{"tags[]", "at"}})
	for range 2 {
		if err := later.Ensure(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	for want, q := range map[string]store.Query{
		"cab": {Order: "size.of"}, "a": {Where: []store.Eq{{Field: "tags", Value: "x"}}, Order: "at"}, "ca": {Where: []store.Eq{{Field: "tags", Value: "y"}}, Order: "at", Desc: true},
	} {
		page, err := later.Query(t.Context(), "things", q)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, d := range page.Docs {
			got += d.ID
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}
