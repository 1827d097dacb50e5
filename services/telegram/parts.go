package telegram

import (
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
)

// attachment returns the file of a message, if it has one.
func (m *message) attachment() (event.Attachment, bool) {
	switch {
	case m.Animation != nil:
		a := m.Animation.as(event.Video, "video/mp4")
		a.Animated = true
		return a, true
	case m.LivePhoto != nil:
		return m.LivePhoto.as(event.Video, "video/mp4"), true
	case m.Video != nil:
		return m.Video.as(event.Video, "video/mp4"), true
	case m.VideoNote != nil:
		return m.VideoNote.as(event.Video, "video/mp4"), true
	case m.Voice != nil:
		a := m.Voice.as(event.Audio, "audio/ogg")
		a.Voice = true
		return a, true
	case m.Audio != nil:
		return m.Audio.as(event.Audio, ""), true
	case m.Sticker != nil:
		return m.Sticker.sticker(), true
	case len(m.Photo) > 0:
		return largest(m.Photo).as(event.Image, "image/jpeg"), true
	case m.Document != nil:
		return m.Document.as(event.Document, ""), true
	}
	return event.Attachment{}, false
}

// as refers to the file by its id, which only this bot can use. mime stands in where Telegram says none.
func (f *file) as(kind event.MessageType, mime string) event.Attachment {
	a := event.Attachment{Type: kind, MIME: f.MIME, Name: f.Name, Size: f.Size, MediaRef: f.ID}
	if a.MIME == "" {
		a.MIME = mime
	}
	return a
}

// sticker is a webp, a webm, or an animation in Telegram's own format, which nobody else shows: then its thumbnail.
func (f *file) sticker() event.Attachment {
	switch {
	case f.IsVideo:
		a := f.as(event.Sticker, "video/webm")
		a.Animated = true
		return a
	case f.IsAnimated && f.Thumbnail != nil && f.Thumbnail.ID != "":
		a := f.Thumbnail.as(event.Sticker, "image/webp")
		a.Animated = true
		return a
	case f.IsAnimated:
		a := f.as(event.Sticker, "application/x-tgsticker")
		a.Animated = true
		return a
	}
	return f.as(event.Sticker, "image/webp")
}

// largest picks the size with the largest area.
func largest(sizes []file) *file {
	best := &sizes[0]
	for i := range sizes {
		if f := &sizes[i]; f.Width*f.Height > best.Width*best.Height {
			best = f
		}
	}
	return best
}

func (l location) place(name, address string) *event.Location {
	return &event.Location{Latitude: l.Latitude, Longitude: l.Longitude, Name: name, Address: address, Live: l.LivePeriod > 0}
}

// shared reads a contact; it is the sender's own only if the ids say so.
func (c *card) shared(from *user) event.Card {
	out := event.Card{Name: name(c.FirstName, c.LastName), First: c.FirstName, Last: c.LastName, VCard: c.VCard, Peer: string(c.UserID)}
	if c.Phone != "" {
		out.Phones = []string{c.Phone}
	}
	if c.UserID != "" && c.Phone != "" { // of a user Telegram knows the whole number; anything else somebody has typed
		out.Phones = []string{"+" + strings.TrimPrefix(c.Phone, "+")}
	}
	out.Own = from != nil && c.UserID != "" && c.UserID == from.ID
	return out
}

func (d *dice) words() string { return d.Emoji + " " + strconv.Itoa(d.Value) }
