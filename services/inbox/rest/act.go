package rest

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// act changes a conversation that the caller may see, if If-Match allows, and answers with it.
func (s *Server) act(c *gin.Context, id string, needs auth.Permission, change func(d *record.Conversation, by event.Actor, at event.Time) error) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		if err := p.Require(needs); err != nil {
			return nil, err
		}
		if _, err := s.conversation(ctx, p, id); err != nil {
			return nil, err
		}
		doc, err := s.Record.Conversations.Update(ctx, id, func(d *record.Conversation) error {
			if err := httpapi.IfMatch(c, d.Version); err != nil {
				return err
			}
			seq := d.Seq
			if err := change(d, p.Actor(), s.at()); err != nil {
				return err
			}
			if d.Seq == seq {
				return store.Unchanged
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		return s.answer(c, p, doc)
	})
}

// GetConversation implements api.ServerInterface.
func (s *Server) GetConversation(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func() (any, error) {
		p := httpapi.Caller(c)
		doc, err := s.conversation(c.Request.Context(), p, id)
		if err != nil {
			return nil, err
		}
		return s.answer(c, p, doc)
	})
}

type assignment struct {
	AgentID *string `json:"agent_id"`
	QueueID *string `json:"queue_id"`
	BotID   *string `json:"bot_id"`
}

// target checks that what is named is there.
func (s *Server) target(c *gin.Context) (record.Target, error) {
	var in assignment
	if err := decode(c, &in); err != nil {
		return record.Target{}, err
	}
	p, ctx := httpapi.Caller(c), c.Request.Context()
	to := record.Target{AgentID: orElse(in.AgentID, ""), QueueID: orElse(in.QueueID, ""), BotID: orElse(in.BotID, "")}
	named := 0
	check := func(what, id string, look func() error) error {
		if id == "" {
			return nil
		}
		named++
		return httpapi.Named(look(), "/"+what+"_id", what, id)
	}
	err := check("agent", to.AgentID, func() error {
		a, err := s.Directory.Agent(ctx, p.Tenant, to.AgentID)
		to.AgentName = a.Name
		return err
	})
	if err == nil {
		err = check("queue", to.QueueID, func() error { _, err := s.Directory.Queue(ctx, p.Tenant, to.QueueID); return err })
	}
	if err == nil {
		err = check("bot", to.BotID, func() error { _, err := s.Directory.Bot(ctx, p.Tenant, to.BotID); return err })
	}
	if err == nil && named > 1 {
		err = fault.At("/agent_id", "bad_value", "name one of agent_id, queue_id and bot_id")
	}
	return to, err
}

// assign gives the conversation to whoever the body names. What a person decides is never refused for capacity.
func (s *Server) assign(c *gin.Context, id string) {
	to, err := s.target(c)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	s.act(c, id, auth.Assign, func(d *record.Conversation, by event.Actor, at event.Time) error {
		if d.Status == record.Closed {
			return s.Outbox.Closed(c.Request.Context(), d)
		}
		if to.BotID != "" {
			if err := d.AdmitsBot(); err != nil {
				return err
			}
		}
		d.Assign(to, by, "", at)
		return nil
	})
}

// AssignConversation implements api.ServerInterface.
func (s *Server) AssignConversation(c *gin.Context, id api.ID, _ api.AssignConversationParams) {
	s.assign(c, id)
}

// TransferConversation implements api.ServerInterface.
func (s *Server) TransferConversation(c *gin.Context, id api.ID, _ api.TransferConversationParams) {
	s.assign(c, id)
}

// TakeConversation implements api.ServerInterface.
func (s *Server) TakeConversation(c *gin.Context, id api.ID, _ api.TakeConversationParams) {
	p := httpapi.Caller(c)
	s.act(c, id, auth.Send, func(d *record.Conversation, by event.Actor, at event.Time) error {
		if p.AgentID == "" {
			return fault.New(fault.Invalid, "not_applicable", "an API key cannot hold a conversation; use assign")
		}
		if d.Status == record.Closed {
			return s.Outbox.Closed(c.Request.Context(), d)
		}
		d.Assign(record.Target{AgentID: p.AgentID, AgentName: p.Name}, by, "", at)
		return nil
	})
}

// CloseConversation implements api.ServerInterface.
func (s *Server) CloseConversation(c *gin.Context, id api.ID, _ api.CloseConversationParams) {
	var note record.CloseNote
	p, ctx := httpapi.Caller(c), c.Request.Context()
	if err := decode(c, &note); err != nil {
		httpapi.Fail(c, err)
		return
	}
	t, err := s.Directory.Tenant(ctx, p.Tenant)
	if err != nil && !fault.Is(err, fault.Gone) {
		httpapi.Fail(c, err)
		return
	}
	if t.Settings.CloseNoteRequired && (note.Category == "" || note.Summary == "") {
		var bad httpapi.Fields
		bad.Add("/category", "required", "this tenant closes with category and summary")
		bad.Add("/summary", "required", "this tenant closes with category and summary")
		httpapi.Fail(c, bad)
		return
	}
	unassign := err != nil || t.Settings.CloseUnassigns
	s.act(c, id, auth.CloseConversation, func(d *record.Conversation, by event.Actor, at event.Time) error {
		kept := &note
		if note == (record.CloseNote{}) {
			kept = nil
		}
		return d.Shut(by, kept, unassign, by.Kind, "", at)
	})
}

