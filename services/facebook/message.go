package facebook

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

// message reads what a person wrote, or as an echo what was sent as the Page.
func (r *reader) message(h happened) {
	m := h.V.Message
	ref := string(m.MID)
	if ref == "" {
		ref = "item:" + event.Hash(string(h.Raw))
	}
	if m.Echo && r.confirms(h, m) {
		return
	}
	e := h.begin(event.MessageReceived, ref)
	if m.Echo {
		e.Type = event.MessageEchoed
	}
	e.ExternalID = ref
	c, whole := m.content()
	if c == nil || h.Err != nil {
		c = &event.Content{Type: event.Unsupported}
	}
	if e.Content = c; !whole || h.Err != nil {
		c.Raw = h.Raw
	}
	if q := m.ReplyTo; q != nil && q.MID != "" {
		e.Content.ReplyTo = &event.Quote{ExternalID: string(q.MID)}
	}
	m.Referral.Lead(&e, channel.ByFreeEntry)
	r.out.Add(e)
}

// confirms takes the echo of what this app has sent, which our metadata tells apart, for a receipt of that: it proves a send whose
// answer was lost. What other software has sent with the same app is an echo as any other.
func (r *reader) confirms(h happened, m *message) bool {
	if _, _, ours := channel.ParseClientRef(m.Metadata); !ours || m.MID == "" || string(m.App) != r.app {
		return false
	}
	e := h.begin(event.ReceiptReceived, string(m.MID)+":echo")
	e.ExternalID = string(m.MID)
	e.Receipt = &event.Receipt{Status: event.Sent, ClientRef: m.Metadata}
	r.out.Add(e)
	return true
}

// content is what a message says; nil for what is not known. It is whole if the event holds all of it.
func (m *message) content() (c *event.Content, whole bool) {
	c, whole = &event.Content{Type: event.Text, Text: m.Text}, len(m.Commands) < 2
	var words []string
	for _, a := range stickersOnce(m.Attachments) {
		said, known := a.V.fill(c)
		words, whole = append(words, said...), a.Err == nil && known && a.V.Type != "template" && whole
	}
	meta.Below(c, words)
	switch {
	case m.QuickReply != nil:
		c.Type = event.InteractType
		c.Interaction = &event.Interaction{Kind: "quick_reply", ID: m.QuickReply.Payload, Title: m.Text, Payload: m.QuickReply.Payload}
	case len(m.Commands) > 0 && m.Commands[0].V.Name != "":
		c.Type = event.InteractType
		c.Interaction = &event.Interaction{Kind: "command", ID: m.Commands[0].V.Name, Title: m.Text}
	case m.Sticker != "" && len(c.Attachments) == 0:
		c.Type, c.Sticker = event.Sticker, &event.StickerRef{ID: string(m.Sticker)}
	case meta.Emptied(c):
		return nil, false
	}
	return c, whole
}

// postback reads a pressed button. Older ones have no id of their own.
func (r *reader) postback(h happened) {
	p := h.V.Postback
	ref := string(p.MID)
	if ref == "" {
		ref = h.at("postback") + ":" + event.Hash(p.Payload, p.Title)
	}
	e := h.begin(event.MessageReceived, ref)
	e.ExternalID = ref
	e.Content = p.Content()
	if h.Err != nil {
		e.Content.Raw = h.Raw
	}
	p.Referral.Lead(&e, channel.ByFreeEntry)
	r.out.Add(e)
}
