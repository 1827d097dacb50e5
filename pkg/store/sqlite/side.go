package sqlite

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/pkg/store"
)

// ensureArray keeps a row per element in a side table.
func (c *collection) ensureArray(t *schema, ix store.Index) error {
	name, column := c.spec.Name+":"+ix.Name, elements(ix)
	var cols, values []string
	for i := range ix.Fields {
		cols = append(cols, fmt.Sprintf("k%d", i))
		values = append(values, fmt.Sprintf("coalesce(json_extract(e.value,'$[%d]'),%s)", i, none))
	}
	made, err := t.made("table", name, fmt.Sprintf(`CREATE TABLE %s (n INTEGER NOT NULL, %s, id TEXT NOT NULL)`, quote(name), strings.Join(cols, ", ")))
	if err != nil {
		return err
	}
	add := fmt.Sprintf(`INSERT INTO %s SELECT NEW.n, %s, NEW.id FROM json_each(NEW.%s) e`, quote(name), strings.Join(values, ", "), column)
	drop := fmt.Sprintf(`DELETE FROM %s WHERE n = OLD.n`, quote(name))
	trigger := func(when, on, cond, body string) [3]string {
		n := name + ":" + when
		return [3]string{"trigger", n, fmt.Sprintf(`CREATE TRIGGER %s AFTER %s ON %s WHEN %s BEGIN %s; END`, quote(n), on, c.table, cond, body)}
	}
	for _, o := range [][3]string{
		{"index", name + ":keys", fmt.Sprintf(`CREATE INDEX %s ON %s(%s,id,n)`, quote(name+":keys"), quote(name), strings.Join(cols, ","))},
		{"index", name + ":n", fmt.Sprintf(`CREATE INDEX %s ON %s(n)`, quote(name+":n"), quote(name))},
		trigger("add", "INSERT", "NEW."+column+" IS NOT NULL", add),
		trigger("drop", "DELETE", "OLD."+column+" IS NOT NULL", drop),
		trigger("change", "UPDATE OF "+column, "OLD."+column+" IS NOT NEW."+column, drop+"; "+add),
	} {
		if err := t.object(o[0], o[1], o[2]); err != nil {
			return err
		}
	}
	if !made {
		return nil
	}
	return t.run(strings.ReplaceAll(strings.Replace(add, " FROM ", " FROM "+c.table+" c, ", 1), "NEW.", "c."))
}

// ensureWords keeps the words of each document in a full-text index that holds no text of its own. The words are cut already,
// so the plainest tokenizer does: it parts at the spaces between them.
func (c *collection) ensureWords(t *schema) error {
	name := c.spec.Name + "#words"
	made, err := t.made("table", name, fmt.Sprintf(
		`CREATE VIRTUAL TABLE %s USING fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii')`, quote(name)))
	if err != nil {
		return err
	}
	joined := `(SELECT group_concat(value,' ') FROM json_each(NEW.doc,'$.words'))`
	add := fmt.Sprintf(`INSERT INTO %s(rowid, words) SELECT NEW.n, %s WHERE %s IS NOT NULL`, quote(name), joined, wordsOf("NEW"))
	drop := fmt.Sprintf(`DELETE FROM %s WHERE rowid = OLD.n`, quote(name))
	changed := wordsOf("OLD") + " IS NOT " + wordsOf("NEW")
	for _, o := range [][2]string{
		{name + ":add", fmt.Sprintf(`AFTER INSERT ON %s BEGIN %s; END`, c.table, add)},
		{name + ":drop", fmt.Sprintf(`AFTER DELETE ON %s BEGIN %s; END`, c.table, drop)},
		{name + ":change", fmt.Sprintf(`AFTER UPDATE OF doc ON %s WHEN %s BEGIN %s; %s; END`, c.table, changed, drop, add)},
	} {
		if err := t.object("trigger", o[0], fmt.Sprintf(`CREATE TRIGGER %s %s`, quote(o[0]), o[1])); err != nil {
			return err
		}
	}
	if !made {
		return nil
	}
	all := strings.ReplaceAll(add, "NEW.", "c.")
	return t.run(strings.Replace(all, " WHERE "+wordsOf("c"), fmt.Sprintf(" FROM %s c WHERE %s", c.table, wordsOf("c")), 1))
}

// wordsOf is the field words of a row, as JSON.
func wordsOf(row string) string { return fmt.Sprintf(`json_extract(%s.doc,'$.words')`, row) }
