package whatsapp

import (
	"encoding/json"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// outgoing is the body of POST /messages.
type outgoing struct {
	Product       string          `json:"messaging_product"`
	RecipientType string          `json:"recipient_type,omitempty"`
	To            string          `json:"to,omitempty"`
	Recipient     string          `json:"recipient,omitempty"`
	Context       *inContext      `json:"context,omitempty"`
	ClientRef     string          `json:"biz_opaque_callback_data,omitempty"`
	Type          string          `json:"type"`
	Text          *outText        `json:"text,omitempty"`
	Image         *outMedia       `json:"image,omitempty"`
	Video         *outMedia       `json:"video,omitempty"`
	Audio         *outMedia       `json:"audio,omitempty"`
	Document      *outMedia       `json:"document,omitempty"`
	Sticker       *outMedia       `json:"sticker,omitempty"`
	Location      *location       `json:"location,omitempty"`
	Contacts      []card          `json:"contacts,omitempty"`
	Reaction      *reaction       `json:"reaction,omitempty"`
	Interactive   *outInteractive `json:"interactive,omitempty"`
	Template      *outTemplate    `json:"template,omitempty"`
}

type inContext struct {
	MessageID string `json:"message_id"`
}

type outText struct {
	Body    string `json:"body"`
	Preview bool   `json:"preview_url,omitempty"`
}

// part is one message of a rendering, and the files that must be uploaded before it can be sent.
type part struct {
	body  outgoing
	files []file
}

// file is a place in a part's body that a media id fills.
type file struct {
	a    event.Attachment
	into *outMedia
}

// Render turns a message into parts: each a send, or the upload that comes before it.
func (Adapter) Render(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	if msg.Signal != "" {
		return signal(ch, msg)
	}
	parts, err := plan(msg)
	if err != nil {
		return nil, err
	}
	reqs := make([]channel.Request, len(parts))
	for n, p := range parts {
		reqs[n] = p.request(ch, n, nil)
	}
	return reqs, nil
}

// request is the next call of part n, which has the media ids of its first files already.
func (p part) request(ch channel.Channel, n int, ids []string) channel.Request {
	if len(ids) < len(p.files) {
		return upload(ch, p.files[len(ids)].a, uploading{Part: n, IDs: ids})
	}
	for i, f := range p.files {
		f.into.ID = ids[i]
	}
	return channel.PostJSON(number(ch)+"/messages", p.body, tagSend)
}

// plan lays a message out as parts. It is called again when an upload is answered, so it depends on nothing but msg.
func plan(msg event.Outbound) ([]part, error) {
	c := msg.Content
	parts, err := contentParts(c)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, fault.At("/text", "empty_message", "there is nothing to send")
	}
	for n := range parts {
		if err := address(&parts[n].body, msg.Peer); err != nil {
			return nil, err
		}
		parts[n].body.Product = "whatsapp"
		parts[n].body.ClientRef = channel.ClientRef(msg.AttemptID, n)
	}
	if c.ReplyTo != nil && c.ReplyTo.ExternalID != "" && c.Reaction == nil {
		parts[0].body.Context = &inContext{c.ReplyTo.ExternalID}
	}
	return parts, nil
}

// address says who gets it: a number always with its plus, because without one it may be read as national.
func address(b *outgoing, peer string) error {
	b.RecipientType = "individual"
	switch n := strings.TrimPrefix(peer, "+"); {
	case digits(n):
		b.To = "+" + n
	case scopedID(peer):
		b.Recipient = peer
	case peer == "":
		return fault.At("/peer", "no_recipient", "the message has no recipient")
	default:
		b.RecipientType, b.To = "group", peer
	}
	return nil
}

func contentParts(c event.Content) ([]part, error) {
	switch {
	case c.Template != nil:
		return templateParts(c.Template)
	case c.Reaction != nil:
		return reactionPart(c.Reaction)
	}
	body, text := channel.InteractiveBody(c)
	parts, text, err := mediaParts(c, text)
	if err != nil {
		return nil, err
	}
	if l := c.Location; l != nil {
		parts = append(parts, part{body: outgoing{Type: "location", Location: &location{Latitude: l.Latitude, Longitude: l.Longitude, Name: l.Name, Address: l.Address}}})
	}
	if len(c.Contacts) > 0 {
		b := outgoing{Type: "contacts"}
		for _, e := range c.Contacts {
			b.Contacts = append(b.Contacts, cardOf(e))
		}
		parts = append(parts, part{body: b})
	}
	if c.Interactive != nil {
		p, err := interactivePart(c.Interactive, body, sending.HeaderMedia(c))
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	if text != "" {
		parts = append(parts, textParts(text)...)
	}
	return parts, nil
}

func textParts(text string) (out []part) {
	for _, piece := range sending.Text.Split(text) {
		preview := strings.Contains(piece, "https://") || strings.Contains(piece, "http://")
		out = append(out, part{body: outgoing{Type: "text", Text: &outText{Body: piece, Preview: preview}}})
	}
	return out
}

func reactionPart(r *event.Reaction) ([]part, error) {
	if r.Target == "" {
		return nil, fault.At("/reaction/target", "no_target", "a reaction needs the provider's id of a message")
	}
	return []part{{body: outgoing{Type: "reaction", Reaction: &reaction{MessageID: r.Target, Emoji: r.Emoji}}}}, nil
}

// signal marks the newest inbound message read; typing always does that too.
func signal(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	if msg.InReplyTo == "" {
		return nil, fault.At("/in_reply_to", "no_inbound_message", "WhatsApp shows typing and read only in answer to a message of the customer")
	}
	body := struct {
		Product   string          `json:"messaging_product"`
		Status    string          `json:"status"`
		MessageID string          `json:"message_id"`
		Typing    json.RawMessage `json:"typing_indicator,omitempty"`
	}{Product: "whatsapp", Status: "read", MessageID: msg.InReplyTo}
	if msg.Signal == "typing_on" {
		body.Typing = json.RawMessage(`{"type":"text"}`)
	}
	req := channel.PostJSON(number(ch)+"/messages", body, tagSignal)
	req.Safe = true
	return []channel.Request{req}, nil
}
