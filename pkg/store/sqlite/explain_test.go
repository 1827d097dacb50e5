package sqlite

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/store"
)

var explained = store.Spec{
	Name: "things", Expires: true, Facts: true,
	Indexes: []store.Index{
		{Name: "all"},
		{Name: "by_status", Fields: []string{"tenant", "status", "at"}},
		{Name: "by_tag", Fields: []string{"tenant", "tags[]", "at"}},
		{Name: "by_due", Fields: []string{"due.at"}, Sparse: true},
	},
	Search: &store.SearchSpec{Fields: []string{"tenant", "ou"}, Order: "at"},
}

// TestNoScan asks SQLite itself how it runs every kind of statement there is: never by reading a whole table, and never by
// sorting what an index has in order.
func TestNoScan(t *testing.T) {
	t.Parallel()
	db, err := open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := db.Ensure(t.Context(), explained); err != nil {
		t.Fatal(err)
	}
	c, err := db.collection("things")
	if err != nil {
		t.Fatal(err)
	}
	examine(t, db, statements(t, c))
}

// TestNoScanOfLists does the same for lists. Who counts several lists at once keeps what was counted aside, to count it once.
func TestNoScanOfLists(t *testing.T) {
	t.Parallel()
	db, err := open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	spec := store.Spec{Name: "things", Lists: &store.Lists{Orders: []string{"at"}, Version: 1}}
	if err := db.Ensure(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	c, err := db.collection("things")
	if err != nil {
		t.Fatal(err)
	}
	some := []any{1, 2, 3, 4}
	all := map[string]statement{
		"documents":        {text: c.rowsSQL(), args: []any{"[1,2]"}},
		"count of one":     c.countLists("acme", []string{"a"}, 10),
		"count of several": c.countLists("acme", []string{"a", "b", "c"}, 10),
		"move":             {text: moveSQL(c.lists("at"), c.rowOf(), 4), args: slices.Concat([]any{9}, some, []any{8, "id"})},
		"drop":             {text: dropSQL(c.lists("at"), c.rowOf(), 4), args: slices.Concat(some, []any{8, "id"})},
		"add":              {text: addSQL(c.lists("at"), c.rowOf(), 4), args: slices.Concat([]any{9, "id"}, some)},
	}
	for name, groups := range map[string][][]string{"one list": {{"a"}}, "a union": {{"a", "b", "c"}}, "two groups": {{"a", "b"}, {"c"}}} {
		for _, down := range []bool{true, false} {
			w := store.Walk{Tenant: "acme", Order: "at", Groups: groups, Down: down, Look: 10}
			all["walk, "+name+pick(down, ", down", ", up")] = c.along(w, 0, spot{1, 1})
		}
	}
	examine(t, db, all)
	for name, st := range all {
		if text := strings.Join(plan(t, db, st), "\n"); strings.HasPrefix(name, "walk") && !strings.Contains(text, "(list=? AND (at,n)") {
			t.Errorf("%s does not seek its position: %s", name, text)
		}
	}
}

func examine(t *testing.T, db *DB, all map[string]statement) {
	t.Helper()
	for name, st := range all {
		lines := plan(t, db, st)
		if strings.Contains(name, "onward") && !seeks.MatchString(lines[0]) {
			t.Errorf("%s does not seek its position, so every page walks through those before: %s", name, lines[0])
		}
		for _, line := range lines {
			scans := strings.HasPrefix(line, "SCAN") && !allowed.MatchString(line)
			sorts := strings.Contains(line, "TEMP B-TREE FOR ORDER BY") && !strings.HasPrefix(name, "search")
			if scans || sorts {
				t.Errorf("%s: %s\n%s", name, line, st.text)
			}
		}
	}
}

// allowed are walks along an index, the virtual table of words asked for words, and lists that come with the statement.
var allowed = regexp.MustCompile(`USING (COVERING )?INDEX|VIRTUAL TABLE INDEX \d+:M|json_each VIRTUAL TABLE|\(subquery|LIST SUBQUERY|^SCAN u$|ROW VALUES CLAUSE`)

var seeks = regexp.MustCompile(`id\)?[<>]`)

func statements(t *testing.T, c *collection) map[string]statement {
	t.Helper()
	tenant, at := store.Eq{Field: "tenant", Value: "a"}, &store.Range{Field: "at", From: "x", To: "y"}
	queries := map[string]store.Query{
		"by id":             {},
		"by status":         {Where: []store.Eq{tenant, {Field: "status", Value: "open"}}, Order: "at"},
		"by status, nil":    {Where: []store.Eq{tenant, {Field: "status", Value: nil}}, Order: "at"},
		"by status, range":  {Where: []store.Eq{tenant, {Field: "status", Value: "open"}}, Range: at, Desc: true},
		"by part of it":     {Where: []store.Eq{tenant}, Order: "status"},
		"by tag":            {Where: []store.Eq{tenant, {Field: "tags", Value: "x"}}, Order: "at", Desc: true},
		"by tag, range":     {Where: []store.Eq{tenant, {Field: "tags", Value: "x"}}, Range: at},
		"by due":            {Range: &store.Range{Field: "due.at", To: "y"}},
		"by due, ordered":   {Order: "due.at", Desc: true},
		"what is pending":   {Range: &store.Range{Field: "pending_since", To: "y", ToIncl: true}},
		"a whole statement": {Where: []store.Eq{tenant, {Field: "status", Value: "open"}}, Range: &store.Range{Field: "at", From: "x"}},
	}
	all := map[string]statement{
		"expire": {text: c.expireSQL(), args: []any{1}},
		"many":   {text: c.manySQL(), args: c.args(`["a","b"]`)},
		"one":    {text: c.oneSQL(), args: c.args("a")},
	}
	for name, q := range queries {
		for _, desc := range []bool{q.Desc, !q.Desc} {
			q.Desc = desc
			p, err := c.spec.Plan(q)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all[name+pick(desc, ", down", ", up")] = c.page(p)
			all[name+", counted"] = c.count(p, 10)
			p.At = &store.Position{Keys: make([]any, len(p.Order)), ID: "x"}
			for i := range p.At.Keys {
				p.At.Keys[i] = "k"
			}
			all[name+", onward"+pick(desc, ", down", ", up")] = c.page(p)
		}
	}
	terms, where, scan, err := c.spec.PlanSearch(store.SearchQuery{Text: "two words", Where: []store.Eq{tenant}})
	if err != nil {
		t.Fatal(err)
	}
	all["search"] = c.search(terms, where, scan)
	return all
}

func plan(t *testing.T, db *DB, st statement) []string {
	t.Helper()
	rows, err := db.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+st.text, st.args...)
	if err != nil {
		t.Fatalf("%v in %s", err, st.text)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil || len(lines) == 0 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	return lines
}

// TestExpire: the janitor takes what has expired out of the file, with all that belongs to it.
func TestExpire(t *testing.T) {
	t.Parallel()
	db, err := open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Ensure(t.Context(), explained); err != nil {
		t.Fatal(err)
	}
	var ops []store.Op
	for i := range expireAtOnce + 10 {
		ops = append(ops, store.Op{Kind: store.Insert, Collection: "things", ID: string(rune('a' + i)),
			JSON: []byte(`{"tenant":"a","tags":["x"],"words":["w"],"expires_at":"2020-01-01T00:00:00.000Z"}`)})
	}
	ops = append(ops, store.Op{Kind: store.Insert, Collection: "things", ID: "stays",
		JSON: []byte(`{"tenant":"a","tags":["x"],"words":["w"],"expires_at":"2920-01-01T00:00:00.000Z"}`)})
	for _, err := range db.Batch(t.Context(), ops) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{`"things"`, `"things:by_tag"`, `"things#words" WHERE "things#words" MATCH 'w'`} {
		var n int
		if err := db.read.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil || n != 1 {
			t.Errorf("%s: %d rows are left, want 1; %v", table, n, err)
		}
	}
}

// TestPragmas: a commit is on the disk, not just with the operating system, and readers do not wait for it.
func TestPragmas(t *testing.T) {
	t.Parallel()
	db, err := open(t.Context(), filepath.Join(t.TempDir(), "odd name?#%41.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} {
		var read, write string
		if err := db.read.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&read); err != nil {
			t.Fatal(err)
		}
		if err := db.writer.tx.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&write); err != nil {
			t.Fatal(err)
		}
		if read != want || write != want {
			t.Errorf("%s is %s for readers and %s for the writer, want %s", pragma, read, write, want)
		}
	}
}

// TestOtherForm: an index under a name that is taken is refused, not replaced under the feet of another process.
func TestOtherForm(t *testing.T) {
	t.Parallel()
	db, err := open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a := store.Spec{Name: "a", Indexes: []store.Index{{Name: "i", Fields: []string{"x"}}}}
	b := store.Spec{Name: "a", Indexes: []store.Index{{Name: "i", Fields: []string{"y"}}}}
	if err := db.Ensure(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if err := db.Ensure(t.Context(), b); err == nil || !strings.Contains(err.Error(), "new name") {
		t.Errorf("got %v", err)
	}
}
