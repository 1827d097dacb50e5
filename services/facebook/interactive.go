package facebook

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// filmed is the element of the media layout.
type filmed struct {
	Type    string        `json:"media_type"`
	ID      string        `json:"attachment_id,omitempty"`
	URL     string        `json:"url,omitempty"` // at Facebook alone
	Buttons []meta.Button `json:"buttons,omitempty"`
}

func drawn(l meta.Layout) outgoing {
	return outgoing{Attachment: &meta.OutAttachment{Type: "template", Payload: l}}
}

// interactivePart draws what the table of the channel has checked.
func interactivePart(v event.Interactive, body string, header *event.Attachment) (part, error) {
	text, limit := meta.Lines(v.Header, body, v.Footer), meta.MaxBelow
	var m outgoing
	switch v.Kind {
	case "media":
		return mediaPart(v, header)
	case "cards":
		return part{draw: func(meta.Reference) outgoing { return drawn(meta.Cards(v)) }}, nil
	case "buttons":
		m = drawn(meta.Layout{Type: "button", Text: text, Buttons: meta.Buttons(v.Buttons, "")})
	case "link":
		m = drawn(meta.Layout{Type: "button", Text: text, Buttons: []meta.Button{{Type: "web_url", Title: v.Button, URL: v.URL}}})
	case "contact_request":
		m, limit = outgoing{Text: text, Quick: []meta.Quick{{Type: "user_phone_number"}}}, maxText
	default:
		m, limit = outgoing{Text: text, Quick: meta.Quicks(v.Buttons)}, maxText
	}
	if n := channel.Runes.Len(text); n > limit {
		return part{}, fault.At("/interactive/body", channel.CodeTextTooLong,
			"header, body and footer together have at most %d characters on Facebook, these have %d", limit, n)
	}
	return part{draw: func(meta.Reference) outgoing { return m }}, nil
}

// mediaPart is a picture or a video with buttons. Meta takes it by its attachment_id, or from Facebook itself.
func mediaPart(v event.Interactive, header *event.Attachment) (part, error) {
	switch {
	case header == nil:
		return part{}, fault.At("/attachments", "part_missing", "an interactive message of kind media on Facebook needs a picture or a video as its first attachment")
	case header.Blob == "" && header.MediaRef == "" && !strings.Contains(header.URL, "facebook.com/"):
		return part{}, fault.At("/attachments/0", "attachment_empty", "the attachment has neither a file nor a URL at Facebook")
	}
	kind := meta.MediaKinds[header.Type]
	return part{file: header, draw: func(ref meta.Reference) outgoing {
		return drawn(meta.Layout{Type: "media", Elements: []any{filmed{kind, ref.ID, ref.URL, meta.Buttons(v.Buttons, "")}}})
	}}, nil
}
