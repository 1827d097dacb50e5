package sqlite

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// The lists of one order are one B-tree beside the table, a row for each document in each list: (list, at, n). at is the order in Unix
// milliseconds, n the row of the document. What a document is in lies packed before it, so that a walk along one list can look at others
// without reading documents, and the writer finds the rows of a document without looking for them.

// packed is where a document stands and what it is in: eight bytes for each order, and eight of each list's key, sorted.
type packed string

// Value implements driver.Valuer: it is stored as bytes.
func (p packed) Value() (driver.Value, error) { return []byte(p), nil }

// nowhere is the place in an order of which the document has no time.
const nowhere = math.MinInt64

// at is the place in the ith order.
func (p packed) at(i int) int64 {
	if p == "" {
		return nowhere
	}
	return int64(binary.BigEndian.Uint64([]byte(p[8*i:]))) //nolint:gosec // all bits are kept
}

// keys are those of the lists, behind so many places. A document that stands nowhere in the ith order is in none of it.
func (p packed) keys(orders int) []int64 {
	if p == "" {
		return nil
	}
	keys := make([]int64, 0, len(p)/8-orders)
	for b := []byte(p[8*orders:]); len(b) > 0; b = b[8:] {
		keys = append(keys, int64(binary.BigEndian.Uint64(b))) //nolint:gosec // all bits are kept
	}
	return keys
}

// listKey is the number of a list: two lists may have the same, which is why documents are asked again.
func listKey(tenant, list string) int64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(tenant), tenant, list))
	return int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // all bits are kept
}

