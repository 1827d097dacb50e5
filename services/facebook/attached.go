package facebook

import (
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// kinds are Meta's words for files.
var kinds = map[string]event.MessageType{
	"image": event.Image, "video": event.Video, "audio": event.Audio, "file": event.Document, "sticker": event.Sticker,
}

// thumbs are the stickers of the thumb beside the text field: small, medium, large.
var thumbs = map[channel.Opaque]bool{"369239263222822": true, "369239343222814": true, "369239383222810": true}

// stickersOnce drops the picture that older payloads have beside a sticker, and makes a sticker of one that stands alone.
func stickersOnce(as []channel.Item[attached]) (out []channel.Item[attached]) {
	seen := map[channel.Opaque]bool{}
	for _, a := range as {
		id := a.V.Payload.Sticker
		if id != "" && seen[id] {
			continue
		}
		if id != "" {
			seen[id], a.V.Type = true, "sticker"
		}
		out = append(out, a)
	}
	return out
}

// fill adds an attachment to a content. It is false for one of a kind that is not known.
func (a *attached) fill(c *event.Content) bool {
	kind, file := kinds[a.Type]
	switch {
	case file:
		a.file(c, kind)
	case a.Type == "fallback", a.Type == "reel", a.Type == "ig_reel", a.Type == "post", a.Type == "ig_post":
		c.Text = lines(c.Text, first(a.Payload.Title, a.Title), first(a.Payload.URL, a.URL))
	case a.Type == "location" && a.Payload.Coordinates != nil:
		at := a.Payload.Coordinates
		c.Type, c.Location = event.LocationType, &event.Location{Latitude: at.Latitude, Longitude: at.Longitude, Name: first(a.Payload.Title, a.Title), URL: absolute(first(a.Payload.URL, a.URL))}
	case a.Type == "template":
		a.template(c)
	default:
		return false
	}
	return true
}

// file adds a file by its URL, which is signed and ends. What is no whole URL is shown as it is.
func (a *attached) file(c *event.Content, kind event.MessageType) {
	if id := a.Payload.Sticker; id != "" && c.Sticker == nil {
		c.Sticker = &event.StickerRef{ID: string(id)}
		if thumbs[id] {
			c.Text = lines(c.Text, "👍")
		}
	}
	from := absolute(a.Payload.URL)
	if from == "" {
		c.Text = lines(c.Text, a.Payload.Title, a.Payload.URL)
		if c.Sticker != nil {
			c.Type = event.Sticker
		}
		return
	}
	if len(c.Attachments) == 0 {
		c.Type = kind
	}
	c.Attachments = append(c.Attachments, event.Attachment{Type: kind, URL: from, Name: a.Payload.Title})
}

// template adds the words of cards, products and buttons.
func (a *attached) template(c *event.Content) {
	cards := a.Payload.Cards
	if a.Payload.Product != nil {
		cards = a.Payload.Product.Elements
	}
	words := []string{c.Text, first(a.Payload.Title, a.Title), a.Payload.Text}
	for _, e := range cards {
		words = append(words, e.Title, e.Subtitle)
	}
	c.Text = lines(words...)
}

// absolute is a whole web address, or nothing.
func absolute(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return text
}

// lines puts those texts below each other that say something new.
func lines(texts ...string) string {
	var out strings.Builder
	for _, t := range texts {
		if t = strings.TrimSpace(t); t == "" || strings.Contains(out.String(), t) {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(t)
	}
	return out.String()
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
