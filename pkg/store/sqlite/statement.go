package sqlite

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/pkg/store"
)

// statement is SQL with its arguments. The text depends only on the shape of the query, so it is prepared once.
type statement struct {
	text string
	args []any
}

// builder puts conditions together.
type builder struct {
	conds []string
	args  []any
}

func (b *builder) add(cond string, args ...any) {
	b.conds, b.args = append(b.conds, cond), append(b.args, args...)
}

func (b *builder) equal(column string, v any) {
	if v == nil {
		b.add(column + " = " + none)
		return
	}
	b.add(column+" = ?", v)
}

// between adds the range. Where the walk starts at a position, that is the bound which SQLite is to seek; the range's own bound
// on that side gets a plus, which hides it from the index.
func (b *builder) between(column string, p store.Plan) {
	lower, upper := column, column
	switch {
	case p.At != nil && p.Descending():
		upper = "+" + column
	case p.At != nil:
		lower = "+" + column
	}
	switch r := p.Range; {
	case r.From != nil:
		b.add(lower+pick(r.FromExcl, " > ?", " >= ?"), r.From)
	case p.Index.Filter() != p.Order[0]:
		b.add(lower + " > " + none)
	}
	if r := p.Range; r.To != nil {
		b.add(upper+pick(r.ToIncl, " <= ?", " < ?"), r.To)
	}
}

// behind starts the walk at a position. The row values are compared like the index's own keys.
func (b *builder) behind(s store.Scan, columns []string) {
	if s.At == nil {
		return
	}
	var marks []string
	var args []any
	for _, k := range s.At.Keys {
		if k == nil {
			marks = append(marks, none)
			continue
		}
		marks, args = append(marks, "?"), append(args, k)
	}
	op := pick(s.Descending(), "<", ">") + pick(s.At.Here, "=", "")
	b.add(fmt.Sprintf("(%s) %s (%s)", strings.Join(columns, ","), op, strings.Join(append(marks, "?"), ",")), append(args, s.At.ID)...)
}

func (b *builder) where() string {
	if len(b.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(b.conds, " AND ")
}

func order(s store.Scan, columns []string) string {
	dir := pick(s.Descending(), " DESC", " ASC")
	return " ORDER BY " + strings.Join(columns, dir+", ") + dir
}

func pick(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}
