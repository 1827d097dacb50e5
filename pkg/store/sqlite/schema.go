package sqlite

import (
	"context"
	"database/sql"
	"errors"
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
	spec  store.Spec
	table string
}

func newCollection(spec store.Spec) *collection {
	return &collection{spec: spec, table: quote(spec.Name)}
}

func quote(name string) string { return `"` + name + `"` }

// filled is the generated column of a field, in which none stands for no value; sparse is the one that is NULL then.
func filled(field string) string { return quote("f:" + field) }
func sparse(field string) string { return quote("s:" + field) }

// columnOf is the column of an index's field.
func columnOf(ix store.Index, field string) string {
	if ix.Sparse && ix.Fields[len(ix.Fields)-1] == field {
		return sparse(field)
	}
	return filled(field)
}

// extract is the value of a field of the document doc.
func extract(doc, field string) string {
	return fmt.Sprintf(`json_extract(%s,'%s')`, doc, jsonPath(field))
}

func jsonPath(field string) string { return `$."` + strings.ReplaceAll(field, ".", `"."`) + `"` }

func (c *collection) index(ix store.Index) string { return quote(c.spec.Name + ":" + ix.Name) }
func (c *collection) words() string               { return quote(c.spec.Name + "#words") }

// Ensure implements store.DB. An index that is there with other fields is an error: a changed index needs a new name, because
// processes of two versions may share the file.
func (db *DB) Ensure(ctx context.Context, specs ...store.Spec) error {
	for _, spec := range specs {
		if err := spec.Check(); err != nil {
			return fmt.Errorf("sqlite: %w", err)
		}
		c := newCollection(spec)
		if err := db.writer.alone(ctx, c.ensure); err != nil {
			return trouble(fmt.Errorf("sqlite: ensure %s: %w", spec.Name, err))
		}
		db.mu.Lock()
		db.known[spec.Name] = c
		db.mu.Unlock()
	}
	return nil
}

func (c *collection) ensure(t *tx) error {
	if err := t.object("table", c.spec.Name, fmt.Sprintf(
		`CREATE TABLE %s (n INTEGER PRIMARY KEY, id TEXT NOT NULL, rev INTEGER NOT NULL, expires INTEGER, doc TEXT NOT NULL)`, c.table)); err != nil {
		return err
	}
	if err := t.object("index", c.spec.Name+"#id", fmt.Sprintf(`CREATE UNIQUE INDEX %s ON %s(id)`, quote(c.spec.Name+"#id"), c.table)); err != nil {
		return err
	}
	if err := t.object("index", c.spec.Name+"#expires", fmt.Sprintf(
		`CREATE INDEX %s ON %s(expires) WHERE expires IS NOT NULL`, quote(c.spec.Name+"#expires"), c.table)); err != nil {
		return err
	}
	if err := c.ensureColumns(t); err != nil {
		return err
	}
	for _, ix := range c.spec.Declared() {
		if err := c.ensureIndex(t, ix); err != nil {
			return err
		}
	}
	if c.spec.Search != nil {
		return c.ensureWords(t)
	}
	return nil
}

func (c *collection) ensureColumns(t *tx) error {
	var have []string
	if err := t.strings(&have, fmt.Sprintf(`SELECT '"' || name || '"' FROM pragma_table_xinfo('%s')`, c.spec.Name)); err != nil {
		return err
	}
	add := func(field, column string) error {
		if slices.Contains(have, column) {
			return nil
		}
		have = append(have, column)
		value := extract("doc", field)
		if column == filled(field) {
			value = fmt.Sprintf("coalesce(%s,%s)", value, none)
		}
		return t.run(fmt.Sprintf(`ALTER TABLE %s ADD COLUMN %s GENERATED ALWAYS AS (%s) VIRTUAL`, c.table, column, value))
	}
	var failed error
	for _, ix := range c.spec.Declared() {
		for _, f := range ix.Fields {
			if ix.Array() < 0 {
				failed = errors.Join(failed, add(f, columnOf(ix, f)))
			}
		}
	}
	if s := c.spec.Search; s != nil {
		for _, f := range append(slices.Clone(s.Fields), s.Order) {
			failed = errors.Join(failed, add(f, filled(f)))
		}
	}
	return failed
}

func (c *collection) ensureIndex(t *tx, ix store.Index) error {
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
	if ix.Sparse {
		where = " WHERE " + cols[len(cols)-1] + " IS NOT NULL"
	}
	return t.object("index", c.spec.Name+":"+ix.Name,
		fmt.Sprintf(`CREATE INDEX %s ON %s(%s,id)%s`, c.index(ix), c.table, strings.Join(cols, ","), where))
}

// object makes what is not there yet, and refuses what is there in another form.
func (t *tx) object(kind, name, text string) error {
	_, err := t.made(kind, name, text)
	return err
}

func (t *tx) made(kind, name, text string) (bool, error) {
	var have string
	err := t.conn.QueryRowContext(t.ctx, `SELECT sql FROM sqlite_schema WHERE type = ? AND name = ?`, kind, name).Scan(&have)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return true, t.run(text)
	case err != nil:
		return false, err
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
