package rest

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/feed"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// positionWithin is how long a list waits for Kafka to say where its changes end; the list itself does not need Kafka.
const positionWithin = 2 * time.Second

// partialList is a list whose page ended when enough was looked at, if it is partial: there may be more behind its cursor.
type partialList struct {
	httpapi.List[object]
	Partial bool `json:"partial"`
}

// changeList is a list of conversations with the position in the log of changes from which a poller goes on, null if
// there is none.
type changeList struct {
	partialList
	ChangeCursor *string `json:"change_cursor"`
}

// changePosition returns the position before the first page of a list that asks for what changed since a time:
// everything that changes from now on lies behind it. Later pages have none, because it would step over what changed on
// the earlier ones.
func (s *Server) changePosition(ctx context.Context, p *auth.Principal, q api.ListConversationsParams) *string {
	if q.UpdatedSince == nil || q.Cursor != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, positionWithin)
	defer cancel()
	at, err := s.Hub.Start(ctx, p.Tenant)
	if err != nil {
		s.Log.WarnContext(ctx, "a list has no change cursor: Kafka cannot be asked where changes end", "error", err)
		return nil
	}
	text := at.String()
	return &text
}

// changes returns the conversations that changed behind a position, as they are now, in the order of their first change
// behind it. Positions are those of the log, so no clock has a part in it. A position that is not kept any more is
// answered with resync.
func (s *Server) changes(ctx context.Context, p *auth.Principal, l *listing, after string, limit int) (any, error) {
	at, err := s.Hub.Resume(ctx, p.Tenant, after)
	if err != nil {
		return nil, err
	}
	docs, at, more, err := s.changedBehind(ctx, p.Tenant, l, at, limit)
	if err != nil {
		return nil, err
	}
	out, err := s.conversations(ctx, p, docs)
	position, next := at.String(), ""
	if more {
		next = position
	}
	return changeList{partialList{httpapi.NewList(out, next, ""), false}, &position}, err
}

// changedBehind reads on in the log until the page is full, the log ends or enough was looked at. It returns where it
// stopped.
func (s *Server) changedBehind(
	ctx context.Context, tenant string, l *listing, at feed.Position, limit int,
) (docs []*record.Conversation, end feed.Position, more bool, err error) {
	seen := map[string]bool{}
	for looked := 0; len(docs) < limit && looked < lookAt; {
		events, err := s.Hub.Behind(ctx, at)
		if err != nil || len(events) == 0 {
			return docs, at, false, err
		}
		events = events[:min(len(events), lookAt-looked)]
		ids, used := changedIn(events, tenant, seen, limit-len(docs))
		found, err := s.Record.Conversations.GetMany(ctx, ids)
		if err != nil {
			return nil, at, false, err
		}
		for _, c := range found {
			if c == nil {
				continue // deleted since
			}
			ok, err := l.keeps(c)
			if err != nil {
				return nil, at, false, err
			}
			if ok {
				docs = append(docs, c)
			}
		}
		at.Offset = events[used-1].Offset
		looked += used
	}
	return docs, at, true, nil
}

// changedIn returns up to limit conversations of a tenant that events are about and that were not seen before, and how
// many events that took.
func changedIn(events []bus.Message, tenant string, seen map[string]bool, limit int) (ids []string, used int) {
	for i, m := range events {
		if m.Event.Tenant != tenant {
			continue
		}
		e, err := event.Decode[event.Stream](m.Event)
		if err != nil || e.ConversationID == "" || seen[e.ConversationID] {
			continue // of a newer version, not of a conversation, or in this page already
		}
		if len(ids) == limit {
			return ids, i
		}
		seen[e.ConversationID] = true
		ids = append(ids, e.ConversationID)
	}
	return ids, len(events)
}
