package rest

import (
	"context"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
)

// item is a message or a row at its place.
type item struct {
	key      string // sorts like the place
	position string // the place as the API names it
	value    object
}

// edge is where reading begins; the zero edge is the end of the list on that side.
type edge struct {
	key  string
	incl bool // the place itself, too
}

func (e edge) beyond(key string, newer bool) bool {
	c := strings.Compare(key, e.key)
	return e.key == "" || (c == 0 && e.incl) || (c > 0) == newer && c != 0
}

// reader returns up to n items on one side of an edge, nearest first.
type reader func(ctx context.Context, from edge, newer bool, n int) ([]item, error)

// span is a window into a list: the newest, what is before or after a position, or both sides of it. Positions are keys here.
type span struct {
	before, after, around string
	limit                 int
}

func spanOf(c *gin.Context, key func(position string) (string, error)) (span, error) {
	limit, err := httpapi.Limit(c)
	if err != nil {
		return span{}, err
	}
	w, named := span{limit: limit}, 0
	for name, to := range map[string]*string{"before": &w.before, "after": &w.after, "around": &w.around} {
		if position := c.Query(name); position != "" {
			named++
			if *to, err = key(position); err != nil {
				return w, fault.At("/"+name, "bad_cursor", "not a position of this list")
			}
		}
	}
	if named > 1 {
		return w, fault.At("/before", "bad_value", "use one of before, after and around")
	}
	return w, nil
}

// window reads a span: oldest first, with the positions to go on from in both directions.
func (w span) window(ctx context.Context, read reader) (any, error) {
	take := func(from edge, newer bool, n int) ([]item, bool, error) {
		items, err := read(ctx, from, newer, n+1)
		return items[:min(n, len(items))], len(items) > n, err
	}
	var older, newer []item
	var moreOlder, moreNewer bool
	var err error
	switch {
	case w.after != "":
		newer, moreNewer, err = take(edge{key: w.after}, true, w.limit)
		moreOlder = len(newer) > 0
	case w.around != "":
		if older, moreOlder, err = take(edge{key: w.around}, false, w.limit/2); err == nil {
			newer, moreNewer, err = take(edge{key: w.around, incl: true}, true, w.limit-w.limit/2)
		}
	default:
		older, moreOlder, err = take(edge{key: w.before}, false, w.limit)
		moreNewer = w.before != "" && len(older) > 0
	}
	if err != nil {
		return nil, err
	}
	slices.Reverse(older)
	items := append(older, newer...)
	prev, next, data := "", "", make([]object, len(items))
	for i, it := range items {
		data[i] = it.value
	}
	if moreOlder && len(items) > 0 {
		prev = items[0].position
	}
	if moreNewer && len(items) > 0 {
		next = items[len(items)-1].position
	}
	return httpapi.NewList(data, next, prev), nil
}

// merged joins two readers of the same order.
func merged(a, b reader) reader {
	return func(ctx context.Context, from edge, newer bool, n int) ([]item, error) {
		x, err := a(ctx, from, newer, n)
		if err != nil {
			return nil, err
		}
		y, err := b(ctx, from, newer, n)
		if err != nil {
			return nil, err
		}
		return nearest(append(x, y...), newer, n), nil
	}
}

func nearest(items []item, newer bool, n int) []item {
	slices.SortFunc(items, func(p, q item) int {
		if newer {
			return strings.Compare(p.key, q.key)
		}
		return strings.Compare(q.key, p.key)
	})
	return items[:min(n, len(items))]
}

// only leaves out what the caller may not see, and reads on for it.
func only(source reader, sees func(item) (bool, error)) reader {
	return func(ctx context.Context, from edge, newer bool, n int) (out []item, err error) {
		for {
			items, err := source(ctx, from, newer, n)
			if err != nil {
				return nil, err
			}
			for _, it := range items {
				ok, err := sees(it)
				if err != nil {
					return nil, err
				}
				if ok {
					out = append(out, it)
				}
				if len(out) == n {
					return out, nil
				}
			}
			if len(items) < n {
				return out, nil
			}
			from = edge{key: items[len(items)-1].key}
		}
	}
}

// axis is an index's field along which a list is read. Several documents may have the same value there.
type axis struct {
	field string
	value func(key string) any // of the field at a key
}

// read makes a reader of the documents that an index has for an id.
func read[T any](from *store.Collection[T], where store.Eq, along axis, show func(*T) item) reader {
	return func(ctx context.Context, at edge, newer bool, n int) ([]item, error) {
		q := store.Query{Where: []store.Eq{where}, Order: along.field, Desc: !newer, Limit: n + 1}
		if at.key != "" {
			q.Order, q.Range = "", &store.Range{Field: along.field, From: along.value(at.key)}
			if !newer {
				q.Range = &store.Range{Field: along.field, To: along.value(at.key), ToIncl: true}
			}
		}
		var out []item
		for {
			docs, next, _, err := from.Query(ctx, q)
			if err != nil {
				return nil, err
			}
			for _, d := range docs {
				if it := show(d); at.beyond(it.key, newer) {
					out = append(out, it)
				}
			}
			// Those with the n-th one's value must all be here before they can be put in order.
			if next == "" || (len(out) > n && along.value(out[len(out)-1].key) != along.value(out[n-1].key)) {
				return nearest(out, newer, n), nil
			}
			q.Cursor = next
		}
	}
}
