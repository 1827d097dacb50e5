package rest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// In a conversation the place is the seq; in a contact's history, over conversations, it is the time, then seq and id.

var bySeq = axis{field: "seq", value: func(key string) any {
	n, _ := strconv.ParseInt(key, 10, 64) // a key of ours
	return n
}}

func alongTime(field string) axis {
	return axis{field: field, value: func(key string) any { at, _, _ := strings.Cut(key, "~"); return at }}
}

func keyOfSeq(seq int64) string { return fmt.Sprintf("%019d", seq) }

// seqKey reads a position in a conversation.
func seqKey(position string) (string, error) {
	n, err := strconv.ParseInt(position, 10, 64)
	return keyOfSeq(max(n, 0)), err
}

// timeKey reads a position in a contact's history; a bare time will do.
func timeKey(position string) (string, error) {
	at, rest, _ := strings.Cut(position, "~")
	var t event.Time
	if err := t.UnmarshalJSON([]byte(strconv.Quote(at))); err != nil {
		return "", err
	}
	return strings.TrimSuffix(t.String()+"~"+rest, "~"), nil
}

func inConversation(kind string, seq int64, shown object) item {
	position := strconv.FormatInt(seq, 10)
	return item{keyOfSeq(seq), position, object{"kind": kind, kind: shown, "position": position}}
}

func inHistory(kind string, at event.Time, seq int64, id string, shown object) item {
	position := at.String() + "~" + keyOfSeq(seq) + "~" + id
	return item{position, position, object{"kind": kind, kind: shown, "position": position}}
}

func (s *Server) messagesOf(id string) reader {
	return read(s.Record.Messages, store.Eq{Field: "conversation_id", Value: id}, bySeq, func(m *record.Message) item {
		return inConversation("message", m.Seq, showMessage(m))
	})
}

func (s *Server) rowsOf(id string) reader {
	return read(s.Record.Rows, store.Eq{Field: "conversation_id", Value: id}, bySeq, func(r *record.Row) item {
		return inConversation("event", r.Seq, showRow(r))
	})
}

// windowed answers with a window into what belongs to a conversation.
func (s *Server) windowed(c *gin.Context, id string, source reader) {
	do(c, http.StatusOK, func() (any, error) {
		ctx := c.Request.Context()
		if _, err := s.conversation(ctx, httpapi.Caller(c), id); err != nil {
			return nil, err
		}
		w, err := spanOf(c, seqKey)
		if err != nil {
			return nil, err
		}
		return w.window(ctx, source)
	})
}

// picking takes the message or event out of its timeline item.
func picking(source reader, kind string) reader {
	return func(ctx context.Context, from edge, newer bool, n int) ([]item, error) {
		items, err := source(ctx, from, newer, n)
		for i := range items {
			items[i].value = items[i].value[kind].(object)
		}
		return items, err
	}
}

// ConversationTimeline implements api.ServerInterface.
func (s *Server) ConversationTimeline(c *gin.Context, id api.ID, _ api.ConversationTimelineParams) {
	s.windowed(c, id, merged(s.messagesOf(id), s.rowsOf(id)))
}

// ListMessages implements api.ServerInterface.
func (s *Server) ListMessages(c *gin.Context, id api.ID, _ api.ListMessagesParams) {
	s.windowed(c, id, picking(s.messagesOf(id), "message"))
}

// ListConversationEvents implements api.ServerInterface.
func (s *Server) ListConversationEvents(c *gin.Context, id api.ID, _ api.ListConversationEventsParams) {
	s.windowed(c, id, picking(s.rowsOf(id), "event"))
}

// ContactTimeline implements api.ServerInterface. What belongs to conversations that the caller may not see is left out.
func (s *Server) ContactTimeline(c *gin.Context, id api.ID, _ api.ContactTimelineParams) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		if _, err := s.contact(ctx, p, id); err != nil {
			return nil, err
		}
		w, err := spanOf(c, timeKey)
		if err != nil {
			return nil, err
		}
		where := store.Eq{Field: "contact_id", Value: id}
		messages := read(s.Record.Messages, where, alongTime("created_at"), func(m *record.Message) item {
			return inHistory("message", m.CreatedAt, m.Seq, m.ID, showMessage(m))
		})
		rows := read(s.Record.Rows, where, alongTime("at"), func(r *record.Row) item { return inHistory("event", r.At, r.Seq, r.ID, showRow(r)) })
		sees := s.seer(ctx, p)
		return w.window(ctx, only(merged(messages, rows), func(it item) (bool, error) {
			inner, _ := it.value[it.value["kind"].(string)].(object)
			conversation, _ := inner["conversation_id"].(string)
			return sees(conversation)
		}))
	})
}

// seer tells which conversations the caller sees, asking once for each. What belongs to none is seen by whoever sees the contact.
func (s *Server) seer(ctx context.Context, p *auth.Principal) func(conversationID string) (bool, error) {
	visible := map[string]bool{"": true}
	return func(id string) (bool, error) {
		if v, known := visible[id]; known {
			return v, nil
		}
		_, err := s.conversation(ctx, p, id)
		if err != nil && !fault.Is(err, fault.Gone) {
			return false, err
		}
		visible[id] = err == nil
		return err == nil, nil
	}
}
