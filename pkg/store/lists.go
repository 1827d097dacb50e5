package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	fastjson "github.com/go-json-experiment/json/v1"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Lists declares that the documents of a collection stand in lists. Which ones a document names itself ([Listed]); the collection
// writes them into it at every write, so that a list is what the documents say and nothing else keeps it.
type Lists struct {
	// Orders are fields that order lists: times. A document that has no time in one is in no list of that order; all have the first.
	Orders []string
	// Version of what Tokens returns, from 1 on. Documents that were written with another are in lists of that one, or in none, until
	// [Collection.Relist] has written them anew.
	Version int
}

// Listed is implemented by documents of a collection with [Lists]. Tokens names the lists that the document is in: within its tenant,
// from the document alone.
type Listed interface{ Tokens() []string }

// Fields of [Meta] by which drivers find lists.
const (
	ListsField   = "in"
	VersionField = "lists_version"
)

// VersionIndex is the index that [Spec.Declared] adds for [Collection.Relist].
const VersionIndex = "lists_version"

// Bounds of queries over lists.
const (
	MaxLists = 150  // of the group that leads a query, and of a count
	LookAt   = 2000 // entries for one page
	CountTo  = 10_000
)

// ListQuery asks for documents by lists, newest first.
type ListQuery struct {
	Tenant string
	// Groups of lists: a document is found that is in every group, and in a group are those of any of its lists. There is at least
	// one group, and one has at most [MaxLists]; in a group without a list nothing is.
	Groups [][]string
	Order  string // one of the collection's; empty: the first
	Oldest bool   // oldest first
	Limit  int    // 1–1000; 0 means 25
	Cursor string
	// Name is what the caller was asked for. A cursor serves only the query of the same name, and whatever lists that names by then.
	Name string
}

// ListPage is a part of what a [ListQuery] finds.
type ListPage[T any] struct {
	Docs       []*T
	Next, Prev string // empty: no more in that direction
	Partial    bool   // enough was looked at before the page was full: there may be more behind Next
}

// Place is where a document stands in every list that it is in.
type Place struct {
	At  string `json:"t"` // what orders the list, in event.Layout
	Tie string `json:"k"` // tells documents of the same time apart, in the driver's own terms
}

// Walk is a walk along the lists of a group, for drivers.
type Walk struct {
	Tenant string
	Groups [][]string
	Order  string // one that the collection declares
	Down   bool   // newest first
	From   *Place // behind it; nil: from the beginning
	Limit  int    // so many documents are wanted
	Look   int    // so many entries may be looked at
}

// Walked is how far a walk came. Its rows are in order, each document once, and were in all groups; a row may have changed since it
// was found.
type Walked struct {
	Rows   []ListRow
	Looked int
	End    *Place // where to go on; nil: there is nothing more
}

// ListRow is a document at a place.
type ListRow struct {
	Raw
	Place Place
}

// List returns a page of the documents that q finds and keep keeps. Without a change of the documents in between, pages show
// every document once; what gets a later time meanwhile is not shown twice on the way to older ones.
func (c *Collection[T]) List(ctx context.Context, q ListQuery, keep func(*T) (bool, error)) (ListPage[T], error) {
	if c.spec.Lists == nil {
		return ListPage[T]{}, fmt.Errorf("%w: %s has no lists", ErrNoIndex, c.spec.Name)
	}
	if q.Order == "" {
		q.Order = c.spec.Lists.Orders[0]
	}
	at, err := q.parse(c.spec)
	if err != nil {
		return ListPage[T]{}, err
	}
	back := at != nil && at.Back
	w := Walk{Tenant: q.Tenant, Groups: q.Groups, Order: q.Order, Down: q.Oldest == back}
	if at != nil {
		w.From = &at.Place
	}
	l := listing[T]{Collection: c, Walk: w, keep: keep, limit: PageSize(q.Limit)}
	if err := l.walk(ctx); err != nil {
		return ListPage[T]{}, fmt.Errorf("%s: %w", c.spec.Name, err)
	}
	page := ListPage[T]{Docs: l.docs, Partial: l.partial}
	if l.end != nil {
		page.Next = q.cursor(c.spec.Name, *l.end, back)
	}
	if at != nil && len(l.docs) > 0 {
		page.Prev = q.cursor(c.spec.Name, l.first, !back)
	}
	if back {
		slices.Reverse(page.Docs)
		page.Next, page.Prev = page.Prev, page.Next
	}
	return page, nil
}

// listing is a page under way.
type listing[T any] struct {
	*Collection[T]
	Walk
	keep  func(*T) (bool, error)
	limit int

	docs    []*T
	first   Place  // of the first document
	end     *Place // where to go on
	partial bool
}

// walk fills the page: the driver finds what the lists have, keep decides on the documents, and all of it looks at no more than
// [LookAt] entries.
func (l *listing[T]) walk(ctx context.Context) error {
	for look := LookAt; look > 0; {
		l.Limit, l.Look = l.limit+1-len(l.docs), look
		got, err := l.db.Walk(ctx, l.spec.Name, l.Walk)
		if err != nil {
			return err
		}
		full, err := l.take(got.Rows)
		if err != nil || full {
			return err
		}
		if l.end = got.End; l.end == nil {
			return nil
		}
		l.From, look = l.end, look-got.Looked
	}
	l.partial = true
	return nil
}

