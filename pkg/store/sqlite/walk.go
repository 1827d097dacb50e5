package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// spot is a place in a list.
type spot struct{ at, n int64 }

func (p spot) place() store.Place {
	return store.Place{At: event.At(time.UnixMilli(p.at)).String(), Tie: strconv.FormatInt(p.n, 10)}
}

// begin is where a walk begins.
func begin(w store.Walk) (spot, error) {
	if w.From == nil && w.Down {
		return spot{math.MaxInt64, math.MaxInt64}, nil
	}
	if w.From == nil {
		return spot{math.MinInt64, math.MinInt64}, nil
	}
	at, err := time.Parse(event.Layout, w.From.At)
	if err != nil {
		return spot{}, store.ErrCursor
	}
	n, err := strconv.ParseInt(w.From.Tie, 10, 64)
	if err != nil {
		return spot{}, store.ErrCursor
	}
	return spot{at.UnixMilli(), n}, nil
}

// Walk implements store.DB.
func (db *DB) Walk(ctx context.Context, name string, w store.Walk) (store.Walked, error) {
	c, err := db.withLists(name)
	if err != nil {
		return store.Walked{}, err
	}
	from, err := begin(w)
	if err != nil {
		return store.Walked{}, err
	}
	lead := 0
	if len(w.Groups) > 1 {
		if lead, err = db.leads.Lead(ctx, w, name, func(ctx context.Context, list string, limit int) (int, error) {
			return db.CountLists(ctx, name, w.Tenant, []string{list}, limit)
		}); err != nil {
			return store.Walked{}, err
		}
	}
	if len(w.Groups[lead]) == 0 {
		return store.Walked{}, nil
	}
	spots, walked, err := db.spots(ctx, c, w, lead, from)
	if err != nil {
		return store.Walked{}, trouble(fmt.Errorf("sqlite %s: lists: %w", name, err))
	}
	if walked.Rows, err = db.atSpots(ctx, c, spots); err != nil {
		return store.Walked{}, trouble(fmt.Errorf("sqlite %s: documents of lists: %w", name, err))
	}
	return walked, nil
}

func (db *DB) withLists(name string) (*collection, error) {
	c, err := db.collection(name)
	if err == nil && c.spec.Lists == nil {
		err = fmt.Errorf("%w: %s has no lists", store.ErrNoIndex, name)
	}
	return c, err
}