func listKeys(tenant string, lists []string) []int64 {
	keys := make([]int64, len(lists))
	for i, l := range lists {
		keys[i] = listKey(tenant, l)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// listsColumn holds what documents are in. With other orders it is another column, which is filled anew.
func listsColumn(l *store.Lists) string { return quote("l:" + strings.Join(l.Orders, ",")) }

// pack is the value of the column of lists: nil for a document that is in none.
func (f fields) pack(tenant, in int, orders []int) (any, error) {
	var lists []string
	f[in].ForEach(func(_, v gjson.Result) bool {
		lists = append(lists, v.Str)
		return true
	})
	if len(lists) == 0 {
		return nil, nil
	}
	places := make([]int64, len(orders))
	for i, o := range orders {
		if places[i] = nowhere; f[o].Str == "" && i > 0 {
			continue
		}
		at, err := time.Parse(event.Layout, f[o].Str)
		if err != nil {
			return nil, fmt.Errorf("a document in lists has no time that orders it: %w", err)
		}
		places[i] = at.UnixMilli()
	}
	return pack(places, listKeys(f[tenant].Str, lists)), nil
}

func pack(places, keys []int64) packed {
	b := make([]byte, 0, 8*len(places)+8*len(keys))
	for _, v := range slices.Concat(places, keys) {
		b = binary.BigEndian.AppendUint64(b, uint64(v)) //nolint:gosec // all bits are kept
	}
	return packed(b)
}

func (c *collection) lists(order string) string { return quote(c.spec.Name + "#lists:" + order) }

func (c *collection) ensureLists(t *schema) error {
	fill := false
	for _, order := range c.spec.Lists.Orders {
		made, err := t.made("table", c.spec.Name+"#lists:"+order, fmt.Sprintf(
			`CREATE TABLE %s (list INTEGER NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (list, at, n)) WITHOUT ROWID`, c.lists(order)))
		if err != nil {
			return err
		}
		fill = fill || made
	}
	if !fill {
		return nil
	}
	return c.refillLists(t.tx)
}

// refillLists writes the rows of all documents that are in lists.
func (c *collection) refillLists(t *tx) error {
	for last := int64(-1); ; {
		rows, err := t.documents(fmt.Sprintf(`SELECT n, %s FROM %s WHERE n > ? ORDER BY n LIMIT %d`, listsColumn(c.spec.Lists), c.table, refillAtOnce), last)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			if err := c.relist(t, `?`, r.n, "", packed(r.doc)); err != nil {
				return err
			}
			last = r.n
		}
	}
}

// errTorn says that a document was written and its lists were not: the transaction must not be committed.
var errTorn = errors.New("sqlite: lists")

// relist takes the rows of a document from where they were to where they are, in every order. row is an expression for the document's
// n, with one parameter.
func (c *collection) relist(t *tx, row string, arg any, was, is packed) error {
	if was == is {
		return nil
	}
	orders := c.spec.Lists.Orders
	before, after := was.keys(len(orders)), is.keys(len(orders))
	for i, order := range orders {
		m := move{tx: t, table: c.lists(order), row: row, arg: arg, from: was.at(i), to: is.at(i)}
		kept, dropped, added := compare(before, after)
		switch {
		case m.from == nowhere && m.to == nowhere:
			continue
		case m.from == nowhere:
			kept, dropped, added = nil, nil, after
		case m.to == nowhere:
			kept, dropped, added = nil, before, nil
		case m.from == m.to:
			kept = nil
		}
		if err := errors.Join(eachSome(kept, m.move), eachSome(dropped, m.drop), eachSome(added, m.add)); err != nil {
			return err
		}
	}
	return nil
}

// move takes rows of one document from one place of an order to another.
type move struct {
	*tx
	table    string
	row      string
	arg      any
	from, to int64
}

func (m move) move(keys []int64) error {
	return m.torn(moveSQL(m.table, m.row, len(keys)), slices.Concat([]any{m.to}, values(keys), []any{m.from, m.arg})...)
}

func (m move) drop(keys []int64) error {
	return m.torn(dropSQL(m.table, m.row, len(keys)), append(values(keys), m.from, m.arg)...)
}

func (m move) add(keys []int64) error {
	return m.torn(addSQL(m.table, m.row, len(keys)), append([]any{m.to, m.arg}, values(keys)...)...)
}

func moveSQL(table, row string, n int) string {
	return fmt.Sprintf(`UPDATE %s SET at = ? WHERE list IN (%s) AND at = ? AND n = (%s)`, table, marks("?", n), row)
}

func dropSQL(table, row string, n int) string {
	return fmt.Sprintf(`DELETE FROM %s WHERE list IN (%s) AND at = ? AND n = (%s)`, table, marks("?", n), row)
}

func addSQL(table, row string, n int) string {
	return fmt.Sprintf(`INSERT OR IGNORE INTO %s(list, at, n) SELECT column1, ?, (%s) FROM (VALUES %s)`, table, row, marks("(?)", n))
}

// compare parts two sorted lists of keys into those of both, of the first only and of the second only.
func compare(was, is []int64) (kept, dropped, added []int64) {
	for len(was) > 0 || len(is) > 0 {
		switch {
		case len(is) == 0 || len(was) > 0 && was[0] < is[0]:
			dropped, was = append(dropped, was[0]), was[1:]
		case len(was) == 0 || is[0] < was[0]:
			added, is = append(added, is[0]), is[1:]
		default:
			kept, was, is = append(kept, was[0]), was[1:], is[1:]
		}
	}
	return kept, dropped, added
}

// eachSome does something with keys, at most 64 at a time. The last one is repeated until their number is one of few, so that there
// are few statements.
func eachSome(keys []int64, do func([]int64) error) error {
	for some := range slices.Chunk(keys, 64) {
		if err := do(padded(some)); err != nil {
			return err
		}
	}
	return nil
}

// padded repeats the last key until there are 1, 2, 4 … of them.
func padded(keys []int64) []int64 {
	n := 1
	for n < len(keys) {
		n *= 2
	}
	out := make([]int64, n)
	for i := range out {
		out[i] = keys[min(i, len(keys)-1)]
	}
	return out
}

func marks(one string, n int) string { return strings.Repeat(","+one, n)[1:] }

func values(keys []int64) []any {
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = k
	}
	return out
}

// torn runs a statement without which the transaction is not whole.
func (t *tx) torn(text string, args ...any) error {
	if _, err := t.exec(text, args...); err != nil {
		return fmt.Errorf("%w: %w", errTorn, err)
	}
	return nil
}

// rowOf is the expression for the n of a document by its id.
func (c *collection) rowOf() string { return "SELECT n FROM " + c.table + " WHERE id = ?" }

// listsOf reads what a document is in at a rev (0: any), as the transaction has it; nothing if it is not there at that rev.
func (c *collection) listsOf(t *tx, id string, rev int64) (packed, error) {
	text, args := `SELECT n, `+listsColumn(c.spec.Lists)+` FROM `+c.table+` WHERE id = ?`, []any{id}
	if rev != 0 {
		text, args = text+` AND rev = ?`, append(args, rev)
	}
	rows, err := t.documents(text, args...)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return packed(rows[0].doc), nil
}

// inAll reports whether what a document is in has a list of each group.
func (p packed) inAll(orders int, groups []map[int64]bool) bool {
	keys := p.keys(orders)
	for _, g := range groups {
		if !slices.ContainsFunc(keys, func(k int64) bool { return g[k] }) {
			return false
		}
	}
	return true
}
