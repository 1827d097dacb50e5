package rest

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// A list is what several index ranges hold together: newest first, each document once. Conditions that no index serves are
// checked on what the ranges return; so many documents are looked at at most for one page.
const lookAt = 2000

type listing struct {
	sources [][]store.Eq
	keep    []func(*record.Conversation) (bool, error)
	field   string // last_message_at or waiting_since
	desc    bool
}

// place is where a page ends: the field's value and the id that breaks ties.
type place struct {
	At   string `json:"t"`
	ID   string `json:"i"`
	Back bool   `json:"b,omitempty"` // a cursor: the page lies before it
}

// ListConversations implements api.ServerInterface.
func (s *Server) ListConversations(c *gin.Context, params api.ListConversationsParams) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		limit, err := httpapi.Limit(c)
		if err != nil {
			return nil, err
		}
		l, err := s.listing(ctx, p, params)
		if err != nil {
			return nil, err
		}
		if params.ChangedAfter != nil {
			return s.changes(ctx, p, l, cmp.Or(orElse(params.Cursor, ""), *params.ChangedAfter), limit)
		}
		position := s.changePosition(ctx, p, params)
		docs, next, prev, err := l.page(ctx, s.Record.Conversations, orElse(params.Cursor, ""), limit)
		if err != nil {
			return nil, err
		}
		out, err := s.conversations(ctx, p, docs)
		return changeList{httpapi.NewList(out, next, prev), position}, err
	})
}

// listing turns a caller's filters into index ranges and conditions. Visibility is part of it (P10).
func (s *Server) listing(ctx context.Context, p *auth.Principal, q api.ListConversationsParams) (*listing, error) {
	l := &listing{field: "last_message_at", desc: true}
	base := []store.Eq{{Field: "tenant", Value: p.Tenant}, {Field: "kind", Value: orElse((*string)(q.Kind), record.Messages)}}
	with := func(eqs ...store.Eq) []store.Eq { return append(slices.Clone(base), eqs...) }
	eq := func(field string, v any) store.Eq { return store.Eq{Field: field, Value: v} }

	view := string(orElse(q.View, "all"))
	statuses := viewStatuses(view, string(orElse(q.Status, "")))
	by := func(field string, v any) {
		for _, st := range statuses {
			l.sources = append(l.sources, with(eq("status", st), eq(field, v)))
		}
	}
	flagged := func(field string, v any) { // all views but one leave blocked contacts out
		for _, st := range statuses {
			if view != "blocked" {
				l.sources = append(l.sources, with(eq("status", st), eq("blocked", nil), eq(field, v)))
			}
			if view == "blocked" || view == "all" {
				l.sources = append(l.sources, with(eq("status", st), eq("blocked", true), eq(field, v)))
			}
		}
	}
	switch {
	case q.Sort != nil && string(*q.Sort) == "-waiting_since":
		l.field, l.desc = "waiting_since", false
		l.sources = [][]store.Eq{with(eq("status", record.Open))}
	case q.ContactId != nil:
		l.sources = [][]store.Eq{{eq("tenant", p.Tenant), eq("contact_id", *q.ContactId)}}
	case view == "mine":
		flagged("assignee_id", nonEmpty(p.AgentID))
	case q.AssigneeId != nil:
		flagged("assignee_id", nonEmpty(*q.AssigneeId))
	case view == "unassigned":
		flagged("assignee_id", nil)
	case q.QueueId != nil:
		by("queue_id", *q.QueueId)
	case view == "team":
		for _, queue := range p.Queues {
			by("queue_id", queue)
		}
	case !p.May(auth.ReadAll):
		l.sources = append(l.sources, with(eq("agents", nonEmpty(p.AgentID))))
		for _, queue := range p.Queues {
			by("queue_id", queue)
		}
	case view == "unresponded":
		flagged("unresponded", true)
	case q.Tag != nil:
		l.sources = [][]store.Eq{with(eq("tags", *q.Tag))}
	case q.ChannelId != nil:
		l.sources = [][]store.Eq{with(eq("channel_id", *q.ChannelId))}
	case q.ChannelType != nil:
		l.sources = [][]store.Eq{with(eq("channel_type", *q.ChannelType))}
	default:
		for _, st := range statuses {
			l.sources = append(l.sources, with(eq("status", st)))
		}
	}
	if q.Sort != nil && string(*q.Sort) == "last_message_at" {
		l.desc = false
	}
	s.conditions(ctx, p, l, q, statuses)
	return l, nil
}

