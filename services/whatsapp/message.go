package whatsapp

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// message reads one item: something a customer did, or, as an echo, somebody of the business in the WhatsApp Business app.
func (r *reader) message(it channel.Item[message], contacts []contact, echo bool) {
	m := &it.V
	who := somebody(m.From, m.FromUserID, m.FromParentID)
	switch {
	case echo:
		who = somebody(m.To, m.ToUserID, m.ToParentID)
	case who.peer == "" && m.System != nil: // of somebody without a known number a notice names the old ids alone
		who = somebody("", m.System.PreviousUserID, m.System.PreviousParentID)
	}
	who = who.known(contacts).inGroup(m.Group)
	if who.peer == "" {
		r.out.Ignore("no_sender", m.Type)
		return
	}
	ref := string(m.ID)
	if ref == "" {
		ref = "item:" + event.Hash(string(it.Raw))
	}
	e := event.Inbound{Type: event.MessageReceived, Ref: ref, ExternalID: ref, Peer: who.peer, Aliases: who.aliases,
		ProviderAt: m.Timestamp.Time(), Sender: who.profile}
	if echo {
		e.Type, e.Sender, e.Profile = event.MessageEchoed, nil, who.profile
	}
	if it.Err != nil || !m.special(&e, it.Raw) {
		e.Content = m.content(it.Raw, it.Err == nil)
		m.lead(&e, it.Raw)
	}
	r.add(e)
}

// special turns e into what is no message of its own: reactions, edits, deletions, changes of identity.
func (m *message) special(e *event.Inbound, raw json.RawMessage) bool {
	echo := e.Type == event.MessageEchoed
	switch {
	case m.Type == "reaction" && m.Reaction != nil && m.Reaction.MessageID != "" && e.Type == event.MessageReceived:
		e.Type, e.Target, e.Reaction = event.MessageReacted, m.Reaction.MessageID, m.Reaction.event()
	case m.Type == "edit" && m.Edit != nil && m.Edit.Original != "" && m.Edit.Message != nil:
		e.Type, e.Target = event.MessageEdited, string(m.Edit.Original)
		changed := *m.Edit.Message
		changed.Context = nil // its id means nothing here
		e.Content = changed.content(raw, true)
	case m.Type == "revoke" && m.Revoke != nil && m.Revoke.Original != "":
		e.Type, e.Target = event.MessageDeleted, string(m.Revoke.Original)
	case m.Type == "request_welcome":
		e.Type, e.Referral = event.ContactReferred, &event.Referral{Source: m.Type}
	case m.Type == "system" && m.System != nil:
		return m.System.change(e, m, raw)
	default:
		return false
	}
	e.Echo = echo
	return true
}

func (r *reaction) event() *event.Reaction {
	e := &event.Reaction{Target: r.MessageID, Emoji: r.Emoji, Action: "add"}
	if r.Emoji == "" {
		e.Action = "remove"
	}
	return e
}

// content is what the message says; what we do not know, or cannot read, becomes a placeholder with the item as it came (P2).
func (m *message) content(raw json.RawMessage, readable bool) *event.Content {
	c := &event.Content{}
	if !readable || !m.fill(c) {
		c = &event.Content{Type: event.Unsupported}
	}
	if c.Type == event.Unsupported || c.Type == event.SystemType || m.lossy() {
		c.Raw = raw
	}
	if q := m.Context; q != nil {
		c.Forwarded = q.Forwarded || q.FrequentlyForwarded
		c.ReplyTo = q.quote()
	}
	return c
}

func (q *quoted) quote() *event.Quote {
	out := event.Quote{ExternalID: string(q.ID)}
	if q.Product != nil {
		out.Product = string(q.Product.ID)
	}
	if out == (event.Quote{}) {
		return nil
	}
	return &out
}

// fill reads the part that the type names. It is false if there is none.
func (m *message) fill(c *event.Content) bool {
	if kind, file := m.file(); file != nil {
		c.Type, c.Text, c.Attachments = kind, file.Caption, []event.Attachment{file.attachment(kind)}
		return true
	}
	switch {
	case m.Type == "text" && m.Text != nil:
		c.Type, c.Text = event.Text, m.Text.Body
	case m.Type == "location" && m.Location != nil:
		c.Type, c.Location = event.LocationType, &event.Location{Latitude: m.Location.Latitude, Longitude: m.Location.Longitude,
			Name: m.Location.Name, Address: m.Location.Address, URL: m.Location.URL}
	case m.Type == "contacts" && len(m.Contacts) > 0:
		c.Type, c.Contacts = event.ContactsType, m.cards()
	case m.Type == "interactive" && m.Interactive != nil:
		c.Type, c.Interaction = event.InteractType, m.Interactive.chosen()
	case m.Type == "button" && m.Button != nil:
		c.Type, c.Interaction = event.InteractType, &event.Interaction{Kind: "quick_reply", Title: m.Button.Text, Payload: m.Button.Payload}
	case m.Type == "order" && m.Order != nil:
		c.Type, c.Text, c.Order = event.OrderType, m.Order.Text, m.Order.event()
	case m.Type == "reaction" && m.Reaction != nil: // an echo: the business reacted from its app
		c.Type, c.Reaction = event.ReactionType, m.Reaction.event()
	case m.Type == "system" && m.System != nil:
		c.Type, c.Text = event.SystemType, m.System.Body
	default:
		return false
	}
	if c.Interaction != nil {
		c.Text = c.Interaction.Title
	}
	return c.Type != event.InteractType || c.Interaction != nil
}

// lead adds the ad that led here. An ad opens a free window of its own.
func (m *message) lead(e *event.Inbound, raw json.RawMessage) {
	f := m.Referral
	if f == nil {
		return
	}
	media := f.ImageURL
	if media == "" {
		media = f.VideoURL
	}
	e.Content.Referral = &event.Referral{Code: f.ClickID, Source: f.SourceType, SourceID: string(f.SourceID), URL: f.SourceURL,
		Headline: f.Headline, Body: f.Body, MediaURL: media}
	e.OpensWindow, e.Raw = "free_entry", raw // the raw item has the greeting that the ad showed
}
