package facebook

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
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

// fill adds an attachment to a content, and returns its words. It is false for one of a kind that is not known.
func (a *attached) fill(c *event.Content) (words []string, known bool) {
	kind, file := kinds[a.Type]
	switch {
	case file:
		return a.file(c, kind), true
	case a.Type == "fallback", a.Type == "reel", a.Type == "ig_reel", a.Type == "post", a.Type == "ig_post":
		return []string{meta.First(a.Payload.Title, a.Title), meta.First(a.Payload.URL, a.URL)}, true
	case a.Type == "location" && a.Payload.Coordinates != nil:
		at := a.Payload.Coordinates
		c.Type, c.Location = event.LocationType, &event.Location{Latitude: at.Latitude, Longitude: at.Longitude, Name: meta.First(a.Payload.Title, a.Title), URL: meta.Absolute(meta.First(a.Payload.URL, a.URL))}
	case a.Type == "template":
		return a.template(), true
	default:
		return nil, false
	}
	return nil, true
}

// file adds a file by its URL, which is signed and ends, and returns its words. What is no whole URL is shown as it is.
func (a *attached) file(c *event.Content, kind event.MessageType) (words []string) {
	if id := a.Payload.Sticker; id != "" && c.Sticker == nil {
		c.Sticker = &event.StickerRef{ID: string(id)}
		if thumbs[id] {
			words = append(words, "👍")
		}
	}
	shown := meta.AddFile(c, kind, a.Payload.URL, a.Payload.Title)
	if shown != nil && c.Sticker != nil {
		c.Type = event.Sticker
	}
	return append(words, shown...)
}

// template returns the words of cards, products and buttons.
func (a *attached) template() []string {
	cards := a.Payload.Cards
	if a.Payload.Product != nil {
		cards = a.Payload.Product.Elements
	}
	return append([]string{meta.First(a.Payload.Title, a.Title), a.Payload.Text}, meta.Words(cards)...)
}