// conditions are all filters once more, on the documents themselves, and who may see them.
func (s *Server) conditions(ctx context.Context, p *auth.Principal, l *listing, q api.ListConversationsParams, statuses []string) {
	is := func(ok func(*record.Conversation) bool) {
		l.keep = append(l.keep, func(c *record.Conversation) (bool, error) { return ok(c), nil })
	}
	same := func(want *string, of func(*record.Conversation) string) {
		if want != nil {
			is(func(c *record.Conversation) bool { return of(c) == *want })
		}
	}
	l.keep = append(l.keep, func(c *record.Conversation) (bool, error) { return s.visible(ctx, p, c) })
	is(func(c *record.Conversation) bool { return slices.Contains(statuses, c.Status) })
	kind := orElse((*string)(q.Kind), record.Messages)
	same(&kind, func(c *record.Conversation) string { return c.Kind })
	same(q.AssigneeId, func(c *record.Conversation) string { return c.AssigneeID })
	same(q.QueueId, func(c *record.Conversation) string { return c.QueueID })
	same(q.ChannelId, func(c *record.Conversation) string { return c.ChannelID })
	same(q.ChannelType, func(c *record.Conversation) string { return string(c.ChannelType) })
	same(q.ContactId, func(c *record.Conversation) string { return c.ContactID })
	same(q.OuId, func(c *record.Conversation) string { return cmp.Or(c.OUID, "unorganized") })
	if q.Tag != nil {
		is(func(c *record.Conversation) bool { return slices.Contains(c.Tags, *q.Tag) })
	}
	if q.UpdatedSince != nil {
		since := event.At(*q.UpdatedSince)
		is(func(c *record.Conversation) bool { return s.Hub.ChangedSince(c.ID, c.UpdatedAt, since) })
	}
	switch string(orElse(q.View, "")) {
	case "mine":
		is(func(c *record.Conversation) bool { return c.AssigneeID == nonEmpty(p.AgentID) })
	case "unassigned":
		is(func(c *record.Conversation) bool { return c.AssigneeID == "" })
	case "assigned":
		is(func(c *record.Conversation) bool { return c.AssigneeID != "" })
	case "unresponded":
		is(func(c *record.Conversation) bool { return c.Unresponded })
	case "team":
		is(func(c *record.Conversation) bool { return slices.Contains(p.Queues, c.QueueID) })
	}
	if view := string(orElse(q.View, "all")); view != "all" {
		is(func(c *record.Conversation) bool { return c.Blocked == (view == "blocked") })
	}
	if q.Unread != nil {
		l.keep = append(l.keep, func(c *record.Conversation) (bool, error) {
			n, err := s.unread(ctx, p, c)
			return (n > 0) == *q.Unread, err
		})
	}
}

func viewStatuses(view, status string) []string {
	if status != "" {
		return []string{status}
	}
	switch view {
	case "mine", "unassigned", "assigned", "unresponded", "team":
		return []string{record.Open}
	case "resolved":
		return []string{record.Closed}
	case "snoozed":
		return []string{record.Snoozed}
	}
	return []string{record.Open, record.Snoozed, record.Closed}
}

func (s *Server) unread(ctx context.Context, p *auth.Principal, c *record.Conversation) (int64, error) {
	rs, err := s.Record.Reads.GetMany(ctx, []string{record.ReadID(p.Tenant, p.ID, c.ID)})
	if err != nil || rs[0] == nil {
		return c.Unread(0), err
	}
	return c.Unread(rs[0].Inbound), nil
}

// page returns the documents behind the cursor, or before it, and the cursors of the pages around them.
func (l *listing) page(ctx context.Context, from *store.Collection[record.Conversation], cursor string, limit int) (docs []*record.Conversation, next, prev string, err error) {
	var at *place
	if cursor != "" {
		if at, err = decodePlace(cursor); err != nil {
			return nil, "", "", err
		}
	}
	back := at != nil && at.Back
	if back {
		mirrored := *l
		mirrored.desc = !l.desc
		l = &mirrored
	}
	docs, end, err := l.walk(ctx, from, at, limit)
	if err != nil {
		return nil, "", "", err
	}
	onward := ""
	if end != nil {
		onward = encodePlace(place{end.At, end.ID, back})
	}
	home := ""
	if at != nil && len(docs) > 0 {
		home = encodePlace(place{l.value(docs[0]), docs[0].ID, !back})
	}
	if back {
		slices.Reverse(docs)
		return docs, home, onward, nil
	}
	return docs, onward, home, nil
}

