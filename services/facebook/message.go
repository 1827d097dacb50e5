package facebook

import (
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

func stamp(s channel.Stamp) string { return strconv.FormatInt(int64(s), 10) }

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
	m.Referral.lead(&e)
	r.add(e)
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
	r.add(e)
	return true
}

// content is what a message says; nil for what is not known. It is whole if the event holds all of it.
func (m *message) content() (c *event.Content, whole bool) {
	c, whole = &event.Content{Type: event.Text, Text: m.Text}, len(m.Commands) < 2
	for _, a := range stickersOnce(m.Attachments) {
		whole = a.Err == nil && a.V.fill(c) && a.V.Type != "template" && whole
	}
	switch {
	case m.QuickReply != nil:
		c.Type = event.InteractType
		c.Interaction = &event.Interaction{Kind: "quick_reply", ID: m.QuickReply.Payload, Title: m.Text, Payload: m.QuickReply.Payload}
	case len(m.Commands) > 0 && m.Commands[0].V.Name != "":
		c.Type = event.InteractType
		c.Interaction = &event.Interaction{Kind: "command", ID: m.Commands[0].V.Name, Title: m.Text}
	case m.Sticker != "" && len(c.Attachments) == 0:
		c.Type, c.Sticker = event.Sticker, &event.StickerRef{ID: string(m.Sticker)}
	case emptied(c):
		return nil, false
	}
	return c, whole
}

// emptied reports whether nothing was read into a content.
func emptied(c *event.Content) bool {
	return c.Text == "" && len(c.Attachments) == 0 && c.Location == nil && c.Sticker == nil
}

// lead adds the ad or link that led to a message, or the product that it is about. A click on an ad opens a longer window.
func (f *referral) lead(e *event.Inbound) {
	if f == nil {
		return
	}
	if f.Product != nil && f.Product.ID != "" {
		if e.Content.ReplyTo == nil {
			e.Content.ReplyTo = &event.Quote{}
		}
		e.Content.ReplyTo.Product = string(f.Product.ID)
	}
	if ref := f.event(); *ref != (event.Referral{}) {
		e.Content.Referral = ref
	}
	if f.ad() {
		e.OpensWindow = channel.ByFreeEntry
	}
}

func (f *referral) ad() bool { return strings.EqualFold(f.Source, "ADS") }

func (f *referral) event() *event.Referral {
	media := f.Ad.Photo
	if media == "" {
		media = f.Ad.Video
	}
	id := string(f.AdID)
	if id == "" {
		id = string(f.Ad.Post)
	}
	return &event.Referral{Code: f.Ref, Source: f.Source, SourceID: id, URL: f.URI, Headline: f.Ad.Title, MediaURL: media}
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
	e.Content = &event.Content{Type: event.InteractType, Text: p.Title,
		Interaction: &event.Interaction{Kind: "postback", ID: p.Payload, Title: p.Title, Payload: p.Payload}}
	if h.Err != nil {
		e.Content.Raw = h.Raw
	}
	p.Referral.lead(&e)
	r.add(e)
}
