package facebook

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// quick is a choice above the text field.
type quick struct {
	Type    string `json:"content_type"`
	Title   string `json:"title,omitempty"`
	Payload string `json:"payload,omitempty"`
}

// button is a choice below a message.
type button struct {
	Type    string `json:"type"` // postback or web_url
	Title   string `json:"title"`
	Payload string `json:"payload,omitempty"`
	URL     string `json:"url,omitempty"`
}

// layout is a message in one of Meta's fixed forms.
type layout struct {
	Type     string   `json:"template_type"`
	Text     string   `json:"text,omitempty"`
	Buttons  []button `json:"buttons,omitempty"`
	Elements []any    `json:"elements,omitempty"`
}

// card is an element of the generic layout.
type card struct {
	Title    string   `json:"title"`
	Subtitle string   `json:"subtitle,omitempty"`
	Buttons  []button `json:"buttons,omitempty"`
}

// filmed is the element of the media layout.
type filmed struct {
	Type    string   `json:"media_type"`
	ID      string   `json:"attachment_id,omitempty"`
	URL     string   `json:"url,omitempty"` // at Facebook alone
	Buttons []button `json:"buttons,omitempty"`
}

func drawn(l layout) outgoing { return outgoing{Attachment: &outAttachment{"template", l}} }

// interactivePart draws what the table of the channel has checked.
func interactivePart(v event.Interactive, body string, header *event.Attachment) (part, error) {
	text, limit := lines(v.Header, body, v.Footer), maxBelow
	var m outgoing
	switch v.Kind {
	case "media":
		return mediaPart(v, header)
	case "cards":
		return part{draw: func(reference) outgoing { return drawn(cards(v)) }}, nil
	case "buttons":
		m = drawn(layout{Type: "button", Text: text, Buttons: buttons(v.Buttons, "")})
	case "link":
		m = drawn(layout{Type: "button", Text: text, Buttons: []button{{Type: "web_url", Title: v.Button, URL: v.URL}}})
	case "contact_request":
		m, limit = outgoing{Text: text, Quick: []quick{{Type: "user_phone_number"}}}, maxText
	default:
		m, limit = outgoing{Text: text, Quick: quicks(v.Buttons)}, maxText
	}
	if n := channel.Runes.Len(text); n > limit {
		return part{}, fault.At("/interactive/body", channel.CodeTextTooLong,
			"header, body and footer together have at most %d characters on Facebook, these have %d", limit, n)
	}
	return part{draw: func(reference) outgoing { return m }}, nil
}

// quicks send their id back, or else their title.
func quicks(choices []event.Choice) (out []quick) {
	for _, c := range choices {
		out = append(out, quick{Type: "text", Title: c.Title, Payload: first(c.ID, c.Title)})
	}
	return out
}

// buttons open their page or send their id back; label stands in for their titles, if it is given.
func buttons(choices []event.Choice, label string) (out []button) {
	for _, c := range choices {
		b := button{Type: "postback", Title: first(label, c.Title), Payload: c.ID}
		if c.URL != "" {
			b = button{Type: "web_url", Title: b.Title, URL: c.URL}
		}
		out = append(out, b)
	}
	return out
}

// cards are rows side by side, each with the one button.
func cards(v event.Interactive) layout {
	out := layout{Type: "generic"}
	for _, s := range v.Sections {
		for _, row := range s.Rows {
			out.Elements = append(out.Elements, card{Title: row.Title, Subtitle: row.Description, Buttons: buttons([]event.Choice{row}, v.Button)})
		}
	}
	return out
}

// mediaPart is a picture or a video with buttons. Meta takes it by its attachment_id, or from Facebook itself.
func mediaPart(v event.Interactive, header *event.Attachment) (part, error) {
	switch {
	case header == nil:
		return part{}, fault.At("/attachments", "part_missing", "an interactive message of kind media on Facebook needs a picture or a video as its first attachment")
	case header.Blob == "" && header.MediaRef == "" && !strings.Contains(header.URL, "facebook.com/"):
		return part{}, fault.At("/attachments/0", "attachment_empty", "the attachment has neither a file nor a URL at Facebook")
	}
	kind := metaKinds[header.Type]
	return part{file: header, draw: func(ref reference) outgoing {
		return drawn(layout{Type: "media", Elements: []any{filmed{kind, ref.ID, ref.URL, buttons(v.Buttons, "")}}})
	}}, nil
}