// spots walks along the lists of the group that leads, and checks the others on what the documents are in.
func (db *DB) spots(ctx context.Context, c *collection, w store.Walk, lead int, from spot) (found []spot, walked store.Walked, err error) {
	st := c.along(w, lead, from)
	s, err := db.prepared(ctx, st.text)
	if err != nil {
		return nil, walked, err
	}
	rows, err := s.QueryContext(ctx, st.args...)
	if err != nil {
		return nil, walked, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	others := sets(w, lead)
	for rows.Next() {
		var at spot
		var in sql.RawBytes
		if err := rows.Scan(&at.at, &at.n, &in); err != nil {
			return nil, walked, err
		}
		walked.Looked++
		if len(others) == 0 || packed(in).inAll(len(c.spec.Lists.Orders), others) {
			found = append(found, at)
		}
		if len(found) == w.Limit || walked.Looked == w.Look {
			end := at.place()
			walked.End = &end
			break
		}
	}
	return found, walked, rows.Err()
}

// sets are the keys of the groups that do not lead.
func sets(w store.Walk, lead int) (others []map[int64]bool) {
	for i, g := range w.Groups {
		if i == lead {
			continue
		}
		set := make(map[int64]bool, len(g))
		for _, l := range g {
			set[listKey(w.Tenant, l)] = true
		}
		others = append(others, set)
	}
	return others
}

// along is the walk along the lists of one group. SQLite merges the parts of a compound select in their common order and drops what is
// equal: it reads one row of each list, and then only what is taken.
func (c *collection) along(w store.Walk, lead int, from spot) statement {
	op, dir := pick(w.Down, "<", ">"), pick(w.Down, "DESC", "ASC")
	keys := parts(listKeys(w.Tenant, w.Groups[lead]))
	args := make([]any, 0, 3*len(keys)+1)
	for _, k := range keys {
		args = append(args, k, from.at, from.n)
	}
	part := fmt.Sprintf(` UNION SELECT at, n FROM %s WHERE list = ? AND (at, n) %s (?, ?)`, c.lists(w.Order), op)
	in := "NULL"
	if len(w.Groups) > 1 {
		in = "(SELECT " + listsColumn(c.spec.Lists) + " FROM " + c.table + " c WHERE c.n = u.n)"
	}
	return statement{
		text: fmt.Sprintf(`SELECT u.at, u.n, %s FROM (%s ORDER BY 1 %s, 2 %s LIMIT 0+?) u`,
			in, strings.TrimPrefix(strings.Repeat(part, len(keys)), " UNION "), dir, dir),
		args: append(args, w.Look),
	}
}

// parts pads the keys of a group to 1, 2, 4 … of them, so that there are few statements.
func parts(keys []int64) []int64 {
	if out := padded(keys); len(out) <= store.MaxLists {
		return out
	}
	for len(keys) < store.MaxLists {
		keys = append(keys, keys[len(keys)-1])
	}
	return keys
}

// atSpots reads the documents of rows, in the order of the rows; those that are gone since are left out.
func (db *DB) atSpots(ctx context.Context, c *collection, spots []spot) ([]store.ListRow, error) {
	if len(spots) == 0 {
		return nil, nil
	}
	ns := make([]int64, len(spots))
	for i, s := range spots {
		ns[i] = s.n
	}
	list, err := json.Marshal(ns)
	if err != nil {
		return nil, err
	}
	s, err := db.prepared(ctx, c.rowsSQL())
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, string(list))
	if err != nil {
		return nil, err
	}
	docs, err := scanRows(rows, 1)
	if err != nil {
		return nil, err
	}
	by := make(map[int64]store.Raw, len(docs))
	for _, d := range docs {
		n, _ := d.Keys[0].(int64)
		by[n] = d.Raw
	}
	out := make([]store.ListRow, 0, len(spots))
	for _, s := range spots {
		if raw := by[s.n]; raw.ID != "" {
			out = append(out, store.ListRow{Raw: raw, Place: s.place()})
		}
	}
	return out, nil
}

func (c *collection) rowsSQL() string {
	return `SELECT id, rev, doc, n FROM ` + c.table + ` WHERE n IN (SELECT value FROM json_each(?))`
}

// CountLists implements store.DB.
func (db *DB) CountLists(ctx context.Context, name, tenant string, lists []string, limit int) (int, error) {
	c, err := db.withLists(name)
	if err != nil || len(lists) == 0 {
		return 0, err
	}
	st := c.countLists(tenant, lists, limit)
	s, err := db.prepared(ctx, st.text)
	if err != nil {
		return 0, trouble(fmt.Errorf("sqlite %s: %w", name, err))
	}
	var n int
	if err := s.QueryRowContext(ctx, st.args...).Scan(&n); err != nil {
		return 0, trouble(fmt.Errorf("sqlite %s: count of lists: %w", name, err))
	}
	return n, nil
}

// countLists reads no document. One list has each once; of several, rows are counted by their n.
func (c *collection) countLists(tenant string, lists []string, limit int) statement {
	keys := parts(listKeys(tenant, lists))
	text := `SELECT count(*) FROM (SELECT 1 FROM %s WHERE list = ? LIMIT 0+?)`
	if len(keys) > 1 {
		text = `SELECT count(*) FROM (SELECT DISTINCT n FROM %s WHERE list IN (` + marks("?", len(keys)) + `) LIMIT 0+?)`
	}
	return statement{text: fmt.Sprintf(text, c.lists(c.spec.Lists.Orders[0])), args: append(values(keys), limit)}
}
