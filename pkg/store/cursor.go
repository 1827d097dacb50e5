package store

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
)

// Scan is a walk along an index: from a position, in an order, at most so far. Drivers fetch Limit+1 rows in the direction
// of Descending and let Page make the page.
type Scan struct {
	Name  string   // of the collection and its index: a cursor of another one is none of this list
	Order []string // the fields that order; the id is always the last
	Desc  bool
	Limit int
	At    *Position // nil: from the beginning
}

// Position is a place in the order of an index, before or behind the document that was there.
type Position struct {
	Index string `json:"x"`
	Desc  bool   `json:"d,omitempty"`
	Keys  []any  `json:"k"` // string, bool, int64, float64, or nil where the document has no such field
	ID    string `json:"i"`
	Back  bool   `json:"b,omitempty"` // towards the beginning of the list
	Here  bool   `json:"h,omitempty"` // the position itself included
}

// Row is a document with the values that placed it.
type Row struct {
	Raw
	Keys []any
}

func scan(name string, order []string, desc bool, limit int, cursor string) (Scan, error) {
	s := Scan{Name: name, Order: order, Desc: desc, Limit: PageSize(limit)}
	if cursor == "" {
		return s, nil
	}
	at, err := parseCursor(cursor)
	if err != nil || at.Index != name || at.Desc != desc || len(at.Keys) != len(order) {
		return s, ErrCursor
	}
	s.At = at
	return s, nil
}

// Descending tells in which direction to fetch.
func (s Scan) Descending() bool { return s.Desc != (s.At != nil && s.At.Back) }

// Page makes the page of what was fetched.
func (s Scan) Page(rows []Row) Page {
	back := s.At != nil && s.At.Back
	more := len(rows) > s.Limit
	if more {
		rows = rows[:s.Limit]
	}
	if back {
		slices.Reverse(rows)
	}
	var p Page
	for _, r := range rows {
		p.Docs = append(p.Docs, r.Raw)
	}
	if len(rows) == 0 {
		if s.At != nil { // everything here was deleted: the way back begins where we stand
			turned := *s.At
			turned.Back, turned.Here = !back, !s.At.Here
			p.Next, p.Prev = pick(back, turned.String())
		}
		return p
	}
	if more || back {
		p.Next = s.position(rows[len(rows)-1], false).String()
	}
	if s.At != nil && (more || !back) {
		p.Prev = s.position(rows[0], true).String()
	}
	return p
}

func pick(next bool, cursor string) (string, string) {
	if next {
		return cursor, ""
	}
	return "", cursor
}

func (s Scan) position(r Row, back bool) Position {
	return Position{Index: s.Name, Desc: s.Desc, Keys: r.Keys, ID: r.ID, Back: back}
}

// String is the cursor that a client holds.
func (p Position) String() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("store: cursor: %v", err)) // keys come from JSON
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(cursor string) (*Position, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var p Position
	if err := d.Decode(&p); err != nil {
		return nil, err
	}
	for i, k := range p.Keys {
		switch k := k.(type) {
		case json.Number:
			if p.Keys[i], err = number(k); err != nil {
				return nil, err
			}
		case nil, string, bool:
		default:
			return nil, ErrCursor
		}
	}
	return &p, nil
}

// number is an int64 if it is one, else a float64. What neither holds (1e999) is no number of ours, and could not be written into
// the next cursor.
func number(n json.Number) (any, error) {
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	return n.Float64()
}

// PlanSearch checks a search against the declaration and returns its terms, the conditions and the order. No terms:
// nothing is found.
func (s Spec) PlanSearch(q SearchQuery) (terms []Term, where []Eq, sc Scan, err error) {
	if s.Search == nil {
		return nil, nil, sc, fmt.Errorf("%w: %s is not searchable", ErrNoIndex, s.Name)
	}
	if where, err = normalise(q.Where); err != nil {
		return nil, nil, sc, err
	}
	first := len(s.Search.Fields) == 0
	for _, eq := range where {
		if !slices.Contains(s.Search.Fields, eq.Field) {
			return nil, nil, sc, fmt.Errorf("%w: search of %s within %s", ErrNoIndex, s.Name, eq.Field)
		}
		first = first || eq.Field == s.Search.Fields[0]
	}
	if !first {
		return nil, nil, sc, fmt.Errorf("%w: search of %s without %s", ErrNoIndex, s.Name, s.Search.Fields[0])
	}
	sc, err = scan(s.Name+".search", []string{s.Search.Order}, true, q.Limit, q.Cursor)
	return Terms(q.Text), where, sc, err
}
