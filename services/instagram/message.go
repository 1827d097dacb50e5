package instagram

import (
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

// message reads what a person wrote, or as an echo what was sent as the account: by this app, by another one, or in Meta's inbox. An echo of
// our own is known by its id, as Instagram gives nothing else back.
func (r *reader) message(h happened) {
	m := h.V.Message
	ref := string(m.MID)
	if ref == "" {
		ref = "item:" + event.Hash(string(h.Raw))
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
	m.ReplyTo.quote(c)
	m.Referral.Lead(&e, "")
	r.out.Add(e)
}

// deleted reads that a message was taken back: what it said is erased.
func (r *reader) deleted(h happened) {
	mid := h.V.Message.MID
	if mid == "" {
		r.out.Ignore("no_target", "deleted")
		return
	}
	r.out.Add(h.about(event.MessageDeleted, string(mid)+":deleted", mid))
}

// postback reads a tap on an ice breaker, the menu, or a button of a template. Older ones have no id of their own.
func (r *reader) postback(h happened) {
	p := h.V.Postback
	ref := string(p.MID)
	if ref == "" {
		ref = h.at("postback") + ":" + event.Hash(p.Payload, p.Title)
	}
	e := h.begin(event.MessageReceived, ref)
	e.ExternalID, e.Content = ref, p.Content()
	if h.Err != nil {
		e.Content.Raw = h.Raw
	}
	p.Referral.Lead(&e, "")
	r.out.Add(e)
}

// content is what a message says; nil for what is not known. It is whole if the event holds all of it.
func (m *message) content() (c *event.Content, whole bool) {
	c, whole = &event.Content{Type: event.Text, Text: m.Text}, !m.Unsupported
	var words []string
	for _, a := range m.Attachments {
		said, all := a.V.fill(c)
		words, whole = append(words, said...), a.Err == nil && all && whole
	}
	meta.Below(c, words)
	switch {
	case m.QuickReply != nil:
		c.Type = event.InteractType
		c.Interaction = &event.Interaction{Kind: "quick_reply", ID: m.QuickReply.Payload, Title: m.Text, Payload: m.QuickReply.Payload}
	case meta.Emptied(c) && c.Type == event.Text:
		return nil, false
	}
	return c, whole
}

// quote adds what is answered: a message, or a story of the account, which is shown.
func (q *reply) quote(c *event.Content) {
	switch {
	case q == nil:
	case q.MID != "":
		c.ReplyTo = &event.Quote{ExternalID: string(q.MID)}
	case q.Story != nil && (q.Story.ID != "" || q.Story.URL != ""):
		c.ReplyTo = &event.Quote{Story: meta.First(string(q.Story.ID), "unknown")}
		story(c, q.Story.URL)
	}
}

// kinds are Meta's words for files.
var kinds = map[string]event.MessageType{"image": event.Image, "video": event.Video, "audio": event.Audio, "file": event.Document}

// heart is the one sticker that Instagram has for businesses.
const heart = "like_heart"

// fill adds an attachment to a content, and returns its words. It is false for one of which something is lost.
func (a *attached) fill(c *event.Content) (words []string, whole bool) {
	if kind, file := kinds[a.Type]; file {
		return meta.AddFile(c, kind, a.Payload.URL, a.Payload.Title), true
	}
	switch a.Type {
	case "share", "media", "post", "ig_post", "reel", "ig_reel":
		return []string{a.Payload.Title, a.Payload.URL}, true
	case "story_mention":
		c.Type = event.StoryMention
		story(c, a.Payload.URL)
	case "story", "ig_story":
		c.Type = event.Story
		story(c, a.Payload.URL)
	case heart:
		c.Type, c.Sticker = event.Sticker, &event.StickerRef{ID: heart}
		return []string{"❤"}, true
	case "template":
		return a.template(), false
	default:
		return nil, false
	}
	return nil, true
}

// story adds a story by its URL. Instagram ends it after a day, or with the story, and lets nobody keep what it shows: it is shown from there.
func story(c *event.Content, from string) {
	if meta.Absolute(from) != "" {
		c.Attachments = append(c.Attachments, event.Attachment{Type: event.Story, URL: from, State: event.Remote})
	}
}

// template returns the words of cards, products and buttons.
func (a *attached) template() []string {
	words := append([]string{a.Payload.Title, a.Payload.Text}, meta.Words(a.Payload.Cards)...)
	for _, more := range []*cards{a.Payload.Generic, a.Payload.Product} {
		if more != nil {
			words = append(words, meta.Words(more.Elements)...)
		}
	}
	return words
}
