package sqlite

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// column is a column that a document's writer fills, so that SQLite has no JSON to read: its indexes are over these.
type column struct {
	name  string // quoted
	value func(fields) any
}

// fields are the values of a document that its columns need, by path; a missing one does not exist.
type fields map[string]gjson.Result

// columns lists what the declared indexes and the search need, each once.
func columns(spec store.Spec) []column {
	var all []column
	seen := map[string]bool{}
	add := func(name string, value func(fields) any) {
		if !seen[name] {
			seen[name] = true
			all = append(all, column{name, value})
		}
	}
	for _, ix := range spec.Declared() {
		if ix.Array() >= 0 {
			add(elements(ix), func(f fields) any { return f.elements(ix) })
			continue
		}
		for _, field := range ix.Fields {
			name := columnOf(ix, field)
			add(name, func(f fields) any { return orNone(f.scalar(field), name == filled(field)) })
		}
	}
	if s := spec.Search; s != nil {
		for _, field := range append(s.Fields[:len(s.Fields):len(s.Fields)], s.Order) {
			add(filled(field), func(f fields) any { return orNone(f.scalar(field), true) })
		}
	}
	return all
}

// wanted lists the paths of all fields that columns need.
func wanted(spec store.Spec) []string {
	var all []string
	for _, ix := range spec.Declared() {
		all = append(all, ix.Names()...)
	}
	if s := spec.Search; s != nil {
		all = append(append(all, s.Fields...), s.Order)
	}
	if spec.Expires {
		all = append(all, expiresAt)
	}
	return all
}

const expiresAt = "expires_at"

// columnsOf is what a document's writer stores besides id and rev: when it goes away (Unix milliseconds, nil: never), the document,
// and its columns.
func (c *collection) columnsOf(doc []byte) ([]any, error) {
	f := c.read(doc)
	expires, err := f.expires()
	if err != nil {
		return nil, fmt.Errorf("sqlite %s: %w", c.spec.Name, err)
	}
	row := make([]any, 0, 2+len(c.columns)+3)
	row = append(row, expires, string(doc))
	for _, col := range c.columns {
		row = append(row, col.value(f))
	}
	return row, nil
}

// read finds the fields that columns need in one walk over the document.
func (c *collection) read(doc []byte) fields {
	f := make(fields, len(c.wanted))
	gjson.ParseBytes(doc).ForEach(func(key, value gjson.Result) bool {
		for _, path := range c.wanted[key.Str] {
			v := value
			if _, rest, deeper := strings.Cut(path, "."); deeper {
				v = value.Get(rest)
			}
			if v.Exists() && v.Type != gjson.Null {
				f[path] = v
			}
		}
		return true
	})
	return f
}

func (f fields) expires() (any, error) {
	v, ok := f[expiresAt]
	if !ok {
		return nil, nil
	}
	at, err := time.Parse(event.Layout, v.Str)
	if err != nil {
		return nil, fmt.Errorf("expires_at: %w", err)
	}
	return at.UnixMilli(), nil
}

// scalar is a field as SQLite compares it; nil if the document does not have it.
func (f fields) scalar(path string) any {
	v, ok := f[path]
	switch {
	case !ok:
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

// elements are the rows of an array's side table as a JSON array, one array of key values per element; nil if there are none.
func (f fields) elements(ix store.Index) any {
	names := ix.Names()
	if ix.Sparse && f.scalar(names[len(names)-1]) == nil {
		return nil
	}
	array, ok := f[names[ix.Array()]]
	if !ok {
		return nil
	}
	var rows []string
	seen := map[string]bool{}
	for _, e := range array.Array() {
		if seen[e.Raw] {
			continue
		}
		seen[e.Raw] = true
		keys := make([]string, len(names))
		for i, n := range names {
			switch v, ok := f[n]; {
			case i == ix.Array():
				keys[i] = e.Raw
			case ok:
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
