package rest

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/chat"
)

// item is a message or a row at its place.
type item struct {
	position string // of the window's parameters
	order    string // sorts like the position
	value    object
}

// span is a window into a list: the newest, what is before or after a position, or both sides of it.
type span struct {
	before, after, around string
	limit                 int
}

func spanOf(c *gin.Context) (span, error) {
	limit, err := httpapi.Limit(c)
	w := span{c.Query("before"), c.Query("after"), c.Query("around"), limit}
	if n := len(slices.DeleteFunc([]string{w.before, w.after, w.around}, func(s string) bool { return s == "" })); err == nil && n > 1 {
		err = fault.At("/before", "bad_value", "use one of before, after and around")
	}
	return w, err
}

// reader returns up to n items on one side of a position, nearest first; an empty position is the list's end on that side.
type reader func(ctx context.Context, from string, newer bool, n int) ([]item, error)

// window reads a span: oldest first, with the positions to go on from in both directions.
func (w span) window(ctx context.Context, read reader) (any, error) {
	var older, newer []item
	var err error
	switch {
	case w.after != "":
		newer, err = read(ctx, w.after, true, w.limit+1)
	case w.around != "":
		half := max(w.limit/2, 1)
		if older, err = read(ctx, w.around, false, half+1); err == nil {
			newer, err = read(ctx, w.around+"=", true, w.limit-half+1)
		}
		w.limit = half
	default:
		older, err = read(ctx, w.before, false, w.limit+1)
	}
	if err != nil {
		return nil, err
	}
	prev, next := "", ""
	if len(older) > w.limit {
		older = older[:w.limit]
		prev = older[len(older)-1].position
	}
	if w.after != "" || w.around != "" {
		limit := w.limit
		if w.around != "" {
			limit = max(len(newer)-1, 0)
			if len(newer) <= w.limit {
				limit = len(newer)
			}
		}
		if len(newer) > limit {
			newer = newer[:limit]
			next = newer[len(newer)-1].position
		}
	}
	slices.Reverse(older)
	data := make([]object, 0, len(older)+len(newer))
	for _, it := range append(older, newer...) {
		data = append(data, it.value)
	}
	if w.before != "" && len(data) > 0 {
		next = older[len(older)-1].position
	}
	if w.after != "" && len(data) > 0 {
		prev = newer[0].position
	}
	return httpapi.NewList(data, next, prev), nil
}

// merged joins two readers of the same order.
func merged(a, b reader) reader {
	return func(ctx context.Context, from string, newer bool, n int) ([]item, error) {
		x, err := a(ctx, from, newer, n)
		if err != nil {
			return nil, err
		}
		y, err := b(ctx, from, newer, n)
		if err != nil {
			return nil, err
		}
		all := append(x, y...)
		slices.SortStableFunc(all, func(p, q item) int {
			if newer {
				return cmp.Compare(p.order, q.order)
			}
			return cmp.Compare(q.order, p.order)
		})
		return all[:min(n, len(all))], nil
	}
}

// beside makes the query for one side of a position in an index; "=" behind a position includes it.
func beside(where store.Eq, field string, at any, newer, inclusive bool, n int) store.Query {
	q := store.Query{Where: []store.Eq{where}, Order: field, Desc: !newer, Limit: n}
	if at == nil {
		return q
	}
	q.Order = ""
	if newer {
		q.Range = &store.Range{Field: field, From: at, FromExcl: !inclusive}
	} else {
		q.Range = &store.Range{Field: field, To: at}
	}
	return q
}

func seqOf(position string) (at any, inclusive bool, err error) {
	if position == "" {
		return nil, false, nil
	}
	if position[len(position)-1] == '=' {
		position, inclusive = position[:len(position)-1], true
	}
	n, err := strconv.ParseInt(position, 10, 64)
	if err != nil {
		return nil, false, fault.At("/cursor", "bad_cursor", "not a position of this list")
	}
	return n, inclusive, nil
}

func bySeq(seq int64) (position, order string) {
	s := strconv.FormatInt(seq, 10)
	return s, "00000000000000000000"[len(s):] + s
}

func messageItem(m *chat.Message) item {
	it := item{value: object{"kind": "message", "message": showMessage(m)}}
	it.position, it.order = bySeq(m.Seq)
	it.value["position"] = it.position
	return it
}

func rowItem(r *chat.Row) item {
	it := item{value: object{"kind": "event", "event": showRow(r)}}
	it.position, it.order = bySeq(r.Seq)
	it.value["position"] = it.position
	return it
}

