package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/tributaryhq/tributary/pkg/store"
)

const expireAtOnce = 500

// outcome is what became of an op.
type outcome struct {
	rev int64
	err error
}

// change is a write whose columns are worked out, by its caller and not by the one that writes for all.
type change struct {
	*collection
	op       store.Op
	row, was []any // was: nil if it is not known
}

func (db *DB) change(op store.Op) (ch change, err error) {
	ch.op = op
	if ch.collection, err = db.collection(op.Collection); err != nil || op.Kind == store.Delete {
		return ch, err
	}
	if !gjson.ValidBytes(op.JSON) {
		return ch, fmt.Errorf("sqlite %s: a document is not JSON", op.Collection)
	}
	if ch.row, err = ch.columnsOf(op.JSON); err == nil && op.Was != nil {
		ch.was, err = ch.columnsOf(op.Was)
	}
	return ch, err
}

// Batch implements store.DB: the ops are committed in one transaction, together with those of other callers, and each by
// itself succeeds or fails.
func (db *DB) Batch(ctx context.Context, ops []store.Op) []error {
	out := make([]outcome, len(ops))
	changes := make([]change, len(ops))
	for i, op := range ops {
		changes[i], out[i].err = db.change(op)
	}
	// The job may outlive this call, so it writes nothing that the caller sees before it is done.
	err := db.writer.do(ctx, len(ops), func(t *tx) error {
		for i, ch := range changes {
			if out[i].err != nil {
				continue
			}
			if out[i].rev, out[i].err = ch.write(t); fatal(out[i].err) {
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

func (ch change) write(t *tx) (int64, error) {
	switch ch.op.Kind {
	case store.Insert:
		return ch.insert(t)
	case store.Replace:
		return ch.replace(t)
	case store.Delete:
		return 0, ch.delete(t)
	}
	return 0, fmt.Errorf("sqlite: no such kind of write: %d", ch.op.Kind)
}

// insert begins the revs of a document at the clock, so that they go on rising if it is deleted and inserted again.
func (ch change) insert(t *tx) (int64, error) {
	now := time.Now()
	if ch.spec.Expires {
		if _, err := t.exec(`DELETE FROM `+ch.table+` WHERE id = ? AND expires <= ?`, ch.op.ID, now.UnixMilli()); err != nil {
			return 0, err
		}
	}
	rev := now.UnixMicro()
	n, err := t.exec(ch.insertSQL, append(ch.row, ch.op.ID, rev)...)
	if err = one(n, err, store.ErrExists); err == nil && ch.spec.Lists != nil {
		err = ch.relist(t, ch.rowOf(), ch.op.ID, "", ch.listed(ch.row))
	}
	return rev, err
}

// replace sets the columns that differ from what the document was; SQLite touches only the indexes over those.
func (ch change) replace(t *tx) (int64, error) {
	lists, err := ch.before(t)
	if err != nil {
		return 0, err
	}
	text := strings.Builder{}
	text.WriteString("UPDATE " + ch.table + " SET rev = rev + 1")
	var args []any
	for i, v := range ch.row {
		if ch.was == nil || ch.was[i] != v {
			text.WriteString(", " + ch.name(i) + " = ?")
			args = append(args, v)
		}
	}
	text.WriteString(" WHERE id = ? AND rev = ?" + ch.alive())
	n, err := t.exec(text.String(), ch.args(append(args, ch.op.ID, ch.op.Rev)...)...)
	if err = one(n, err, store.ErrConflict); err == nil && ch.spec.Lists != nil {
		err = ch.relist(t, ch.rowOf(), ch.op.ID, lists, ch.listed(ch.row))
	}
	return ch.op.Rev + 1, err
}

// before is what a document that is to be written is in until then.
func (ch change) before(t *tx) (packed, error) {
	if ch.spec.Lists == nil {
		return "", nil
	}
	if ch.was != nil {
		return ch.listed(ch.was), nil
	}
	return ch.listsOf(t, ch.op.ID, ch.op.Rev)
}

// listed is what the document of a row is in.
func (c *collection) listed(row []any) packed {
	lists, _ := row[len(row)-1].(packed) // the last column; nil: in none
	return lists
}

func (ch change) delete(t *tx) error {
	if ch.spec.Lists != nil {
		lists, err := ch.before(t)
		if err == nil {
			err = ch.relist(t, ch.rowOf(), ch.op.ID, lists, "")
		}
		if err != nil {
			return err
		}
	}
	if ch.op.Rev == 0 {
		_, err := t.exec(`DELETE FROM `+ch.table+` WHERE id = ?`, ch.op.ID)
		return err
	}
	n, err := t.exec(`DELETE FROM `+ch.table+` WHERE id = ? AND rev = ?`+ch.alive(), ch.args(ch.op.ID, ch.op.Rev)...)
	return one(n, err, store.ErrConflict)
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