// take adds rows to the page until one is left over.
func (l *listing[T]) take(rows []ListRow) (full bool, err error) {
	for _, r := range rows {
		doc, err := l.decode(r.Raw)
		if err != nil {
			return false, err
		}
		ok := l.has(l.meta(doc))
		if ok && l.keep != nil {
			if ok, err = l.keep(doc); err != nil {
				return false, err
			}
		}
		if ok && len(l.docs) == l.limit {
			return true, nil
		}
		if ok && len(l.docs) == 0 {
			l.first = r.Place
		}
		if ok {
			l.docs = append(l.docs, doc)
		}
		place := r.Place
		l.end = &place
	}
	return false, nil
}

// has reports whether a document is where the query looks. Drivers find it by less than the names of the lists, and it may have
// changed since.
func (w Walk) has(m *Meta) bool {
	if m.Tenant != w.Tenant {
		return false
	}
	for _, group := range w.Groups {
		if !slices.ContainsFunc(group, func(list string) bool { return slices.Contains(m.In, list) }) {
			return false
		}
	}
	return true
}

// CountLists counts the documents of a tenant that are in any of the lists, each once, to limit. The index alone answers; a count
// is kept for a second, and the same one is made once at a time.
func (c *Collection[T]) CountLists(ctx context.Context, tenant string, lists []string, limit int) (int, error) {
	if c.spec.Lists == nil || len(lists) > MaxLists {
		return 0, fmt.Errorf("%w: %s: count of %d lists", ErrNoIndex, c.spec.Name, len(lists))
	}
	if len(lists) == 0 {
		return 0, nil
	}
	limit = min(limit, CountTo)
	key := digest(append([]string{tenant, fmt.Sprint(limit)}, lists...)...)
	n, err := c.counts.get(ctx, key, func(ctx context.Context) (int, error) {
		return c.db.CountLists(ctx, c.spec.Name, tenant, lists, limit)
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.spec.Name, err)
	}
	return n, nil
}

// list writes into the header which lists the document is in.
func (m *Meta) list(l *Lists, doc any) error {
	listed, ok := doc.(Listed)
	if !ok {
		return errors.New("the collection has lists, and the document's type names none")
	}
	m.In = slices.Compact(slices.Sorted(slices.Values(listed.Tokens())))
	m.ListsVersion = l.Version
	return nil
}

// listRaw is list for a document that another process has encoded, perhaps one of an earlier version. Fields that this binary does
// not know are kept.
func (c *Collection[T]) listRaw(raw json.RawMessage) (json.RawMessage, error) {
	if gjson.GetBytes(raw, VersionField).Int() == int64(c.spec.Lists.Version) {
		return raw, nil
	}
	doc := new(T)
	if err := fastjson.Unmarshal(raw, doc); err != nil {
		return nil, fmt.Errorf("%s: document: %w", c.spec.Name, err)
	}
	m := c.meta(doc)
	if err := m.list(c.spec.Lists, doc); err != nil {
		return nil, err
	}
	in, err := encode(m.In)
	if err != nil {
		return nil, err
	}
	if raw, err = sjson.SetRawBytes(raw, ListsField, in); err != nil {
		return nil, fmt.Errorf("%s: document: %w", c.spec.Name, err)
	}
	return sjson.SetBytes(raw, VersionField, m.ListsVersion)
}

// listCursor is what a client holds.
type listCursor struct {
	Place
	Back  bool   `json:"b,omitempty"`
	Query string `json:"q"`
}

// digest names the query for its cursors.
func (q ListQuery) digest(collection string) string {
	parts := []string{collection, q.Tenant, q.Order, fmt.Sprint(q.Oldest), q.Name}
	if q.Name == "" {
		for _, g := range q.Groups {
			parts = append(append(parts, fmt.Sprint(len(g))), g...)
		}
	}
	return digest(parts...)
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:9])
}

func (q ListQuery) cursor(collection string, at Place, back bool) string {
	b, err := json.Marshal(listCursor{at, back, q.digest(collection)})
	if err != nil {
		panic(fmt.Sprintf("store: cursor: %v", err)) // texts always marshal
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parse reads the cursor of the query, nil if it has none, and checks the query itself.
func (q ListQuery) parse(spec Spec) (*listCursor, error) {
	if !slices.Contains(spec.Lists.Orders, q.Order) {
		return nil, fmt.Errorf("%w: lists of %s by %s", ErrNoIndex, spec.Name, q.Order)
	}
	if len(q.Groups) == 0 || !slices.ContainsFunc(q.Groups, func(g []string) bool { return len(g) <= MaxLists }) {
		return nil, fmt.Errorf("%w: %s: no group of at most %d lists", ErrNoIndex, spec.Name, MaxLists)
	}
	if q.Cursor == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(q.Cursor))
	if err != nil {
		return nil, ErrCursor
	}
	var at listCursor
	if err := json.Unmarshal(b, &at); err != nil || at.Query != q.digest(spec.Name) {
		return nil, ErrCursor
	}
	if _, err := time.Parse(event.Layout, at.At); err != nil {
		return nil, ErrCursor
	}
	return &at, nil
}
