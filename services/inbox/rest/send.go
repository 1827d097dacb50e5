package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/chat"
)

// sendWithin is how long a message may wait for its channel.
const sendWithin = 72 * time.Hour

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
		var in input
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

// send queues the message, or finds it queued by the same call before: that is asked inside the Update, before the
// status.
func (s *Server) send(c *gin.Context, p *auth.Principal, doc *chat.Conversation, key httpapi.Idempotency, in input) (*chat.Message, error) {
	ctx, id := c.Request.Context(), key.ID(c, "msg")
	if there, err := s.Record.Exists(ctx, doc, id); err != nil || there { // a repeat is answered like the first, whatever has changed since
		if err == nil {
			return s.again(c, doc.ID, id, key)
		}
		return nil, err
	}
	m, err := s.compose(ctx, p, doc, in)
	if err != nil {
		return nil, err
	}
	m.ID, m.Digest = id, key.Digest
	check, err := s.checker(ctx, doc, m)
	if err != nil {
		return nil, err
	}
	takes, err := s.answerAssigns(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := s.share(ctx, doc, m); err != nil {
		return nil, err
	}
	_, repeated, err := s.Record.Post(ctx, doc.ID, m, func(d *chat.Conversation) error {
		if m.Direction == chat.Note {
			d.Annotate(m, p.Actor())
			return nil
		}
		if d.Status == chat.Closed {
			return s.closed(ctx, d)
		}
		dispatch, err := check(d)
		if err != nil {
			return err
		}
		if takes && d.AssigneeID == "" {
			d.Assign(chat.Target{AgentID: p.AgentID, AgentName: p.Name}, p.Actor(), "", m.CreatedAt)
		}
		d.Send(m, dispatch)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !repeated {
		return m, nil
	}
	return s.again(c, doc.ID, m.ID, key)
}

// again answers a repeated call with what the first one made.
func (s *Server) again(c *gin.Context, conversationID, id string, key httpapi.Idempotency) (*chat.Message, error) {
	have, err := s.stored(c.Request.Context(), conversationID, id)
	if err != nil {
		return nil, err
	}
	return have, key.Repeat(c, have.Digest)
}

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// stored reads a message whose record may still be pending in its conversation.
func (s *Server) stored(ctx context.Context, conversationID, id string) (*chat.Message, error) {
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

// compose makes a message of the input; what it names is looked up.
func (s *Server) compose(ctx context.Context, p *auth.Principal, doc *chat.Conversation, in input) (*chat.Message, error) {
	m := &chat.Message{
		Direction: chat.Out, CreatedAt: s.at(), Via: chat.Via{Kind: "user"}, Mentions: in.Mentions,
		Sender: chat.Sender{Type: "agent", ID: p.AgentID, Name: p.Name},
		Content: event.Content{
			Type: in.Type, Text: in.Text, HTML: in.HTML, Subject: in.Subject, Location: in.Location.location(), Contacts: in.cards(),
			Interactive: in.Interactive.interactive(), MessageTag: in.MessageTag,
		},
	}
	if p.Kind == "api_key" {
		m.Via, m.Sender = chat.Via{Kind: "api", Label: p.Name}, chat.Sender{Type: "app", ID: p.ID, Name: p.Name}
	}
	if in.Direction == chat.Note {
		m.Direction = chat.Note
	}
	var err error
	if m.Content.Attachments, err = s.uploaded(ctx, p, doc, in.AttachmentIDs, "/attachment_ids/%d"); err != nil {
		return nil, err
	}
	if m.Content.Template, err = s.template(ctx, p, doc, in.Template); err != nil {
		return nil, err
	}
	if err := s.refer(ctx, doc, m, in); err != nil {
		return nil, err
	}
	if m.Content.Type == "" {
		m.Content.Type = typeOf(m.Content)
	}
	if m.Direction == chat.Note && m.Content.Text == "" && len(m.Content.Attachments) == 0 {
		return nil, fault.At("/text", "required", "a note says something")
	}
	return m, nil
}

func typeOf(c event.Content) event.MessageType {
	switch {
	case c.Template != nil:
		return event.TemplateType
	case c.Interactive != nil:
		return event.InteractType
	case c.Reaction != nil:
		return event.ReactionType
	case len(c.Attachments) > 0:
		return c.Attachments[0].Type
	case c.Location != nil:
		return event.LocationType
	case len(c.Contacts) > 0:
		return event.ContactsType
	}
	return event.Text
}

// uploaded are the files with these ids, each uploaded by the caller or shown in the conversation; at is where the i-th
// id stands.
func (s *Server) uploaded(ctx context.Context, p *auth.Principal, doc *chat.Conversation, ids []string, at string) ([]event.Attachment, error) {
	files, err := s.Record.Files.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []event.Attachment
	for i, f := range files {
		if f == nil || f.Tenant != p.Tenant || (!slices.Contains(f.Conversations, doc.ID) && f.UploadedBy != p.ID) {
			return nil, fault.At(fmt.Sprintf(at, i), "bad_value", "there is no attachment %s", ids[i])
		}
		out = append(out, event.Attachment{
			ID: f.ID, Type: f.Type, MIME: f.MIME, Name: f.Name, Size: f.Size, SHA256: f.SHA256, Blob: f.Blob, State: event.Ready,
		})
	}
	return out, nil
}

// refer looks up the messages that the input names: the one answered, the one reacted to.
func (s *Server) refer(ctx context.Context, doc *chat.Conversation, m *chat.Message, in input) error {
	find := func(pointer, id string) (*chat.Message, error) {
		t, err := s.Record.Messages.Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) || (err == nil && t.ThreadID != doc.ThreadID) {
			return nil, fault.At(pointer, "bad_value", "there is no message %s in this thread", id)
		}
		if err == nil && len(t.ExternalIDs) == 0 {
			return nil, fault.At(pointer, "bad_value", "the provider has no id for message %s", id)
		}
		return t, err
	}
	if in.ReplyTo != "" {
		t, err := find("/reply_to", in.ReplyTo)
		if err != nil {
			return err
		}
		m.Content.ReplyTo = &event.Quote{MessageID: t.ID, ExternalID: t.ExternalIDs[0], Excerpt: t.Excerpt()}
	}
	if in.Reaction != nil {
		t, err := find("/reaction/message_id", in.Reaction.MessageID)
		if err != nil {
			return err
		}
		m.Content.Reaction = &event.Reaction{Target: t.ExternalIDs[0], Emoji: in.Reaction.Emoji, Action: "add"}
		if in.Reaction.Emoji == "" {
			m.Content.Reaction.Action = "remove"
		}
	}
	return nil
}

// checker returns what refuses a message that cannot succeed (P8), asked with the conversation as it is inside the
// Update.
func (s *Server) checker(ctx context.Context, doc *chat.Conversation, m *chat.Message) (func(*chat.Conversation) (chat.Dispatch, error), error) {
	if m.Direction == chat.Note {
		return nil, nil
	}
	ch, err := s.Directory.Channel(ctx, doc.ChannelID)
	if fault.Is(err, fault.Gone) || (err == nil && !ch.Enabled) {
		return nil, fault.New(fault.Conflict, "channel_disabled", "the channel is switched off or gone")
	}
	if err != nil {
		return nil, err
	}
	info, err := s.Directory.Type(ctx, doc.ChannelType)
	if err != nil {
		return nil, err
	}
	contact, err := s.Record.Contacts.Get(ctx, doc.ContactID)
	if err == nil && contact.Blocked {
		return nil, fault.New(fault.Conflict, "recipient_blocked", "the contact is blocked")
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return func(c *chat.Conversation) (chat.Dispatch, error) {
		d := c.Dispatch(event.Actor{}, m.CreatedAt.Add(sendWithin), closesAt(info, c.Window))
		d.By = actorOf(m)
		out := event.Outbound{Content: m.Content, WindowUntil: d.WindowUntil}
		return d, outside(info.Check(out, s.Now()), info.Window.Outside)
	}, nil
}

// outside tells with a closed window what may be sent all the same.
func outside(err error, allowed []string) error {
	if fe, ok := errors.AsType[*fault.Error](err); ok && strings.HasPrefix(fe.Pointer, "/attachments/") {
		named := *fe
		named.Pointer = "/attachment_ids/" + strings.Split(fe.Pointer, "/")[2] // as the caller named it
		return &named
	}
	if !fault.Is(err, fault.Window) {
		return err
	}
	return &httpapi.Extended{Err: err, Extra: map[string]any{"allowed": append([]string{}, allowed...)}}
}

func actorOf(m *chat.Message) event.Actor {
	if m.Via.Kind == "api" {
		return event.Actor{Kind: "api", ID: m.Sender.ID, Name: m.Sender.Name}
	}
	return event.Actor{Kind: "user", ID: m.Sender.ID, Name: m.Sender.Name}
}

// answerAssigns reports whether the caller gets an unassigned conversation by answering it.
func (s *Server) answerAssigns(ctx context.Context, p *auth.Principal) (bool, error) {
	if p.AgentID == "" {
		return false, nil
	}
	t, err := s.Directory.Tenant(ctx, p.Tenant)
	if fault.Is(err, fault.Gone) {
		return true, nil
	}
	return slices.Contains(t.Settings.AnswerAssignsRoles, p.Role), err
}

// closed is the answer to whoever writes into a closed conversation: with the open one's id, if there is one.
func (s *Server) closed(ctx context.Context, c *chat.Conversation) error {
	err := fault.New(fault.Conflict, "conversation_closed", "the conversation is closed; start another one or reopen it")
	t, tErr := s.Record.Threads.Get(ctx, c.ThreadID)
	if tErr != nil {
		return err
	}
	if tail, tailErr := s.Record.Tail(ctx, t); tailErr == nil && tail != nil && tail.Status != chat.Closed {
		return &httpapi.Extended{Err: err, Extra: map[string]any{"open_conversation_id": tail.ID}}
	}
	return err
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
		check, err := s.checker(ctx, doc, m)
		if err != nil || check == nil {
			return nil, errOr(err, fault.New(fault.Invalid, "not_applicable", "a note is not sent"))
		}
		if doc.Status == chat.Closed {
			return nil, s.closed(ctx, doc)
		}
		m.CreatedAt = s.at() // the new attempt's time, for the checks
		dispatch, err := check(doc)
		if err != nil {
			return nil, err
		}
		dispatch.By = p.Actor()
		m, err = s.Record.Messages.Update(ctx, id, func(m *chat.Message) error { return m.Retry(dispatch, s.at()) })
		if err != nil {
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
			calls, err := s.Calls(c.Request.Context(), m.Tenant, a.ID)
			if err != nil {
				return nil, err
			}
			steps := a.Steps
			if steps == nil {
				steps = []event.Step{}
			}
			if calls == nil {
				calls = []*provider.Call{}
			}
			out = append(out, object{"attempt_id": a.ID, "n": a.N, "status": a.Status, "created_at": a.CreatedAt, "steps": steps, "calls": calls})
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
