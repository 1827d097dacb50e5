package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/store"
)

// none stands in indexed columns for a field that a document does not have: it comes before every number and text, and unlike
// NULL it can be compared.
const none = "-9e999"

// collection is a table and what belongs to it. All names are checked by store.Spec.Check, so quoting them is enough.
type collection struct {
	spec    store.Spec
	table   string
	columns []column

	insertSQL string
	layout    layout // expires_at lies first
}

func newCollection(spec store.Spec) *collection {
	c := &collection{spec: spec, table: quote(spec.Name), layout: layout{first: map[string][]int{}}}
	c.layout.place(expiresAt)
	c.columns = columns(spec, &c.layout)
	c.insertSQL = c.inserting()
	return c
}

func quote(name string) string { return `"` + name + `"` }

// filled is the column of a field in which none stands for no value; sparse is the one that is NULL then. elements is the column
// from which the rows of an array's side table are made.
func filled(field string) string     { return quote("f:" + field) }
func sparse(field string) string     { return quote("s:" + field) }
func elements(ix store.Index) string { return quote("a:" + ix.Name) }

// columnOf is the column of an index's field.
func columnOf(ix store.Index, field string) string {
	if ix.Filter() == field {
		return sparse(field)
	}
	return filled(field)
}

func (c *collection) index(ix store.Index) string { return quote(c.spec.Name + ":" + ix.Name) }
func (c *collection) words() string               { return quote(c.spec.Name + "#words") }

// Require implements store.DB.
func (db *DB) Require(ctx context.Context, specs ...store.Spec) error {
	return db.Ensure(ctx, specs...)
}

// Ensure implements store.DB. A column that is new is filled for all documents that are there, so processes that share the file
// are of one version. An index that is there with other fields is an error: a changed index needs a new name.
func (db *DB) Ensure(ctx context.Context, specs ...store.Spec) error {
	all := make([]*collection, len(specs))
	for i, spec := range specs {
		if err := spec.Check(); err != nil {
			return fmt.Errorf("sqlite: %w", err)
		}
		all[i] = newCollection(spec)
	}
	err := db.writer.alone(ctx, func(t *tx) error { return t.ensure(all) })
	if err != nil {
		return trouble(fmt.Errorf("sqlite: %w", err))
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, c := range all {
		db.known[c.spec.Name] = c
	}
	return nil
}

func (t *tx) ensure(all []*collection) error {
	s, err := t.schema()
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := c.ensure(s); err != nil {
			return fmt.Errorf("ensure %s: %w", c.spec.Name, err)
		}
	}
	return nil
}

// schema is what there is in the file, read once: to ask for each object is slow, because SQLite walks through all of them.
type schema struct {
	*tx
	have map[string]string // the text of each object, by kind and name
}

