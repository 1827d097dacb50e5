package sqlite

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/pkg/store"
)

// ensureArray keeps a row per element in a side table.
func (c *collection) ensureArray(t *tx, ix store.Index) error {
	name := c.spec.Name + ":" + ix.Name
	var cols, fresh, changed []string
	for i, f := range ix.Names() {
		cols = append(cols, fmt.Sprintf("k%d", i))
		value := extract("NEW.doc", f)
		if i == ix.Array() {
			value = "e.value"
		}
		fresh = append(fresh, fmt.Sprintf("coalesce(%s,%s)", value, none))
		changed = append(changed, extract("OLD.doc", f)+" IS NOT "+extract("NEW.doc", f))
	}
	made, err := t.made("table", name, fmt.Sprintf(`CREATE TABLE %s (n INTEGER NOT NULL, %s, id TEXT NOT NULL)`, quote(name), strings.Join(cols, ", ")))
	if err != nil {
		return err
	}
	only := ""
	if ix.Sparse {
		only = " WHERE " + fresh[len(fresh)-1] + " > " + none
	}
	elements := fmt.Sprintf(`LEFT JOIN json_each(NEW.doc,'%s') e`, jsonPath(ix.Names()[ix.Array()]))
	add := fmt.Sprintf(`INSERT INTO %s SELECT DISTINCT NEW.n, %s, NEW.id FROM (SELECT 1) %s%s`, quote(name), strings.Join(fresh, ", "), elements, only)
	drop := fmt.Sprintf(`DELETE FROM %s WHERE n = OLD.n`, quote(name))
	objects := [][3]string{
		{"index", name + ":keys", fmt.Sprintf(`CREATE INDEX %s ON %s(%s,id,n)`, quote(name+":keys"), quote(name), strings.Join(cols, ","))},
		{"index", name + ":n", fmt.Sprintf(`CREATE INDEX %s ON %s(n)`, quote(name+":n"), quote(name))},
		{"trigger", name + ":add", fmt.Sprintf(`CREATE TRIGGER %s AFTER INSERT ON %s BEGIN %s; END`, quote(name+":add"), c.table, add)},
		{"trigger", name + ":drop", fmt.Sprintf(`CREATE TRIGGER %s AFTER DELETE ON %s BEGIN %s; END`, quote(name+":drop"), c.table, drop)},
		{"trigger", name + ":change", fmt.Sprintf(`CREATE TRIGGER %s AFTER UPDATE OF doc ON %s WHEN %s BEGIN %s; %s; END`,
			quote(name+":change"), c.table, strings.Join(changed, " OR "), drop, add)},
	}
	for _, o := range objects {
		if err := t.object(o[0], o[1], o[2]); err != nil {
			return err
		}
	}
	if !made {
		return nil
	}
	return t.run(strings.Replace(strings.ReplaceAll(add, "NEW.", "c."), "(SELECT 1)", c.table+" c", 1))
}

// ensureWords keeps the words of each document in a full-text index that holds no text of its own. The words are cut already,
// so the plainest tokenizer does: it parts at the spaces between them.
func (c *collection) ensureWords(t *tx) error {
	name := c.spec.Name + "#words"
	made, err := t.made("table", name, fmt.Sprintf(
		`CREATE VIRTUAL TABLE %s USING fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii')`, quote(name)))
	if err != nil {
		return err
	}
	joined := `(SELECT group_concat(value,' ') FROM json_each(NEW.doc,'$.words'))`
	add := fmt.Sprintf(`INSERT INTO %s(rowid, words) SELECT NEW.n, %s WHERE %s IS NOT NULL`, quote(name), joined, extract("NEW.doc", "words"))
	drop := fmt.Sprintf(`DELETE FROM %s WHERE rowid = OLD.n`, quote(name))
	changed := extract("OLD.doc", "words") + " IS NOT " + extract("NEW.doc", "words")
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
	return t.run(strings.Replace(all, " WHERE "+extract("c.doc", "words"), fmt.Sprintf(" FROM %s c WHERE %s", c.table, extract("c.doc", "words")), 1))
}
