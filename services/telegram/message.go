package telegram

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/event"
)

// message reads a message, or an edit, which has the whole new content.
func (r *reader) message(m *message, kind string, edited bool) {
	e := event.Inbound{Type: event.MessageReceived, Ref: m.key(), ExternalID: m.key(), Peer: m.peer(), ProviderAt: m.Date.Time()}
	named(&e, m.Chat, m.From, m.SenderChat)
	if m.ID == "" {
		e.Ref, e.ExternalID = "update:"+r.update, "update:"+r.update
	}
	if m.ours() {
		e.Type, e.Sender, e.Profile = event.MessageEchoed, nil, m.Chat.profile()
	}
	if edited {
		e.Echo = e.Type == event.MessageEchoed
		e.Type, e.Target, e.Ref = event.MessageEdited, m.key(), m.key()+":"+r.occurrence(m.EditDate)
		e.ProviderAt = m.EditDate.Time()
	}
	e.Content = r.content(m, kind)
	if len(m.Origin) > 0 {
		e.Content.Forwarded, e.Raw = true, m.Origin // who wrote it first has no place of its own
	}
	if kind == "guest_message" {
		e.Raw = r.parts()[kind] // it has the query's id, with which alone it can be answered
	}
	r.add(e)
}

// ours reports whether somebody of a connected business account wrote this, or a bot for them.
func (m *message) ours() bool {
	return m.Business != "" && (m.SenderBot != nil || m.From != nil && m.From.ID != m.Chat.ID)
}

// content is what the message says. What we do not know, or cannot read, becomes a placeholder with the message as it came (P2).
func (r *reader) content(m *message, kind string) *event.Content {
	c := &event.Content{}
	if !r.readable || !m.fill(c) {
		c = m.leftover(r.parts()[kind])
	}
	c.ReplyTo, c.Group = m.quote(), string(m.Album)
	return c
}

// fill reads the one part that the message has. A message has no type: parts are looked for, those first that fill others
// beside themselves for old clients (an animation also a document, a venue also a location).
func (m *message) fill(c *event.Content) bool {
	if a, ok := m.attachment(); ok {
		c.Type, c.Text, c.Attachments = a.Type, plain(m.Caption, m.CEntities), []event.Attachment{a}
		c.Raw = formatting(m.CEntities)
		if m.Sticker != nil {
			c.Text = m.Sticker.Emoji
		}
		return true
	}
	switch {
	case m.Text != "":
		c.Type, c.Text, c.Raw = event.Text, plain(m.Text, m.Entities), formatting(m.Entities)
		m.command(c)
	case m.Venue != nil:
		c.Type, c.Location = event.LocationType, m.Venue.Location.place(m.Venue.Title, m.Venue.Address)
	case m.Location != nil:
		c.Type, c.Location = event.LocationType, m.Location.place("", "")
	case m.Contact != nil:
		c.Type, c.Contacts = event.ContactsType, []event.Card{m.Contact.shared(m.From)}
	case m.Dice != nil:
		c.Type, c.Text, c.Raw = event.Text, m.Dice.words(), raw(m.Dice)
	default:
		return m.answer(c)
	}
	return true
}

// answer reads what a keyboard of ours asked for.
func (m *message) answer(c *event.Content) bool {
	switch {
	case m.UsersShared != nil:
		c.Type = event.ContactsType
		for _, u := range m.UsersShared.Users {
			c.Contacts = append(c.Contacts, event.Card{Name: name(u.FirstName, u.LastName), First: u.FirstName, Last: u.LastName, Peer: string(u.ID)})
		}
	case m.ChatShared != nil:
		c.Type, c.Contacts = event.ContactsType, []event.Card{{Name: m.ChatShared.Title, Peer: string(m.ChatShared.ID)}}
	case m.WebApp != nil:
		in := &event.Interaction{Kind: "form", Title: m.WebApp.Button, Payload: m.WebApp.Data}
		if json.Valid([]byte(m.WebApp.Data)) {
			in.Payload, in.Data = "", json.RawMessage(m.WebApp.Data)
		}
		c.Type, c.Text, c.Interaction = event.InteractType, m.WebApp.Button, in
	default:
		return false
	}
	return true
}

// quote points at what the message answers. The first message of a forum's topic is no such thing, though every message of
// the topic names it.
func (m *message) quote() *event.Quote {
	q := &event.Quote{}
	if m.Quote != nil {
		q.Excerpt = m.Quote.Text
	}
	switch s, x, t := m.ReplyToStory, m.ExternalReply, m.ReplyTo; {
	case s != nil:
		q.Story = string(s.Chat.ID) + ":" + string(s.ID)
	case x != nil:
		if x.Chat != nil && x.ID != "" {
			q.ExternalID = string(x.Chat.ID) + ":" + string(x.ID)
		}
	case t != nil && t.ID != "" && !(m.IsTopic && t.ID == m.Topic):
		q.ExternalID = m.chat() + ":" + string(t.ID)
		if q.Excerpt == "" {
			q.Excerpt = excerpt(t.Text + t.Caption)
		}
	}
	if *q == (event.Quote{}) {
		return nil
	}
	return q
}

// excerpt is the beginning of a quoted text: at most 200 characters.
func excerpt(s string) string {
	n := 0
	for i := range s {
		if n++; n > 200 {
			return s[:i] + "…"
		}
	}
	return s
}

func raw(v any) json.RawMessage {
	b, _ := json.Marshal(v) // our own types: cannot fail
	return b
}
