package sqlite

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/store"
)

// TestSupersededIndexesAreDropped: a file of an earlier version loses what only that version uses, and what it kept for it in other
// names; the earlier version, opened once more, finds its columns missing and fills them.
func TestSupersededIndexesAreDropped(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	before := store.Spec{Name: "things", Indexes: []store.Index{
		{Name: "by_kind", Fields: []string{"kind", "at"}}, {Name: "by_tag", Fields: []string{"tags[]", "at"}}, {Name: "by_at", Fields: []string{"at"}},
	}}
	after := store.Spec{
		Name: "things", Indexes: []store.Index{{Name: "by_at", Fields: []string{"at"}}}, Superseded: []string{"by_kind", "by_tag", "by_never"},
		Lists: &store.Lists{Orders: []string{"at"}, Version: 1},
	}
	opened := func(spec store.Spec) *DB {
		db, err := open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := db.Ensure(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
		}
		return db
	}
	put := func(db *DB, id string) {
		doc := fmt.Sprintf(`{"_id":%q,"tenant":"a","kind":"k","tags":["x"],"at":"2026-01-01T00:00:00.000Z"}`, id)
		if err := db.Batch(t.Context(), []store.Op{{Kind: store.Insert, Collection: "things", ID: id, JSON: json.RawMessage(doc)}})[0]; err != nil {
			t.Fatal(err)
		}
	}
	found := func(db *DB, q store.Query, want int) {
		t.Helper()
		if n, err := db.Count(t.Context(), "things", q, 10); err != nil || n != want {
			t.Errorf("%v: %d found, want %d; %v", q, n, want, err)
		}
	}
	db := opened(before)
	put(db, "one")
	closed(t, db)
	db = opened(after)
	put(db, "two")
	found(db, store.Query{Order: "at"}, 2)
	rows, err := db.read.QueryContext(t.Context(), `SELECT name FROM sqlite_schema UNION ALL SELECT name FROM pragma_table_info('things')`)
	if err != nil {
		t.Fatal(err)
	}
	var retired int
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "x:") {
			retired++
		} else if strings.Contains(name, "by_kind") || strings.Contains(name, "by_tag") || strings.HasSuffix(name, "f:kind") {
			t.Errorf("%s is left", name)
		}
	}
	if err := rows.Err(); err != nil || retired != 2 {
		t.Errorf("%d columns have another name, want those of kind and tags; %v", retired, err)
	}
	var left int
	if err := db.read.QueryRowContext(t.Context(), `SELECT count(*) FROM things WHERE "x:8:a:by_tag" IS NOT NULL OR "x:9:f:kind" IS NOT NULL`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows hold what nothing reads, %v", left, err)
	}
	closed(t, db)
	db = opened(before)
	found(db, store.Query{Where: []store.Eq{{Field: "kind", Value: "k"}}, Order: "at"}, 2)
	found(db, store.Query{Where: []store.Eq{{Field: "tags", Value: "x"}}, Order: "at"}, 2)
	closed(t, db)
}

func closed(t *testing.T, db *DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
