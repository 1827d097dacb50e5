package sqlite

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// indexed are the columns of an index, as its text has them.
var indexed = regexp.MustCompile(`"[fs]:[^"]+"`)

// dropSuperseded drops the indexes that only earlier versions use: processes that share a file are of one version. It returns the
// columns that they were over, which nothing fills any more.
func (c *collection) dropSuperseded(t *schema) (unused []string, err error) {
	for _, ix := range c.spec.Superseded {
		name := c.spec.Name + ":" + ix
		if _, there := t.have["table "+name]; there {
			unused = append(unused, quote("a:"+ix))
		}
		_, columns, _ := strings.Cut(t.have["index "+name], " ON ")
		unused = append(unused, indexed.FindAllString(columns, -1)...)
		for _, o := range [][2]string{
			{"index", name}, {"trigger", name + ":add"}, {"trigger", name + ":drop"}, {"trigger", name + ":change"}, {"table", name},
		} {
			if _, there := t.have[o[0]+" "+o[1]]; !there {
				continue
			}
			if err := t.run("DROP " + o[0] + " " + quote(o[1])); err != nil {
				return nil, err
			}
			delete(t.have, o[0]+" "+o[1])
		}
	}
	return slices.DeleteFunc(unused, func(name string) bool {
		return slices.ContainsFunc(c.columns, func(col column) bool { return col.name == name })
	}), nil
}

// retire gives columns another name. Nothing fills them any more: who declares such a column again is to find it missing, and fills it.
// It returns what they are called then. have is how many columns the table has.
func (c *collection) retire(t *tx, unused []string, have int) (names []string, err error) {
	slices.Sort(unused)
	for i, name := range slices.Compact(unused) {
		as := quote(fmt.Sprintf("x:%d:%s", have+i, strings.Trim(name, `"`)))
		if err := t.run(fmt.Sprintf(`ALTER TABLE %s RENAME COLUMN %s TO %s`, c.table, name, as)); err != nil {
			return nil, err
		}
		names = append(names, as)
	}
	return names, nil
}
