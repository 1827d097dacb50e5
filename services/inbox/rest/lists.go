package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// lookAt is how many changes are looked at for one page of what changed.
const lookAt = 2000

// listing is what a caller asks for: lists, of each group of which a conversation is in one, and conditions on what they hold.
type listing struct {
	tenant string
	groups [][]string
	exact  bool // the lists alone say it: every condition holds for what is in them
	keep   []func(*record.Conversation) (bool, error)
	order  string
	oldest bool
	name   string // of the query, for its cursors
}

// unorganized stands for the things of no unit.
const unorganized = "unorganized"

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
		page, err := l.page(ctx, s.Record.Conversations, orElse(params.Cursor, ""), limit)
		if err != nil {
			return nil, err
		}
		out, err := s.conversations(ctx, p, page.Docs)
		return changeList{partialList{httpapi.NewList(out, page.Next, page.Prev), page.Partial}, position}, err
	})
}

// page returns the documents behind the cursor, or before it.
func (l *listing) page(ctx context.Context, from *store.Collection[record.Conversation], cursor string, limit int) (store.ListPage[record.Conversation], error) {
	page, err := from.List(ctx, store.ListQuery{
		Tenant: l.tenant, Groups: l.groups, Order: l.order, Oldest: l.oldest, Limit: limit, Cursor: cursor, Name: l.name,
	}, l.keeps)
	if errors.Is(err, store.ErrCursor) {
		err = fault.At("/cursor", "bad_cursor", "the cursor is not one of this list")
	}
	return page, err
}

// listing turns a caller's filters into lists and conditions. Visibility is part of both (P10): the lists lead to what the caller may
// see, the conditions decide.
func (s *Server) listing(ctx context.Context, p *auth.Principal, q api.ListConversationsParams) (*listing, error) {
	l := &listing{tenant: p.Tenant, order: record.ByLastMessage, name: queryName(q)}
	switch sort := string(orElse(q.Sort, "")); sort {
	case "-waiting_since":
		l.order, l.oldest = record.ByWaiting, true
	case "last_message_at":
		l.oldest = true
	}
	scopes, sure, err := s.scopes(ctx, p)
	if err != nil {
		return nil, err
	}
	f := filtered{q: q, kind: orElse((*string)(q.Kind), record.Messages), view: string(orElse(q.View, "all")), scopes: scopes}
	f.statuses = viewStatuses(f.view, string(orElse(q.Status, "")))
	if l.order == record.ByWaiting { // closed ones wait for nothing
		f.statuses = slices.DeleteFunc(f.statuses, func(status string) bool { return status != record.Open })
	}
	l.groups = f.groups(p)
	l.exact = sure && f.plain(p)
	s.conditions(ctx, p, l, q, f.statuses)
	return l, nil
}

// scopes are what the caller sees. They may hold more than that; sure says that they do not.
func (s *Server) scopes(ctx context.Context, p *auth.Principal) (scopes []record.Scope, sure bool, err error) {
	isolated, err := s.isolated(ctx, p)
	switch {
	case err != nil:
		return nil, false, err
	case !p.May(auth.ReadAll) && !p.May(auth.Read):
		return nil, true, nil
	case !p.May(auth.ReadAll):
		scopes = []record.Scope{record.Free}
		if p.AgentID != "" {
			scopes = append(scopes, record.OfAgent(p.AgentID))
		}
		for _, queue := range p.Queues {
			scopes = append(scopes, record.OfQueue(queue))
		}
		return scopes, !isolated, nil
	case !isolated:
		return []record.Scope{record.Everyone}, true, nil
	}
	units, err := s.Directory.UnitsBelow(ctx, p.Tenant, p.OUID)
	if err != nil || len(units) > store.MaxLists {
		return []record.Scope{record.Everyone}, false, err
	}
	for _, unit := range units {
		scopes = append(scopes, record.OfUnit(unit))
	}
	return scopes, true, nil
}

// filtered is a query by lists.
type filtered struct {
	q        api.ListConversationsParams
	kind     string
	view     string
	statuses []string
	scopes   []record.Scope
}

