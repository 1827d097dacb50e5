package store

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Plan is how a declared index serves a query. Drivers execute it; that they all refuse and order alike is decided here.
type Plan struct {
	Scan
	Index Index
	Where []Eq   // the index's first fields, in its order; values are string, bool, int64, float64 or nil
	Range *Range // on Order[0]
}

// Plan finds the declared index that serves q, or fails with ErrNoIndex or ErrCursor.
func (s Spec) Plan(q Query) (Plan, error) {
	where, err := normalise(q.Where)
	if err != nil {
		return Plan{}, err
	}
	best := Plan{}
	for _, ix := range s.Declared() {
		if p, ok := ix.serve(where, q); ok && (best.Index.Name == "" || len(p.Order) < len(best.Order)) {
			best = p
		}
	}
	if best.Index.Name == "" {
		return Plan{}, fmt.Errorf("%w: %s by %s", ErrNoIndex, s.Name, describe(q))
	}
	if best.Range, err = q.Range.normalise(); err != nil {
		return Plan{}, err
	}
	best.Scan, err = scan(s.Name+"."+best.Index.Name, best.Order, q.Desc, q.Limit, q.Cursor)
	return best, err
}

// serve tells whether the index answers q: where is its first fields, then comes the range or the order.
func (ix Index) serve(where []Eq, q Query) (Plan, bool) {
	fields := ix.Names()
	if len(where) > len(fields) {
		return Plan{}, false
	}
	prefix := make([]Eq, len(where))
	for _, eq := range where {
		i := slices.Index(fields[:len(where)], eq.Field)
		if i < 0 || prefix[i].Field != "" {
			return Plan{}, false
		}
		prefix[i] = eq
	}
	rest := fields[len(where):]
	by := q.Order
	if q.Range != nil {
		by = q.Range.Field
	}
	switch {
	case by != "" && (len(rest) == 0 || rest[0] != by):
		return Plan{}, false
	case ix.Array() >= len(where) || ix.Array() >= 0 && prefix[ix.Array()].Value == nil: // it has what arrays hold, nothing else
		return Plan{}, false
	case !ix.holds(prefix, by):
		return Plan{}, false
	}
	return Plan{Index: ix, Where: prefix, Scan: Scan{Order: rest}}, true
}

// holds reports whether every document that matches is in the index: the query compares the field that documents in it have with
// a value, or orders by it.
func (ix Index) holds(prefix []Eq, by string) bool {
	at := slices.Index(ix.Names(), ix.Filter())
	switch {
	case at < 0:
		return true
	case at < len(prefix):
		return prefix[at].Value != nil
	}
	return at == len(prefix) && by != ""
}

// Filter returns the field without which a document is not in the index, "" if all documents are.
func (ix Index) Filter() string {
	if ix.Sparse {
		names := ix.Names()
		return names[len(names)-1]
	}
	return ix.Has
}

// Names returns the index's fields without the mark of arrays.
func (ix Index) Names() []string {
	names := make([]string, len(ix.Fields))
	for i, f := range ix.Fields {
		names[i] = strings.TrimSuffix(f, "[]")
	}
	return names
}

// Array returns the position of the field that holds an array, -1 if there is none.
func (ix Index) Array() int {
	return slices.IndexFunc(ix.Fields, func(f string) bool { return strings.HasSuffix(f, "[]") })
}

func normalise(where []Eq) ([]Eq, error) {
	out := make([]Eq, len(where))
	for i, eq := range where {
		v, err := value(eq.Field, eq.Value)
		if err != nil {
			return nil, err
		}
		out[i] = Eq{Field: eq.Field, Value: v}
	}
	return out, nil
}

func (r *Range) normalise() (*Range, error) {
	if r == nil || r.From == nil && r.To == nil {
		return nil, nil
	}
	n := *r
	var err error
	if n.From, err = value(r.Field, r.From); err != nil {
		return nil, err
	}
	n.To, err = value(r.Field, r.To)
	return &n, err
}

// value brings what callers compare with to one of string, bool, int64, float64 and nil.
func value(field string, v any) (any, error) {
	if t, ok := v.(event.Time); ok {
		return t.String(), nil
	}
	if v == nil {
		return nil, nil
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String:
		return r.String(), nil
	case reflect.Bool:
		return r.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int(), nil
	case reflect.Float32, reflect.Float64:
		return r.Float(), nil
	}
	return nil, fmt.Errorf("store: field %s compared with a %T", field, v)
}

func describe(q Query) string {
	var fields []string
	for _, eq := range q.Where {
		fields = append(fields, eq.Field)
	}
	text := "[" + strings.Join(fields, " ") + "]"
	if q.Range != nil {
		return text + " range " + q.Range.Field
	}
	return text + " order " + q.Order
}