// walk merges the ranges behind a place. end is where to go on; nil: there is nothing more.
func (l *listing) walk(ctx context.Context, from *store.Collection[record.Conversation], behind *place, limit int) (docs []*record.Conversation, end *place, err error) {
	for looked := 0; looked < lookAt; {
		batch, full, err := l.batch(ctx, from, behind, limit+1)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range batch {
			looked++
			ok, err := l.keeps(c)
			if err != nil {
				return nil, nil, err
			}
			if ok && len(docs) == limit {
				return docs, behind, nil
			}
			behind = &place{At: l.value(c), ID: c.ID}
			if ok {
				docs = append(docs, c)
			}
		}
		if !full {
			return docs, nil, nil
		}
	}
	return docs, behind, nil // there may be more further on: the client asks again
}

// batch returns the next documents of all ranges in order. full says that there may be more behind them.
func (l *listing) batch(ctx context.Context, from *store.Collection[record.Conversation], behind *place, n int) (out []*record.Conversation, full bool, err error) {
	horizon := (*place)(nil) // behind the shortest range that was cut off, the merge is not complete
	seen := map[string]bool{}
	for _, where := range l.sources {
		docs, more, err := l.read(ctx, from, where, behind, n)
		if err != nil {
			return nil, false, err
		}
		if more && len(docs) > 0 {
			last := docs[len(docs)-1]
			if end := (place{At: l.value(last), ID: last.ID}); horizon == nil || l.before(end, *horizon) {
				horizon = &end
			}
			full = true
		}
		for _, d := range docs {
			if !seen[d.ID] {
				seen[d.ID] = true
				out = append(out, d)
			}
		}
	}
	slices.SortFunc(out, func(a, b *record.Conversation) int {
		if l.before(l.at(a), l.at(b)) {
			return -1
		}
		return 1
	})
	if horizon != nil {
		out = slices.DeleteFunc(out, func(c *record.Conversation) bool { return l.before(*horizon, l.at(c)) })
	}
	return out, full, nil
}

// read returns n documents of one range behind a place.
func (l *listing) read(ctx context.Context, from *store.Collection[record.Conversation], where []store.Eq, behind *place, n int) ([]*record.Conversation, bool, error) {
	q := store.Query{Where: where, Order: l.field, Desc: l.desc, Limit: n}
	if behind != nil {
		q.Range, q.Order = &store.Range{Field: l.field, From: behind.At}, ""
		if l.desc {
			q.Range = &store.Range{Field: l.field, To: behind.At, ToIncl: true}
		}
	}
	var out []*record.Conversation
	for {
		docs, next, _, err := from.Query(ctx, q)
		if err != nil {
			return nil, false, err
		}
		for _, d := range docs {
			if behind == nil || l.before(*behind, l.at(d)) {
				out = append(out, d)
			}
		}
		if next == "" || len(out) >= n {
			return out, next != "", nil
		}
		q.Cursor = next
	}
}

func (l *listing) value(c *record.Conversation) string {
	if l.field == "waiting_since" {
		return c.WaitingSince.String()
	}
	return c.LastMessageAt.String()
}

func (l *listing) at(c *record.Conversation) place { return place{At: l.value(c), ID: c.ID} }

// before is the list's order.
func (l *listing) before(a, b place) bool {
	d := cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
	if l.desc {
		return d > 0
	}
	return d < 0
}

func (l *listing) keeps(c *record.Conversation) (bool, error) {
	for _, k := range l.keep {
		if ok, err := k(c); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func encodePlace(p place) string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // two texts always marshal
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func decodePlace(s string) (*place, error) {
	var p place
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if _, timeErr := time.Parse(event.Layout, p.At); err != nil || timeErr != nil || p.ID == "" {
		return nil, fault.At("/cursor", "bad_cursor", "the cursor is not one of this list")
	}
	return &p, nil
}

func orElse[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// nonEmpty keeps an empty id from meaning "nobody": nothing has this one.
func nonEmpty(id string) string { return cmp.Or(id, "-") }
