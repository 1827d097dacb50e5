package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"github.com/tributaryhq/tributary/pkg/store"
)

// smallPage is how many documents a read may ask for that goes together with others.
const smallPage = 100

// Get implements store.DB.
func (db *DB) Get(ctx context.Context, name string, ids ...string) ([]store.Raw, error) {
	c, err := db.collection(name)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	st := statement{text: c.oneSQL(), args: c.args(ids[0])}
	if len(ids) > 1 {
		list, err := json.Marshal(ids)
		if err != nil {
			return nil, err
		}
		st = statement{text: c.manySQL(), args: c.args(string(list))}
	}
	rows, err := db.fetch(ctx, st, 0, len(ids) <= smallPage)
	if err != nil {
		return nil, trouble(fmt.Errorf("sqlite %s: %w", name, err))
	}
	raws := make([]store.Raw, len(ids))
	if len(ids) == 1 {
		for _, r := range rows {
			raws[0] = r.Raw
		}
		return raws, nil
	}
	by := make(map[string]store.Raw, len(rows))
	for _, r := range rows {
		by[r.ID] = r.Raw
	}
	for i, id := range ids {
		raws[i] = by[id]
	}
	return raws, nil
}

func (c *collection) oneSQL() string {
	return `SELECT id, rev, doc FROM ` + c.table + ` WHERE id = ?` + c.alive()
}

func (c *collection) manySQL() string {
	return `SELECT id, rev, doc FROM ` + c.table + ` WHERE id IN (SELECT value FROM json_each(?))` + c.alive()
}

// Query implements store.DB.
func (db *DB) Query(ctx context.Context, name string, q store.Query) (store.Page, error) {
	c, err := db.collection(name)
	if err != nil {
		return store.Page{}, err
	}
	p, err := c.spec.Plan(q)
	if err != nil {
		return store.Page{}, err
	}
	rows, err := db.fetch(ctx, c.page(p), len(p.Order), p.Limit <= smallPage)
	if err != nil {
		return store.Page{}, trouble(fmt.Errorf("sqlite %s: query by %s: %w", name, p.Index.Name, err))
	}
	return p.Page(rows), nil
}

// Count implements store.DB.
func (db *DB) Count(ctx context.Context, name string, q store.Query, limit int) (int, error) {
	c, err := db.collection(name)
	if err != nil {
		return 0, err
	}
	q.Cursor = ""
	p, err := c.spec.Plan(q)
	if err != nil {
		return 0, err
	}
	st := c.count(p, limit)
	s, err := db.prepared(ctx, st.text)
	if err != nil {
		return 0, trouble(fmt.Errorf("sqlite %s: %w", name, err))
	}
	var n int
	if err := s.QueryRowContext(ctx, st.args...).Scan(&n); err != nil {
		return 0, trouble(fmt.Errorf("sqlite %s: count by %s: %w", name, p.Index.Name, err))
	}
	return n, nil
}

// Search implements store.DB.
func (db *DB) Search(ctx context.Context, name string, q store.SearchQuery) (store.Page, error) {
	c, err := db.collection(name)
	if err != nil {
		return store.Page{}, err
	}
	terms, where, scan, err := c.spec.PlanSearch(q)
	if err != nil || len(terms) == 0 {
		return store.Page{}, err
	}
	rows, err := db.fetch(ctx, c.search(terms, where, scan), 1, false)
	if err != nil {
		return store.Page{}, trouble(fmt.Errorf("sqlite %s: search: %w", name, err))
	}
	return scan.Page(rows), nil
}

func scanRow(rows *sql.Rows, keys int) (store.Row, error) {
	r := store.Row{Keys: make([]any, keys)}
	into := []any{&r.ID, &r.Rev, (*[]byte)(&r.JSON)}
	for i := range r.Keys {
		into = append(into, &r.Keys[i])
	}
	if err := rows.Scan(into...); err != nil {
		return r, err
	}
	for i, k := range r.Keys {
		if f, ok := k.(float64); ok && math.IsInf(f, -1) {
			r.Keys[i] = nil
		}
	}
	return r, nil
}