// groups are the lists that the query is led by.
func (f filtered) groups(p *auth.Principal) (groups [][]string) {
	states := f.states()
	add := func(lists ...string) { groups = append(groups, lists) }
	scoped := func(scopes ...record.Scope) { add(record.ScopeLists(f.kind, scopes, states)...) }
	if f.q.AssigneeId != nil {
		scoped(record.OfAgent(nonEmpty(*f.q.AssigneeId)))
	}
	if f.q.QueueId != nil {
		scoped(record.OfQueue(nonEmpty(*f.q.QueueId)))
	}
	if f.q.OuId != nil && *f.q.OuId != unorganized {
		scoped(record.OfUnit(*f.q.OuId))
	}
	narrow := f.narrow(p)
	everyone := len(narrow) == 1 && narrow[0] == record.Everyone
	if !everyone || len(groups) == 0 && (len(states) < len(allStates) || !f.faceted()) {
		lists := record.ScopeLists(f.kind, narrow, states)
		if len(lists) > store.MaxLists && len(groups) == 0 && !f.faceted() { // too many to merge: the conditions decide
			lists = record.ScopeLists(f.kind, []record.Scope{record.Everyone}, states)
		}
		add(lists...)
	}
	for _, facet := range []struct {
		value *string
		list  func(kind, value string) string
	}{
		{f.q.ContactId, record.ContactList}, {f.q.ChannelId, record.ChannelList}, {f.q.ChannelType, record.TypeList}, {f.q.Tag, record.TagList},
	} {
		if facet.value != nil {
			add(facet.list(f.kind, *facet.value))
		}
	}
	return groups
}

// narrow are the scopes of the view, within what the caller sees.
func (f filtered) narrow(p *auth.Principal) []record.Scope {
	var scopes []record.Scope
	switch f.view {
	case "mine":
		return []record.Scope{record.OfAgent(nonEmpty(p.AgentID))}
	case "team":
		for _, queue := range p.Queues {
			scopes = append(scopes, record.OfQueue(queue))
		}
		return scopes
	}
	return f.scopes
}

// faceted reports whether the query has lists that are of no scope.
func (f filtered) faceted() bool {
	return f.q.ContactId != nil || f.q.ChannelId != nil || f.q.ChannelType != nil || f.q.Tag != nil
}

var allStates = []record.State{record.Unassigned, record.Assigned, record.Asleep, record.Ended, record.Barred}

// states are those in which the view may find a conversation.
func (f filtered) states() (states []record.State) {
	if f.view == "blocked" {
		return []record.State{record.Barred}
	}
	for _, status := range f.statuses {
		switch {
		case status == record.Snoozed:
			states = append(states, record.Asleep)
		case status == record.Closed:
			states = append(states, record.Ended)
		case f.view == "unassigned":
			states = append(states, record.Unassigned)
		case f.view == "assigned", f.view == "mine":
			states = append(states, record.Assigned)
		case f.view == "unresponded":
			states = append(states, record.Waits)
		default:
			states = append(states, record.Unassigned, record.Assigned)
		}
	}
	if f.view == "all" {
		states = append(states, record.Barred)
	}
	return states
}

// plain reports whether the query is a view and nothing else: then its lists hold what it asks for, neither more nor less.
func (f filtered) plain(p *auth.Principal) bool {
	only := api.ListConversationsParams{View: f.q.View, Kind: f.q.Kind}
	return f.q == only && len(f.narrow(p))*len(f.states()) <= store.MaxLists
}

// queryName says what a cursor belongs to: all that the caller asked for, but not for which page.
func queryName(q api.ListConversationsParams) string {
	q.Cursor, q.Limit = nil, nil
	b, err := json.Marshal(q)
	if err != nil {
		panic(err) // texts and times always marshal
	}
	return string(b)
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
	same(q.OuId, func(c *record.Conversation) string { return cmp.Or(c.OUID, unorganized) })
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

func (l *listing) keeps(c *record.Conversation) (bool, error) {
	for _, k := range l.keep {
		if ok, err := k(c); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func orElse[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// nonEmpty keeps an empty id from meaning "nobody": nothing has this one.
func nonEmpty(id string) string { return cmp.Or(id, "-") }
