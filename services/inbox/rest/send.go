package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/outgoing"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// SendMessage implements api.ServerInterface.
func (s *Server) SendMessage(c *gin.Context, id api.ID, _ api.SendMessageParams) {
	do(c, http.StatusAccepted, func() (any, error) {
		p := httpapi.Caller(c)
		if err := p.Require(auth.Send); err != nil {
			return nil, err
		}
		key, err := httpapi.IdempotencyKey(c, true)
		if err != nil {
			return nil, err
		}
		var in outgoing.Draft
		if err := httpapi.Body(c, &in); err != nil {
			return nil, err
		}
		doc, err := s.conversation(c.Request.Context(), p, id)
		if err != nil {
			return nil, err
		}
		m, err := s.send(c, p, doc, key, in)
		if err != nil {
			return nil, err
		}
		return showMessage(m), nil
	})
}

// CheckMessage implements api.ServerInterface.
func (s *Server) CheckMessage(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		if err := p.Require(auth.Send); err != nil {
			return nil, err
		}
		var in outgoing.Draft
		if err := httpapi.Body(c, &in); err != nil {
			return nil, err
		}
		doc, err := s.conversation(ctx, p, id)
		if err != nil {
			return nil, err
		}
		_, rules, err := s.channel(ctx, doc)
		if err != nil {
			return nil, err
		}
		preview, err := s.Outbox.Preview(ctx, doc, author(p), in)
		if err != nil {
			return nil, err
		}
		return showPreview(preview, window(rules, doc.Window, s.at())), nil
	})
}

func showPreview(p outgoing.Preview, window object) object {
	out := object{
		"ok": len(p.Problems) == 0, "type": p.Type, "parts": p.Parts, "segments": nil, "encoding": nil, "length": nil, "window": window,
		"alternatives": append([]string{}, p.Alternatives...),
	}
	if m := p.Length; m != nil {
		out["length"] = object{"value": m.Value, "max": m.Max, "unit": m.Unit}
		if m.Unit == channel.Segments {
			out["segments"], out["encoding"] = m.Value, m.Encoding
		}
	}
	problems := []object{}
	for _, e := range p.Problems {
		one := object{"code": e.Code, "detail": e.Detail}
		if e.Pointer != "" {
			one["pointer"] = e.Pointer
		}
		problems = append(problems, one)
	}
	out["errors"] = problems
	return out
}

// send queues the message of a call, or answers a repeated call like the first.
func (s *Server) send(
	c *gin.Context, p *auth.Principal, doc *record.Conversation, key httpapi.Idempotency, in outgoing.Draft,
) (*record.Message, error) {
	id := key.ID(c, "msg")
	m, repeated, err := s.Outbox.Send(c.Request.Context(), doc, author(p), outgoing.Key{ID: id, Digest: key.Digest}, in)
	if err != nil || !repeated {
		return m, err
	}
	return s.again(c, doc.ID, id, key)
}

// author returns the caller as the author of messages.
func author(p *auth.Principal) outgoing.Author {
	a := outgoing.Author{
		Tenant: p.Tenant, Actor: p.Actor(), Via: record.Via{Kind: "user"}, Sender: record.Sender{Type: "agent", ID: p.AgentID, Name: p.Name},
		AgentID: p.AgentID, Role: p.Role,
	}
	if p.Kind == "api_key" {
		a.Via, a.Sender = record.Via{Kind: "api", Label: p.Name}, record.Sender{Type: "app", ID: p.ID, Name: p.Name}
	}
	a.By = event.Actor{Kind: a.Actor.Kind, ID: a.Sender.ID, Name: a.Sender.Name}
	return a
}

// again answers a repeated call with what the first one made.
func (s *Server) again(c *gin.Context, conversationID, id string, key httpapi.Idempotency) (*record.Message, error) {
	have, err := s.stored(c.Request.Context(), conversationID, id)
	if err != nil {
		return nil, err
	}
	return have, key.Repeat(c, have.Digest)
}

// stored reads a message whose record may still be pending in its conversation.
func (s *Server) stored(ctx context.Context, conversationID, id string) (*record.Message, error) {
	m, err := s.Record.Messages.Get(ctx, id)
	if !errors.Is(err, store.ErrNotFound) {
		return m, err
	}
	failed := s.Record.Conversations.Apply(ctx, conversationID) // records come first: it may fail and the message be there
	m, err = s.Record.Messages.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) && failed != nil {
		err = failed
	}
	return m, err
}

// GetMessage implements api.ServerInterface.
func (s *Server) GetMessage(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func() (any, error) {
		m, _, err := s.message(c.Request.Context(), httpapi.Caller(c), id)
		if err != nil {
			return nil, err
		}
		return showMessage(m), nil
	})
}

// ResendMessage implements api.ServerInterface.
func (s *Server) ResendMessage(c *gin.Context, id api.ID) {
	do(c, http.StatusAccepted, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		if err := p.Require(auth.Send); err != nil {
			return nil, err
		}
		m, doc, err := s.message(ctx, p, id)
		if err != nil {
			return nil, err
		}
		if m, err = s.Outbox.Resend(ctx, doc, author(p), m); err != nil {
			return nil, err
		}
		return showMessage(m), nil
	})
}

// MessageDeliveries implements api.ServerInterface.
func (s *Server) MessageDeliveries(c *gin.Context, id api.ID) {
	do(c, http.StatusOK, func() (any, error) {
		m, _, err := s.message(c.Request.Context(), httpapi.Caller(c), id)
		if err != nil {
			return nil, err
		}
		out := []object{}
		for _, a := range m.Attempts {
			out = append(out, object{"attempt_id": a.ID, "n": a.N, "status": a.Status, "created_at": a.CreatedAt, "steps": append([]event.Step{}, a.Steps...)})
		}
		for _, a := range m.Actions {
			out = append(out, object{"attempt_id": a.ID, "n": 1, "action": a.Kind, "status": a.Status, "created_at": a.CreatedAt, "steps": []event.Step{}})
		}
		for _, one := range out {
			calls, err := s.Calls(c.Request.Context(), m.Tenant, one["attempt_id"].(string))
			if err != nil {
				return nil, err
			}
			one["calls"] = append([]provider.Call{}, calls...)
		}
		return object{"data": out}, nil
	})
}

// decode reads the JSON body again into v; the validator has seen it already.
func decode(c *gin.Context, v any) error {
	raw, err := httpapi.Raw(c)
	if err != nil {
		return err
	}
	if len(raw) == 0 {
		return nil
	}
	if !json.Valid(raw) {
		return fault.New(fault.Invalid, "bad_json", "the body is not JSON")
	}
	return httpapi.Decode(raw, v)
}
