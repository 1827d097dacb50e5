package sqlite

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// column is a column that a document's writer fills, so that SQLite has no JSON to read: its indexes are over these.
type column struct {
	name  string // quoted
	value func(fields) (any, error)
}

// layout says where the fields lie that columns need.
type layout struct {
	paths []string
	first map[string][]int // the places of paths, by their first name
}

// fields are the values of a document that its columns need, in their layout; a missing one does not exist.
type fields []gjson.Result

// place is where the field of that path lies; a new one is added.
func (l *layout) place(path string) int {
	if i := slices.Index(l.paths, path); i >= 0 {
		return i
	}
	first, _, _ := strings.Cut(path, ".")
	i := len(l.paths)
	l.paths, l.first[first] = append(l.paths, path), append(l.first[first], i)
	return i
}

// columns lists what the declared indexes and the search need, each once. That of lists comes last, see [collection.listed].
func columns(spec store.Spec, l *layout) []column {
	var all []column
	seen := map[string]bool{}
	add := func(name string, value func(fields) any) {
		if !seen[name] {
			seen[name] = true
			all = append(all, column{name, func(f fields) (any, error) { return value(f), nil }})
		}
	}
	for _, ix := range spec.Declared() {
		if array := ix.Array(); array >= 0 {
			var at []int
			for _, field := range ix.Names() {
				at = append(at, l.place(field))
			}
			add(elements(ix), func(f fields) any { return f.elements(at, array, slices.Index(ix.Names(), ix.Filter())) })
			continue
		}
		for _, field := range ix.Fields {
			at, name := l.place(field), columnOf(ix, field)
			add(name, func(f fields) any { return orNone(scalar(f[at]), name == filled(field)) })
		}
	}
	if s := spec.Search; s != nil {
		for _, field := range append(s.Fields[:len(s.Fields):len(s.Fields)], s.Order) {
			at := l.place(field)
			add(filled(field), func(f fields) any { return orNone(scalar(f[at]), true) })
		}
	}
	if spec.Lists != nil {
		tenant, in := l.place("tenant"), l.place(store.ListsField)
		var orders []int
		for _, order := range spec.Lists.Orders {
			orders = append(orders, l.place(order))
		}
		all = append(all, column{listsColumn(spec.Lists), func(f fields) (any, error) { return f.pack(tenant, in, orders) }})
	}
	return all
}

const expiresAt = "expires_at"

// columnsOf is what a document's writer stores besides id and rev: when it goes away (Unix milliseconds, nil: never), the document,
// and its columns.
func (c *collection) columnsOf(raw []byte) ([]any, error) {
	doc := string(raw)
	f := c.read(doc)
	var expires any
	if c.spec.Expires && f[0].Exists() {
		at, err := time.Parse(event.Layout, f[0].Str)
		if err != nil {
			return nil, fmt.Errorf("sqlite %s: expires_at: %w", c.spec.Name, err)
		}
		expires = at.UnixMilli()
	}
	row := make([]any, 0, 2+len(c.columns)+3)
	row = append(row, expires, doc)
	for _, col := range c.columns {
		v, err := col.value(f)
		if err != nil {
			return nil, fmt.Errorf("sqlite %s: %w", c.spec.Name, err)
		}
		row = append(row, v)
	}
	return row, nil
}

// read finds the fields that columns need in one walk over the document.
func (c *collection) read(doc string) fields {
	f := make(fields, len(c.layout.paths))
	gjson.Parse(doc).ForEach(func(key, value gjson.Result) bool {
		for _, i := range c.layout.first[key.Str] {
			v := value
			if _, rest, deeper := strings.Cut(c.layout.paths[i], "."); deeper {
				v = value.Get(rest)
			}
			if v.Type != gjson.Null {
				f[i] = v
			}
		}
		return true
	})
	return f
}

// scalar is a field as SQLite compares it; nil if the document does not have it.
func scalar(v gjson.Result) any {
	switch {
	case !v.Exists():
		return nil
	case v.Type == gjson.String:
		return v.Str
	case v.Type == gjson.True:
		return int64(1)
	case v.Type == gjson.False:
		return int64(0)
	case v.Type == gjson.Number && !strings.ContainsAny(v.Raw, ".eE"):
		return v.Int()
	case v.Type == gjson.Number:
		return v.Num
	}
	return v.Raw
}

func orNone(v any, fill bool) any {
	if v == nil && fill {
		return math.Inf(-1)
	}
	return v
}

// elements are the rows of an array's side table as a JSON array, one array of key values per element; nil if there are none. The
// fields of the index lie at the given places, the array is one of them, and so is the field that documents must have (-1: none).
func (f fields) elements(at []int, array, filter int) any {
	if filter >= 0 && !f[at[filter]].Exists() {
		return nil
	}
	var rows []string
	seen := map[string]bool{}
	for _, e := range f[at[array]].Array() {
		if seen[e.Raw] {
			continue
		}
		seen[e.Raw] = true
		keys := make([]string, len(at))
		for i, place := range at {
			switch v := f[place]; {
			case i == array:
				keys[i] = e.Raw
			case v.Exists():
				keys[i] = v.Raw
			default:
				keys[i] = "null"
			}
		}
		rows = append(rows, "["+strings.Join(keys, ",")+"]")
	}
	if len(rows) == 0 {
		return nil
	}
	return "[" + strings.Join(rows, ",") + "]"
}
