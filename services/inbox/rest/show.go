package rest

import (
	"context"
	"encoding/json"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

type object = map[string]any

var priorities = []string{"none", "low", "normal", "high", "urgent"}

// conversations shows many at once: what they refer to is read with one look-up per kind.
func (s *Server) conversations(ctx context.Context, p *auth.Principal, cs []*record.Conversation) ([]object, error) {
	contacts, messages, reads, err := s.references(ctx, p, cs)
	if err != nil {
		return nil, err
	}
	out := make([]object, len(cs))
	for i, c := range cs {
		if out[i], err = s.show(ctx, c, contacts[i], messages[i], reads[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Server) references(ctx context.Context, p *auth.Principal, cs []*record.Conversation) (contacts []*record.Contact, messages []*record.Message, reads []*record.Read, err error) {
	contactIDs, messageIDs, readIDs := make([]string, len(cs)), make([]string, len(cs)), make([]string, len(cs))
	for i, c := range cs {
		contactIDs[i], messageIDs[i], readIDs[i] = c.ContactID, c.LastMessageID, record.ReadID(p.Tenant, p.ID, c.ID)
		if c.LastMessageID == "" {
			messageIDs[i] = "-" // no such document
		}
	}
	if contacts, err = s.Record.Contacts.GetMany(ctx, contactIDs); err != nil {
		return nil, nil, nil, err
	}
	if messages, err = s.Record.Messages.GetMany(ctx, messageIDs); err != nil {
		return nil, nil, nil, err
	}
	reads, err = s.Record.Reads.GetMany(ctx, readIDs)
	return contacts, messages, reads, err
}

func (s *Server) one(ctx context.Context, p *auth.Principal, c *record.Conversation) (object, error) {
	out, err := s.conversations(ctx, p, []*record.Conversation{c})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// channel returns a conversation's channel and what it can do there: of a channel that is gone, what its type can do by default.
func (s *Server) channel(ctx context.Context, c *record.Conversation) (channel.Channel, channel.Rules, error) {
	ch, err := s.Directory.Channel(ctx, c.ChannelID)
	if err != nil && !fault.Is(err, fault.Gone) {
		return channel.Channel{}, channel.Rules{}, err
	}
	ch.Type = c.ChannelType
	rules, err := s.Directory.Rules(ctx, ch.Channel)
	if fault.Is(err, fault.Gone) {
		err = nil
	}
	return ch.Channel, rules.Under(c.Post), err
}

func (s *Server) show(ctx context.Context, c *record.Conversation, contact *record.Contact, last *record.Message, read *record.Read) (object, error) {
	ch, rules, err := s.channel(ctx, c)
	if err != nil {
		return nil, err
	}
	assignee, err := s.agent(ctx, c.Tenant, c.AssigneeID)
	if err != nil {
		return nil, err
	}
	seen := int64(0)
	if read != nil {
		seen = read.Inbound
	}
	out := object{
		"id": c.ID, "thread_id": c.ThreadID, "kind": c.Kind, "post": c.Post, "status": c.Status, "handler": c.Handler(),
		"channel": object{"id": c.ChannelID, "type": c.ChannelType, "name": ch.Name}, "contact": named(c.ContactID, contact), "peer": c.Peer,
		"assignee": assignee, "ou": unit(c.OUID), "queue_id": orNull(c.QueueID), "bot_id": orNull(c.BotID), "bot_active": c.BotActive, "standby": c.Standby,
		"unread_count": c.Unread(seen), "waiting_since": timeOrNull(c.WaitingSince), "first_response_at": timeOrNull(c.FirstResponseAt),
		"last_message": lastMessage(last), "window": window(rules, c.Window, s.at()), "priority": priorities[c.Priority],
		"tags": append([]string{}, c.Tags...), "reference": reference(c.Reference), "snoozed_until": timeOrNull(c.SnoozedUntil),
		"opened_at": c.OpenedAt, "opened_by": c.OpenedBy, "closed_at": timeOrNull(c.ClosedAt), "closed_by": c.ClosedBy, "close": c.Close,
		"seq": c.Seq, "version": c.Version,
	}
	return out, nil
}

func (s *Server) agent(ctx context.Context, tenant, id string) (any, error) {
	if id == "" {
		return nil, nil
	}
	a, err := s.Directory.Agent(ctx, tenant, id)
	if fault.Is(err, fault.Gone) {
		return object{"id": id, "name": "(deleted)"}, nil
	}
	return object{"id": id, "name": a.Name}, err
}

func named(id string, c *record.Contact) object {
	out := object{"id": id, "name": ""}
	if c != nil {
		out["name"] = c.Display()
		if c.AvatarURL != "" {
			out["avatar_url"] = c.AvatarURL
		}
	}
	return out
}

func lastMessage(m *record.Message) any {
	if m == nil {
		return nil
	}
	out := object{"id": m.ID, "direction": m.Direction, "type": m.Content.Type, "text": m.Excerpt(), "at": m.CreatedAt}
	if m.Status != "" {
		out["status"] = m.Status
	}
	return out
}

func reference(r *event.Referral) any {
	if r == nil {
		return nil
	}
	return object{"code": r.Code, "source": r.Source, "url": r.URL}
}

func unit(id string) any {
	if id == "" {
		return nil
	}
	return object{"id": id}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func timeOrNull(t event.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// showMessage is a message as the API has it.
func showMessage(m *record.Message) object {
	c := m.Content
	out := object{
		"id": m.ID, "conversation_id": m.ConversationID, "seq": m.Seq, "direction": m.Direction, "type": c.Type, "text": c.Text,
		"attachments": attachments(c.Attachments), "sender": m.Sender, "sent_via": m.Via, "external_ids": append([]string{}, m.ExternalIDs...),
		"status": orNull(string(m.Status)), "statuses": steps(m), "attempts": attempts(m), "edited_at": timeOrNull(m.EditedAt),
		"deleted_at": timeOrNull(m.DeletedAt), "provider_at": timeOrNull(m.ProviderAt), "created_at": m.CreatedAt, "raw_available": len(c.Raw) > 0,
		"forwarded": c.Forwarded,
	}
	add := func(key string, set bool, v any) {
		if set {
			out[key] = v
		}
	}
	add("actions", len(m.Actions) > 0, showActions(m.Actions))
	add("hidden", m.Hidden, true)
	add("html", c.HTML != "", c.HTML)
	add("subject", c.Subject != "", c.Subject)
	add("location", c.Location != nil, c.Location)
	add("sticker", c.Sticker != nil, c.Sticker)
	add("contacts", len(c.Contacts) > 0, c.Contacts)
	add("interaction", c.Interaction != nil, c.Interaction)
	add("interactive", c.Interactive != nil, c.Interactive)
	add("template", c.Template != nil, c.Template)
	add("order", c.Order != nil, c.Order)
	add("reaction", c.Reaction != nil, c.Reaction)
	add("reactions", len(m.Reactions) > 0, m.Reactions)
	add("referral", c.Referral != nil, c.Referral)
	add("reply_to", c.ReplyTo != nil, quoted(c.ReplyTo))
	add("message_tag", c.MessageTag != "", c.MessageTag)
	add("as_link", c.AsLink, true)
	add("mentions", len(m.Mentions) > 0, m.Mentions)
	return out
}

func attachments(as []event.Attachment) []object {
	out := make([]object, len(as))
	for i, a := range as {
		out[i] = object{"id": a.ID, "type": a.Type, "mime": a.MIME, "size": a.Size, "name": a.Name, "state": a.State, "url": "/v1/attachments/" + a.ID}
		if a.Voice {
			out[i]["voice"] = true
		}
		if a.Width > 0 {
			out[i]["width"], out[i]["height"] = a.Width, a.Height
		}
		if a.DurationMs > 0 {
			out[i]["duration_ms"] = a.DurationMs
		}
		if a.Preview != "" {
			out[i]["preview_url"] = "/v1/attachments/" + a.ID + "/preview"
		}
		if !a.Until.IsZero() {
			out[i]["until"] = a.Until
		}
		if a.Error != nil {
			out[i]["error"] = a.Error
		}
		if a.Warning != nil {
			out[i]["warning"] = a.Warning
		}
	}
	return out
}

// steps lists every status the message ever had, of all attempts, in the order in which we learned of them.
func steps(m *record.Message) []object {
	out := []object{}
	for _, a := range m.Attempts {
		out = append(out, object{"status": event.Queued, "at": a.CreatedAt, "source": "inbox", "attempt_id": a.ID})
		for _, s := range a.Steps {
			o := object{"status": s.Status, "at": s.At, "source": s.Source, "attempt_id": a.ID}
			if s.Error != nil {
				o["error"] = s.Error
			}
			if s.ExternalID != "" {
				o["external_id"] = s.ExternalID
			}
			if s.Via != "" {
				o["via"] = s.Via
			}
			out = append(out, o)
		}
	}
	return out
}

func attempts(m *record.Message) []object {
	out := []object{}
	for _, a := range m.Attempts {
		o := object{"id": a.ID, "n": a.N, "status": a.Status, "created_at": a.CreatedAt, "external_ids": append([]string{}, a.ExternalIDs...)}
		if len(a.Skipped) > 0 {
			o["skipped_parts"] = a.Skipped
		}
		out = append(out, o)
	}
	return out
}

func showRow(r *record.Row) object {
	out := object{
		"id": r.ID, "contact_id": r.ContactID, "conversation_id": orNull(r.ConversationID), "seq": nil, "category": r.Category, "type": r.Type,
		"actor": r.Actor, "reference": reference(r.Reference), "data": rowData(r), "at": r.At,
	}
	if r.Seq > 0 {
		out["seq"] = r.Seq
	}
	return out
}

// rowData is what a row carries, in the words of the API: the record has a priority as its rank.
func rowData(r *record.Row) json.RawMessage {
	if len(r.Data) == 0 {
		return json.RawMessage("null")
	}
	if r.Type != record.PriorityChanged {
		return r.Data
	}
	var d struct {
		Priority int `json:"priority"`
	}
	if err := json.Unmarshal(r.Data, &d); err != nil || d.Priority < 0 || d.Priority >= len(priorities) {
		return r.Data // of a later version
	}
	return mustJSON(object{"priority": priorities[d.Priority]})
}

func (s *Server) answer(c *gin.Context, p *auth.Principal, doc *record.Conversation) (any, error) {
	c.Header("ETag", httpapi.ETag(doc.Version))
	return s.one(c.Request.Context(), p, doc)
}

// quoted is a quote without the provider's token, which is for the channel only.
func quoted(q *event.Quote) *event.Quote {
	if q == nil {
		return nil
	}
	out := *q
	out.Token = ""
	return &out
}
