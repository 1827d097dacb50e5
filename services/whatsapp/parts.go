package whatsapp

import (
	"encoding/json"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// file returns the media of a message and its kind.
func (m *message) file() (event.MessageType, *media) {
	switch m.Type {
	case "image":
		return event.Image, m.Image
	case "video":
		return event.Video, m.Video
	case "audio":
		return event.Audio, m.Audio
	case "voice": // the shape of the old on-premises API
		if m.Voice != nil {
			m.Voice.Voice = true
		}
		return event.Audio, m.Voice
	case "document":
		return event.Document, m.Document
	case "sticker":
		return event.Sticker, m.Sticker
	}
	return "", nil
}

// attachment refers to a file by its media id. The URL that newer webhooks carry dies after minutes and is not needed.
func (f *media) attachment(kind event.MessageType) event.Attachment {
	a := event.Attachment{Type: kind, MIME: f.MIME, Name: f.Filename, Voice: f.Voice, Animated: f.Animated,
		MediaRef: string(f.ID), SHA256: channel.SHA256Hex(f.SHA256)}
	if a.MediaRef == "" {
		a.URL = f.URL
	}
	return a
}

// chosen is what was picked in an interactive message; nil if the answer is of an unknown kind or has no body.
func (i *interactive) chosen() *event.Interaction {
	switch {
	case i.Button != nil:
		return &event.Interaction{Kind: "button", ID: i.Button.ID, Title: i.Button.Title}
	case i.List != nil:
		return &event.Interaction{Kind: "list", ID: i.List.ID, Title: i.List.Title, Description: i.List.Description}
	case i.Form != nil:
		c := &event.Interaction{Kind: "form", ID: i.Form.Name, Title: i.Form.Body}
		c.Data, c.Payload = answers(i.Form.Response)
		return c
	case len(i.CallPermission) > 0 && json.Valid(i.CallPermission):
		return &event.Interaction{Kind: "call_permission", Data: i.CallPermission}
	}
	return nil
}

// answers reads a form's response, which is JSON inside a JSON string, if all is well.
func answers(response json.RawMessage) (data json.RawMessage, text string) {
	if err := json.Unmarshal(response, &text); err != nil {
		return response, ""
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text), ""
	}
	return nil, text
}

func (o *order) event() *event.Order {
	out := &event.Order{CatalogID: string(o.CatalogID), Note: o.Text, Items: []event.Item{}}
	for _, i := range o.Items {
		n, _ := strconv.Atoi(string(i.Quantity))
		out.Items = append(out.Items, event.Item{ProductID: string(i.Product), Quantity: n, Price: string(i.Price), Currency: i.Currency})
	}
	return out
}