func (t *tx) schema() (*schema, error) {
	rows, err := t.conn.QueryContext(t.ctx, `SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	s := &schema{tx: t, have: map[string]string{}}
	for rows.Next() {
		var object, text string
		if err := rows.Scan(&object, &text); err != nil {
			return nil, err
		}
		s.have[object] = text
	}
	return s, rows.Err()
}

func (c *collection) ensure(t *schema) error {
	var names string
	for _, col := range c.columns {
		names += col.name + ", "
	}
	// The document comes last: SQLite reads a row from its beginning.
	table := fmt.Sprintf(`CREATE TABLE %s (n INTEGER PRIMARY KEY, id TEXT NOT NULL, rev INTEGER NOT NULL, expires INTEGER, %sdoc TEXT NOT NULL)`, c.table, names)
	if err := t.object("table", c.spec.Name, table); err != nil {
		return err
	}
	if err := t.object("index", c.spec.Name+"#id", fmt.Sprintf(`CREATE UNIQUE INDEX %s ON %s(id)`, quote(c.spec.Name+"#id"), c.table)); err != nil {
		return err
	}
	if err := t.object("index", c.spec.Name+"#expires", fmt.Sprintf(
		`CREATE INDEX %s ON %s(expires) WHERE expires IS NOT NULL`, quote(c.spec.Name+"#expires"), c.table)); err != nil {
		return err
	}
	if t.have["table "+c.spec.Name] != table {
		unused, err := c.dropSuperseded(t)
		if err != nil {
			return err
		}
		if err := c.ensureColumns(t.tx, unused); err != nil {
			return err
		}
	}
	for _, ix := range c.spec.Declared() {
		if err := c.ensureIndex(t, ix); err != nil {
			return err
		}
	}
	if c.spec.Lists != nil {
		if err := c.ensureLists(t); err != nil {
			return err
		}
	}
	if c.spec.Search != nil {
		return c.ensureWords(t)
	}
	return nil
}

// ensureColumns adds the columns that indexes declared since need, and fills them. unused are those of indexes that are no more.
func (c *collection) ensureColumns(t *tx, unused []string) error {
	var have []string
	if err := t.strings(&have, fmt.Sprintf(`SELECT '"' || name || '"' FROM pragma_table_info('%s')`, c.spec.Name)); err != nil {
		return err
	}
	empty, err := c.retire(t, unused, len(have))
	if err != nil {
		return err
	}
	added := len(empty) > 0
	for _, col := range c.columns {
		if slices.Contains(have, col.name) {
			continue
		}
		added = true
		if err := t.run(fmt.Sprintf(`ALTER TABLE %s ADD COLUMN %s`, c.table, col.name)); err != nil {
			return err
		}
	}
	if !added {
		return nil
	}
	return c.refill(t, empty)
}

const refillAtOnce = 500

// refill writes the columns of all documents anew, and empties others.
func (c *collection) refill(t *tx, empty []string) error {
	set := c.set()
	for _, name := range empty {
		set += ", " + name + " = NULL"
	}
	for last := int64(-1); ; {
		rows, err := t.documents(fmt.Sprintf(`SELECT n, doc FROM %s WHERE n > ? ORDER BY n LIMIT %d`, c.table, refillAtOnce), last)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			row, err := c.columnsOf(r.doc)
			if err != nil {
				return err
			}
			if _, err := t.exec(fmt.Sprintf(`UPDATE %s SET %s WHERE n = ?`, c.table, set), append(row, r.n)...); err != nil {
				return err
			}
			last = r.n
		}
	}
}

func (c *collection) ensureIndex(t *schema, ix store.Index) error {
	if ix.Array() >= 0 {
		return c.ensureArray(t, ix)
	}
	if len(ix.Fields) == 0 {
		return nil // the index of the id
	}
	var cols []string
	for _, f := range ix.Fields {
		cols = append(cols, columnOf(ix, f))
	}
	where := ""
	if has := ix.Filter(); has != "" {
		where = " WHERE " + columnOf(ix, has) + " IS NOT NULL"
	}
	return t.object("index", c.spec.Name+":"+ix.Name,
		fmt.Sprintf(`CREATE INDEX %s ON %s(%s,id)%s`, c.index(ix), c.table, strings.Join(cols, ","), where))
}

// object makes what is not there yet, and refuses what is there in another form.
func (s *schema) object(kind, name, text string) error {
	_, err := s.made(kind, name, text)
	return err
}

func (s *schema) made(kind, name, text string) (bool, error) {
	have, there := s.have[kind+" "+name]
	switch {
	case !there:
		s.have[kind+" "+name] = text
		return true, s.run(text)
	case kind == "table": // it may have got columns since
		return false, nil
	case have != text:
		return false, fmt.Errorf("%s %s is there in another form; give the new one a new name", kind, name)
	}
	return false, nil
}

func (t *tx) run(text string) error {
	_, err := t.conn.ExecContext(t.ctx, text)
	return err
}

type document struct {
	n   int64
	doc []byte
}

func (t *tx) documents(query string, args ...any) ([]document, error) {
	rows, err := t.conn.QueryContext(t.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []document
	for rows.Next() {
		var d document
		if err := rows.Scan(&d.n, &d.doc); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

func (t *tx) strings(out *[]string, query string) error {
	rows, err := t.conn.QueryContext(t.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return err
		}
		*out = append(*out, s)
	}
	return rows.Err()
}
