package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/outgoing"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// actOn queues what a call does to a message through its channel, and answers with the message.
func (s *Server) actOn(c *gin.Context, id string, kind event.ActionKind) {
	do(c, http.StatusAccepted, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		if err := p.Require(auth.Send); err != nil {
			return nil, err
		}
		key, err := httpapi.IdempotencyKey(c, false)
		if err != nil {
			return nil, err
		}
		var in outgoing.Change
		if err := decode(c, &in); err != nil {
			return nil, err
		}
		m, doc, err := s.message(ctx, p, id)
		if err != nil {
			return nil, err
		}
		act := outgoing.Key{ID: key.ID(c, "act"), Digest: key.Digest}
		m, repeated, err := s.Outbox.Act(ctx, doc, author(p), act, m, kind, in)
		if err != nil {
			return nil, err
		}
		if repeated {
			if err := key.Repeat(c, m.Action(act.ID).Digest); err != nil {
				return nil, err
			}
		}
		return showMessage(m), nil
	})
}

// EditMessage implements api.ServerInterface.
func (s *Server) EditMessage(c *gin.Context, id api.ID, _ api.EditMessageParams) {
	s.actOn(c, id, event.ActionEdit)
}

// UnsendMessage implements api.ServerInterface.
func (s *Server) UnsendMessage(c *gin.Context, id api.ID, _ api.UnsendMessageParams) {
	s.actOn(c, id, event.ActionUnsend)
}

// HideMessage implements api.ServerInterface.
func (s *Server) HideMessage(c *gin.Context, id api.ID, _ api.HideMessageParams) {
	s.actOn(c, id, event.ActionHide)
}

// UnhideMessage implements api.ServerInterface.
func (s *Server) UnhideMessage(c *gin.Context, id api.ID, _ api.UnhideMessageParams) {
	s.actOn(c, id, event.ActionUnhide)
}

// ReplyPrivately implements api.ServerInterface.
func (s *Server) ReplyPrivately(c *gin.Context, id api.ID, _ api.ReplyPrivatelyParams) {
	s.actOn(c, id, event.ActionPrivateReply)
}

// showActions lists what was done to a message through its channel.
func showActions(as []record.Action) []object {
	out := make([]object, len(as))
	for i, a := range as {
		out[i] = object{
			"id": a.ID, "kind": a.Kind, "status": a.Status, "by": a.By, "created_at": a.CreatedAt, "settled_at": timeOrNull(a.SettledAt),
		}
		if a.Content != nil {
			out[i]["text"] = a.Content.Text
			if v := a.Content.Interactive; v != nil {
				out[i]["interactive"] = v
			}
		}
		if a.Error != nil {
			out[i]["error"] = a.Error
		}
		if len(a.ExternalIDs) > 0 {
			out[i]["external_ids"] = a.ExternalIDs
		}
	}
	return out
}
