package sqlite

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/pkg/store"
)

// from names what a plan reads and its columns: of the table itself, or of the side table of an array.
func (c *collection) from(p store.Plan) (from string, column func(field string) string, id string) {
	if p.Index.Array() >= 0 {
		names := p.Index.Names()
		side := quote(c.spec.Name + ":" + p.Index.Name)
		from = fmt.Sprintf(`%s a INDEXED BY %s CROSS JOIN %s c ON c.n = a.n`, side, quote(c.spec.Name+":"+p.Index.Name+":keys"), c.table)
		return from, func(field string) string {
			for i, n := range names {
				if n == field {
					return fmt.Sprintf("a.k%d", i)
				}
			}
			return ""
		}, "a.id"
	}
	index := c.index(p.Index)
	if len(p.Index.Fields) == 0 {
		index = quote(c.spec.Name + "#id")
	}
	return fmt.Sprintf(`%s c INDEXED BY %s`, c.table, index), func(field string) string { return "c." + columnOf(p.Index, field) }, "c.id"
}

// conditions are those of a plan without its position. The index is named in the statement, so SQLite fails rather than scan.
func (c *collection) conditions(p store.Plan, col func(string) string) *builder {
	b := &builder{}
	for _, eq := range p.Where {
		b.equal(col(eq.Field), eq.Value)
	}
	if p.Range != nil {
		b.between(col(p.Order[0]), p)
	}
	if has := p.Index.Filter(); has != "" && p.Index.Array() < 0 {
		b.add(col(has) + " IS NOT NULL") // without it the partial index would not do
	}
	if c.spec.Expires {
		b.add("(c.expires IS NULL OR c.expires > ?)", c.args()...)
	}
	return b
}

// page fetches one row more than the page holds. A bare parameter as limit would have SQLite plan the statement anew for every
// call: it looks at its value (sqlite3ExprIsInteger).
func (c *collection) page(p store.Plan) statement {
	from, col, id := c.from(p)
	b := c.conditions(p, col)
	var keys []string
	for _, f := range p.Order {
		keys = append(keys, col(f))
	}
	keys = append(keys, id)
	b.behind(p.Scan, keys)
	head := strings.Join(append([]string{"c.id", "c.rev", "c.doc"}, keys[:len(keys)-1]...), ", ")
	return statement{
		text: fmt.Sprintf(`SELECT %s FROM %s%s%s LIMIT 0+?`, head, from, b.where(), order(p.Scan, keys)),
		args: append(b.args, p.Limit+1),
	}
}

func (c *collection) count(p store.Plan, limit int) statement {
	from, col, _ := c.from(p)
	b := c.conditions(p, col)
	return statement{
		text: fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 FROM %s%s LIMIT 0+?)`, from, b.where()),
		args: append(b.args, limit),
	}
}

// search takes the documents that have the words and sorts them: words come from people, and few documents have all of them.
func (c *collection) search(terms []store.Term, where []store.Eq, s store.Scan) statement {
	b := &builder{}
	b.add("w."+c.words()+" MATCH ?", match(terms)) // the table itself, by its hidden column
	for _, eq := range where {
		b.equal("c."+filled(eq.Field), eq.Value)
	}
	if c.spec.Expires {
		b.add("(c.expires IS NULL OR c.expires > ?)", c.args()...)
	}
	keys := []string{"c." + filled(s.Order[0]), "c.id"}
	b.behind(s, keys)
	return statement{
		text: fmt.Sprintf(`SELECT c.id, c.rev, c.doc, %s FROM %s w CROSS JOIN %s c ON c.n = w.rowid%s%s LIMIT 0+?`,
			keys[0], c.words(), c.table, b.where(), order(s, keys)),
		args: append(b.args, s.Limit+1),
	}
}

func match(terms []store.Term) string {
	var parts []string
	for _, t := range terms {
		parts = append(parts, `"`+strings.ReplaceAll(t.Word, `"`, `""`)+`"`+pick(t.Prefix, "*", ""))
	}
	return strings.Join(parts, " AND ")
}
