package line

import (
	"encoding/json"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// message reads what somebody wrote. What is not known, or cannot be read, becomes a placeholder with the event as it came (P2).
func (r *reader) message(i channel.Item[lineEvent]) {
	out := r.begin(event.MessageReceived, i)
	m := i.V.Message
	out.Content = &event.Content{Type: event.Unsupported, Raw: i.Raw}
	if m != nil {
		out.ExternalID = string(m.ID)
		if c := r.content(m); i.Err == nil && c != nil {
			out.Content = c
		}
		out.Content.QuoteToken, out.Content.ReadToken = m.QuoteToken, m.ReadToken
		if m.Quoted != "" {
			out.Content.ReplyTo = &event.Quote{ExternalID: string(m.Quoted)}
		}
		if m.Set != nil {
			out.Content.Group = string(m.Set.ID)
		}
	}
	if out.ExternalID == "" {
		out.ExternalID = out.Ref
	}
	r.add(out)
}

// edited reads the new text of a message, which comes of groups only. Edits can arrive out of order: the newest time is the latest.
func (r *reader) edited(i channel.Item[lineEvent]) {
	m := i.V.Message
	if m == nil || m.ID == "" {
		r.out.Ignore("event", "messageEdited")
		return
	}
	out := r.begin(event.MessageEdited, i)
	out.Target, out.ExternalID = string(m.ID), string(m.ID)
	if out.Content = r.content(m); out.Content == nil {
		out.Content = &event.Content{Type: event.Unsupported, Raw: i.Raw}
	}
	r.add(out)
}

// content is what a message says; nil for a kind that is not known.
func (r *reader) content(m *message) *event.Content {
	switch m.Type {
	case "text":
		return &event.Content{Type: event.Text, Text: m.Text, Raw: m.styled()}
	case "image":
		return m.file(event.Attachment{Type: event.Image})
	case "video":
		return m.file(event.Attachment{Type: event.Video})
	case "audio": // LINE records it in the talk, as other apps do voice notes
		return m.file(event.Attachment{Type: event.Audio, Voice: true})
	case "file":
		return m.file(event.Attachment{Type: event.Document, Name: m.FileName, Size: m.FileSize})
	case "location":
		return &event.Content{Type: event.LocationType, Location: &event.Location{
			Latitude: m.Latitude, Longitude: m.Longitude, Name: m.Title, Address: m.Address,
		}}
	case "sticker":
		return r.sticker(m)
	}
	return nil
}

// file refers to the bytes by the message's id, or by the URL that the sender's app chose.
func (m *message) file(a event.Attachment) *event.Content {
	if m.Provider.Type == "external" {
		a.URL = m.Provider.URL
	} else {
		a.MediaRef = string(m.ID)
	}
	return &event.Content{Type: a.Type, Attachments: []event.Attachment{a}}
}

// sticker has no file in the API. The picture is taken from where LINE's own shop shows it, which is not documented: without it
// the words that describe the sticker remain.
func (r *reader) sticker(m *message) *event.Content {
	c := &event.Content{Type: event.Sticker, Text: m.Text, Sticker: &event.StickerRef{PackageID: string(m.Package), ID: string(m.Sticker)}}
	if c.Text == "" {
		c.Text = strings.Join(m.Keywords, ", ")
	}
	if digits(string(m.Sticker)) {
		c.Attachments = []event.Attachment{{
			Type: event.Sticker, Animated: strings.Contains(m.StickerKind, "ANIMATION"),
			URL: host(r.ch, "https://stickershop.line-scdn.net") + "/stickershop/v1/sticker/" + string(m.Sticker) + "/android/sticker.png",
		}}
	}
	return c
}

// styled keeps emojis and mentions, whose places in the text LINE gives apart from it. The text has words in their stead.
func (m *message) styled() json.RawMessage {
	if len(m.Emojis) == 0 && len(m.Mention) == 0 {
		return nil
	}
	return raw(struct {
		Emojis  json.RawMessage `json:"emojis,omitempty"`
		Mention json.RawMessage `json:"mention,omitempty"`
	}{m.Emojis, m.Mention})
}

func digits(s string) bool { return s != "" && len(s) < 20 && strings.Trim(s, "0123456789") == "" }

func raw(v any) json.RawMessage {
	b, _ := json.Marshal(v) // our own types: cannot fail
	return b
}