// ReopenConversation implements api.ServerInterface.
func (s *Server) ReopenConversation(c *gin.Context, id api.ID, _ api.ReopenConversationParams) {
	s.act(c, id, auth.Send, func(d *record.Conversation, by event.Actor, at event.Time) error {
		if d.Next != "" || d.Into != "" {
			return s.Outbox.Closed(c.Request.Context(), d)
		}
		return d.Reopen(by, by.Kind, at)
	})
}

// SnoozeConversation implements api.ServerInterface.
func (s *Server) SnoozeConversation(c *gin.Context, id api.ID, _ api.SnoozeConversationParams) {
	var in struct {
		Until event.Time `json:"until"`
	}
	if err := decode(c, &in); err != nil {
		httpapi.Fail(c, err)
		return
	}
	s.act(c, id, auth.Send, func(d *record.Conversation, by event.Actor, at event.Time) error {
		if !in.Until.After(at) {
			return fault.At("/until", "out_of_range", "the time is over already")
		}
		return d.Snooze(in.Until, by, at)
	})
}

// UnsnoozeConversation implements api.ServerInterface.
func (s *Server) UnsnoozeConversation(c *gin.Context, id api.ID, _ api.UnsnoozeConversationParams) {
	s.act(c, id, auth.Send, func(d *record.Conversation, by event.Actor, at event.Time) error {
		return d.Snooze(event.Time{}, by, at)
	})
}

// TagConversation implements api.ServerInterface.
func (s *Server) TagConversation(c *gin.Context, id api.ID, _ api.TagConversationParams) {
	var in struct {
		Tags []string `json:"tags"`
	}
	if err := decode(c, &in); err != nil {
		httpapi.Fail(c, err)
		return
	}
	s.act(c, id, auth.Send, func(d *record.Conversation, by event.Actor, at event.Time) error {
		d.Tag(in.Tags, by, at)
		return nil
	})
}

// PrioritizeConversation implements api.ServerInterface.
func (s *Server) PrioritizeConversation(c *gin.Context, id api.ID, _ api.PrioritizeConversationParams) {
	var in struct {
		Priority string `json:"priority"`
	}
	if err := decode(c, &in); err != nil {
		httpapi.Fail(c, err)
		return
	}
	s.act(c, id, auth.Send, func(d *record.Conversation, by event.Actor, at event.Time) error {
		for i, name := range priorities {
			if name == in.Priority {
				d.Prioritize(i, by, at)
			}
		}
		return nil
	})
}

// BotInConversation implements api.ServerInterface.
func (s *Server) BotInConversation(c *gin.Context, id api.ID, _ api.BotInConversationParams) {
	var in struct {
		Active bool `json:"active"`
	}
	if err := decode(c, &in); err != nil {
		httpapi.Fail(c, err)
		return
	}
	s.act(c, id, auth.Assign, func(d *record.Conversation, by event.Actor, at event.Time) error {
		switch {
		case d.Status == record.Closed:
			return s.Outbox.Closed(c.Request.Context(), d)
		case in.Active && d.BotID == "":
			return fault.At("/active", "not_applicable", "no bot is assigned to the conversation")
		case in.Active:
			if err := d.AdmitsBot(); err != nil {
				return err
			}
			d.Assign(record.Target{BotID: d.BotID}, by, "", at)
		case d.BotActive:
			d.Assign(record.Target{QueueID: d.QueueID}, by, "", at)
		}
		return nil
	})
}

// ReadConversation implements api.ServerInterface. The customer learns of it, where the channel carries that, once the holder has read
// what was unread; of a conversation that nobody holds, once a person or app has that may answer.
func (s *Server) ReadConversation(c *gin.Context, id api.ID, _ api.ReadConversationParams) {
	news := false
	s.mark(c, id, func(r *record.Read, d *record.Conversation) {
		news = r.Inbound < d.Inbound && d.Window.LastInboundRef != ""
		r.Seq, r.Inbound = d.Seq, d.Inbound
	}, func(ctx context.Context, p *auth.Principal, d *record.Conversation) {
		if !news || !p.May(auth.Send) || d.AssigneeID != "" && p.AgentID != "" && d.AssigneeID != p.AgentID {
			return
		}
		if err := s.signal(ctx, p, d, record.SeenAll); err != nil {
			s.Log.DebugContext(ctx, "that messages were read was not passed on", "error", err)
		}
	})
}

// UnreadConversation implements api.ServerInterface: the newest message of the customer is unread again.
func (s *Server) UnreadConversation(c *gin.Context, id api.ID, _ api.UnreadConversationParams) {
	s.mark(c, id, func(r *record.Read, d *record.Conversation) { r.Inbound = max(d.Inbound-1, 0) }, nil)
}

// mark changes how far the caller has read, and then calls then, if there is one.
func (s *Server) mark(
	c *gin.Context, id string, change func(*record.Read, *record.Conversation), then func(context.Context, *auth.Principal, *record.Conversation),
) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		doc, err := s.conversation(ctx, p, id)
		if err != nil {
			return nil, err
		}
		fresh := func() *record.Read {
			r := &record.Read{UserID: p.ID, ConversationID: doc.ID}
			r.Tenant = p.Tenant
			return r
		}
		_, err = s.Record.Reads.Upsert(ctx, record.ReadID(p.Tenant, p.ID, doc.ID), fresh, func(r *record.Read) error {
			change(r, doc)
			r.At = s.at()
			return nil
		})
		if err != nil {
			return nil, err
		}
		if then != nil {
			then(ctx, p, doc)
		}
		return s.answer(c, p, doc)
	})
}