// read makes a reader of a collection.
func read[T any](from *store.Collection[T], where store.Eq, field string, parse func(string) (any, bool, error), show func(*T) item) reader {
	return func(ctx context.Context, position string, newer bool, n int) ([]item, error) {
		at, inclusive, err := parse(position)
		if err != nil {
			return nil, err
		}
		docs, _, _, err := from.Query(ctx, beside(where, field, at, newer, inclusive, n))
		if err != nil {
			return nil, err
		}
		out := make([]item, len(docs))
		for i, d := range docs {
			out[i] = show(d)
		}
		return out, nil
	}
}

func (s *Server) messagesOf(id string) reader {
	return read(s.Record.Messages, store.Eq{Field: "conversation_id", Value: id}, "seq", seqOf, messageItem)
}

func (s *Server) rowsOf(id string) reader {
	return read(s.Record.Rows, store.Eq{Field: "conversation_id", Value: id}, "seq", seqOf, rowItem)
}

// windowed answers with a window into what belongs to a conversation.
func (s *Server) windowed(c *gin.Context, id string, source reader, pick string) {
	do(c, http.StatusOK, func() (any, error) {
		ctx := c.Request.Context()
		if _, err := s.conversation(ctx, httpapi.Caller(c), id); err != nil {
			return nil, err
		}
		w, err := spanOf(c)
		if err != nil {
			return nil, err
		}
		return w.window(ctx, picking(source, pick))
	})
}

// picking takes the message or event out of its timeline item.
func picking(source reader, pick string) reader {
	if pick == "" {
		return source
	}
	return func(ctx context.Context, from string, newer bool, n int) ([]item, error) {
		items, err := source(ctx, from, newer, n)
		for i := range items {
			items[i].value = items[i].value[pick].(object)
		}
		return items, err
	}
}

// ConversationTimeline implements api.ServerInterface.
func (s *Server) ConversationTimeline(c *gin.Context, id api.ID, _ api.ConversationTimelineParams) {
	s.windowed(c, id, merged(s.messagesOf(id), s.rowsOf(id)), "")
}

// ListMessages implements api.ServerInterface.
func (s *Server) ListMessages(c *gin.Context, id api.ID, _ api.ListMessagesParams) {
	s.windowed(c, id, s.messagesOf(id), "message")
}

// ListConversationEvents implements api.ServerInterface.
func (s *Server) ListConversationEvents(c *gin.Context, id api.ID, _ api.ListConversationEventsParams) {
	s.windowed(c, id, s.rowsOf(id), "event")
}

// timePosition is a place in a contact's history, over conversations: a time and the id that breaks ties.
func timeOf(position string) (at any, inclusive bool, err error) {
	if position == "" {
		return nil, false, nil
	}
	if position[len(position)-1] == '=' {
		position, inclusive = position[:len(position)-1], true
	}
	var t event.Time
	if err := t.UnmarshalJSON([]byte(strconv.Quote(position))); err != nil {
		return nil, false, fault.At("/cursor", "bad_cursor", "not a position of this list")
	}
	return t.String(), inclusive, nil
}

// ContactTimeline implements api.ServerInterface. Messages of conversations that the caller may not see are left out.
func (s *Server) ContactTimeline(c *gin.Context, id api.ID, _ api.ContactTimelineParams) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		if _, err := s.contact(ctx, p, id); err != nil {
			return nil, err
		}
		w, err := spanOf(c)
		if err != nil {
			return nil, err
		}
		visible := map[string]bool{}
		sees := func(conversationID string) (bool, error) {
			if v, known := visible[conversationID]; known || conversationID == "" {
				return v || conversationID == "", nil
			}
			_, err := s.conversation(ctx, p, conversationID)
			visible[conversationID] = err == nil
			if fault.Is(err, fault.Gone) {
				err = nil
			}
			return visible[conversationID], err
		}
		where := store.Eq{Field: "contact_id", Value: id}
		at := func(v object, t event.Time) item { v["position"] = t.String(); return item{t.String(), t.String(), v} }
		messages := read(s.Record.Messages, where, "created_at", timeOf, func(m *chat.Message) item {
			return at(object{"kind": "message", "message": showMessage(m)}, m.CreatedAt)
		})
		rows := read(s.Record.Rows, where, "at", timeOf, func(r *chat.Row) item { return at(object{"kind": "event", "event": showRow(r)}, r.At) })
		return w.window(ctx, only(merged(messages, rows), sees))
	})
}

// only leaves out items of conversations that the caller may not see.
func only(source reader, sees func(conversationID string) (bool, error)) reader {
	return func(ctx context.Context, from string, newer bool, n int) ([]item, error) {
		items, err := source(ctx, from, newer, n)
		if err != nil {
			return nil, err
		}
		out := items[:0]
		for _, it := range items {
			inner, _ := it.value[it.value["kind"].(string)].(object)
			id, _ := inner["conversation_id"].(string)
			ok, err := sees(id)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, it)
			}
		}
		return out, nil
	}
}
