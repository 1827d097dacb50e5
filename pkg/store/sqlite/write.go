package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/store"
)

const expireAtOnce = 500

// outcome is what became of an op.
type outcome struct {
	rev int64
	err error
}

// Batch implements store.DB: the ops are committed in one transaction, together with those of other callers, and each by
// itself succeeds or fails.
func (db *DB) Batch(ctx context.Context, ops []store.Op) []error {
	out := make([]outcome, len(ops))
	cs := make([]*collection, len(ops))
	for i, op := range ops {
		cs[i], out[i].err = db.collection(op.Collection)
	}
	// The job may outlive this call, so it writes nothing that the caller sees before it is done.
	err := db.writer.do(ctx, len(ops), func(t *tx) error {
		for i, op := range ops {
			if out[i].err != nil {
				continue
			}
			if out[i].rev, out[i].err = cs[i].write(t, op); fatal(out[i].err) {
				return out[i].err
			}
		}
		return nil
	})
	errs := make([]error, len(ops))
	for i, op := range ops {
		switch {
		case err != nil:
			errs[i] = err
		case out[i].err != nil:
			errs[i] = out[i].err
		case op.NewRev != nil:
			*op.NewRev = out[i].rev
		}
	}
	return errs
}

func (c *collection) write(t *tx, op store.Op) (int64, error) {
	switch op.Kind {
	case store.Insert:
		return c.insert(t, op)
	case store.Replace:
		return c.replace(t, op)
	case store.Delete:
		if op.Rev == 0 {
			_, err := t.exec(`DELETE FROM `+c.table+` WHERE id = ?`, op.ID)
			return 0, err
		}
		n, err := t.exec(`DELETE FROM `+c.table+` WHERE id = ? AND rev = ?`+c.alive(), c.args(op.ID, op.Rev)...)
		return 0, one(n, err, store.ErrConflict)
	}
	return 0, fmt.Errorf("sqlite: no such kind of write: %d", op.Kind)
}

// replace sets the columns that differ from what the document was; SQLite touches only the indexes over those.
func (c *collection) replace(t *tx, op store.Op) (int64, error) {
	row, err := c.row(op.JSON)
	if err != nil {
		return 0, err
	}
	var was []any
	if op.Was != nil {
		if was, err = c.row(op.Was); err != nil {
			return 0, err
		}
	}
	text := strings.Builder{}
	text.WriteString("UPDATE " + c.table + " SET rev = rev + 1, doc = ?")
	args := []any{row[1]}
	for i, v := range row {
		if i != 1 && (was == nil || was[i] != v) {
			text.WriteString(", " + c.name(i) + " = ?")
			args = append(args, v)
		}
	}
	text.WriteString(" WHERE id = ? AND rev = ?" + c.alive())
	n, err := t.exec(text.String(), c.args(append(args, op.ID, op.Rev)...)...)
	return op.Rev + 1, one(n, err, store.ErrConflict)
}

// name is the column of the ith value of a row.
func (c *collection) name(i int) string {
	switch i {
	case 0:
		return "expires"
	case 1:
		return "doc"
	}
	return c.columns[i-2].name
}

// insert begins the revs of a document at the clock, so that they go on rising if it is deleted and inserted again.
func (c *collection) insert(t *tx, op store.Op) (int64, error) {
	row, err := c.row(op.JSON)
	if err != nil {
		return 0, err
	}
	now := time.Now()
	if c.spec.Expires {
		if _, err := t.exec(`DELETE FROM `+c.table+` WHERE id = ? AND expires <= ?`, op.ID, now.UnixMilli()); err != nil {
			return 0, err
		}
	}
	rev := now.UnixMicro()
	n, err := t.exec(c.insertSQL, append(row, op.ID, rev)...)
	return rev, one(n, err, store.ErrExists)
}

func one(n int64, err, none error) error {
	if err == nil && n == 0 {
		return none
	}
	return err
}

// set names the columns that a row fills, in its order.
func (c *collection) set() string {
	var b strings.Builder
	b.WriteString("expires = ?, doc = ?")
	for _, col := range c.columns {
		b.WriteString(", " + col.name + " = ?")
	}
	return b.String()
}

func (c *collection) inserting() string {
	names, marks := "expires, doc", "?, ?"
	for _, col := range c.columns {
		names, marks = names+", "+col.name, marks+", ?"
	}
	return fmt.Sprintf(`INSERT INTO %s(%s, id, rev) VALUES (%s, ?, ?) ON CONFLICT(id) DO NOTHING`, c.table, names, marks)
}

// alive is the condition that a document has not expired; args adds its argument.
func (c *collection) alive() string {
	if !c.spec.Expires {
		return ""
	}
	return ` AND (expires IS NULL OR expires > ?)`
}

func (c *collection) args(args ...any) []any {
	if !c.spec.Expires {
		return args
	}
	return append(args, time.Now().UnixMilli())
}

func (c *collection) expireSQL() string {
	return fmt.Sprintf(`DELETE FROM %s WHERE n IN (SELECT n FROM %s INDEXED BY %s WHERE expires IS NOT NULL AND expires <= ? LIMIT %d)`,
		c.table, c.table, quote(c.spec.Name+"#expires"), expireAtOnce)
}
