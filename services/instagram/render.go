package instagram

import (
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Tags say what a request is for.
const (
	tagSend    = "send"
	tagReact   = "react"
	tagSignal  = "signal"
	tagPrivate = "private reply"
	tagComment = "comment"
	tagChange  = "change" // of a comment
	tagProfile = "profile"
	tagSetup   = "setup"
	tagExpiry  = "expiry"
)

// Render turns a message into calls of the Send API, one for each part: files first, then the text, and last what can be chosen from. Below
// a post it is a comment.
func (Adapter) Render(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	switch {
	case msg.Signal != "":
		return signal(ch, msg), nil
	case msg.Action != nil:
		return action(ch, msg)
	case msg.Peer == "":
		return nil, fault.At("/peer", "no_recipient", "the message has no recipient")
	case msg.Post != nil:
		return answered(ch, msg)
	}
	parts, err := plan(msg)
	if err != nil {
		return nil, err
	}
	reqs := make([]channel.Request, len(parts))
	for n, p := range parts {
		reqs[n] = p.request(ch, msg)
	}
	return reqs, nil
}

// recipient is whom a call of the Send API is for: a person, or whoever wrote a comment.
type recipient struct {
	ID      string `json:"id,omitempty"`
	Comment string `json:"comment_id,omitempty"`
}

// call is the body of a call of the Send API.
type call struct {
	Recipient recipient         `json:"recipient"`
	Type      string            `json:"messaging_type,omitempty"`
	Tag       string            `json:"tag,omitempty"`
	ReplyTo   *meta.Replied     `json:"reply_to,omitempty"`
	Message   *outgoing         `json:"message,omitempty"`
	Action    string            `json:"sender_action,omitempty"`
	Payload   *meta.ReactedWith `json:"payload,omitempty"`
}

type outgoing struct {
	Text        string               `json:"text,omitempty"`
	Attachment  *meta.OutAttachment  `json:"attachment,omitempty"`
	Attachments []meta.OutAttachment `json:"attachments,omitempty"` // pictures that stand together
	Quick       []meta.Quick         `json:"quick_replies,omitempty"`
}

// part is one message at the provider, or a reaction in place of one.
type part struct {
	message outgoing
	replyTo string
	react   *event.Reaction
}

// plan takes a message apart. What the channel's table cannot tell is refused here.
func plan(msg event.Outbound) ([]part, error) {
	c := msg.Content
	if err := refuse(msg); err != nil {
		return nil, err
	}
	if c.Reaction != nil {
		return []part{{react: c.Reaction}}, nil
	}
	parts, err := files(c.Attachments)
	if err != nil {
		return nil, err
	}
	body, text := channel.InteractiveBody(c)
	if strings.TrimSpace(text) != "" {
		for _, piece := range sending.Text.Split(text) {
			parts = append(parts, part{message: outgoing{Text: piece}})
		}
	}
	if c.Sticker != nil {
		parts = append(parts, part{message: outgoing{Attachment: &meta.OutAttachment{Type: heart}}})
	}
	if c.Interactive != nil {
		m, err := interactive(*c.Interactive, body)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{message: m})
	}
	if len(parts) == 0 {
		return nil, fault.At("/text", "empty_message", "there is nothing to send")
	}
	if c.ReplyTo != nil {
		parts[0].replyTo = c.ReplyTo.ExternalID
	}
	return parts, nil
}

// loves are how people write the one reaction that Instagram takes from businesses; nothing takes a reaction back.
var loves = []string{"", "❤", "❤️", "love"}

// refuse says no to what Meta refuses by who writes, and when, and to what Instagram has no form for.
func refuse(msg event.Outbound) error {
	c := msg.Content
	switch {
	case c.Sticker != nil && c.Sticker.ID != heart:
		return fault.At("/sticker/sticker_id", "bad_value", "Instagram has the one sticker %s; send a picture", heart)
	case c.Reaction != nil && !slices.Contains(loves, c.Reaction.Emoji):
		return fault.At("/reaction/emoji", "bad_value", "Instagram takes no reaction but ❤️ from a business; send the emoji as a text")
	}
	return meta.RefuseTag(msg, "wait until the customer writes")
}

// files makes messages of files: pictures that follow each other are one, as the channel's table counts them; every other file is one.
func files(as []event.Attachment) (parts []part, err error) {
	var album []meta.OutAttachment
	end := func() {
		switch len(album) {
		case 0:
			return
		case 1:
			parts = append(parts, part{message: outgoing{Attachment: &album[0]}})
		default:
			parts = append(parts, part{message: outgoing{Attachments: album}})
		}
		album = nil
	}
	for n := range as {
		a := &as[n]
		if err := meta.There(a, n); err != nil {
			return nil, err
		}
		together := a.Type == event.Image && !a.Animated && a.MIME != "image/gif"
		if !together || len(album) == maxAlbum {
			end()
		}
		if album = append(album, fileOf(a)); !together {
			end()
		}
	}
	end()
	return parts, nil
}

// fileOf is a file by its URL, from which Meta fetches it; by an id it is a post of the account, or what was uploaded before.
func fileOf(a *event.Attachment) meta.OutAttachment {
	switch {
	case a.Blob != "":
		return meta.OutAttachment{Type: meta.MediaKinds[a.Type], Payload: meta.Reference{URL: channel.BlobURL(a.Blob)}}
	case a.MediaRef != "":
		return meta.OutAttachment{Type: "MEDIA_SHARE", Payload: struct {
			ID string `json:"id"`
		}{a.MediaRef}}
	}
	return meta.OutAttachment{Type: meta.MediaKinds[a.Type], Payload: meta.Reference{URL: a.URL}}
}

// interactive draws what the table of the channel has checked. Quick replies stand below a text, which counts as any other.
func interactive(v event.Interactive, body string) (outgoing, error) {
	text, limit, unit := meta.Lines(v.Header, body, v.Footer), channel.Limit{Max: meta.MaxBelow, Unit: channel.Runes}, "characters"
	layout := meta.Layout{Type: "button", Text: text}
	var m outgoing
	switch v.Kind {
	case "cards":
		layout, text = meta.Cards(v), ""
	case "buttons":
		layout.Buttons = meta.Buttons(v.Buttons, "")
	case "link":
		layout.Buttons = []meta.Button{{Type: "web_url", Title: v.Button, URL: v.URL}}
	default:
		limit, unit, m = sending.Text, "bytes", outgoing{Text: text, Quick: meta.Quicks(v.Buttons)}
	}
	if m.Quick == nil {
		m.Attachment = &meta.OutAttachment{Type: "template", Payload: layout}
	}
	if n := limit.Unit.Len(text); n > limit.Max {
		return m, fault.At("/interactive/body", channel.CodeTextTooLong,
			"header, body and footer together have at most %d %s on Instagram, these have %d", limit.Max, unit, n)
	}
	return m, nil
}

// request is the call that sends a part.
func (p part) request(ch channel.Channel, msg event.Outbound) channel.Request {
	body := call{Recipient: recipient{ID: msg.Peer}}
	if p.react != nil {
		body.Action, body.Payload = "react", &meta.ReactedWith{Message: p.react.Target, Reaction: "love"}
		if p.react.Emoji == "" {
			body.Action, body.Payload.Reaction = "unreact", ""
		}
		return channel.PostJSON(sender(ch)+"/messages", body, tagReact)
	}
	body.Message = &p.message
	if tag := msg.Content.MessageTag; tag != "" {
		body.Tag = tag
		if throughPage(ch) {
			body.Type = "MESSAGE_TAG"
		}
	}
	if p.replyTo != "" {
		body.ReplyTo = &meta.Replied{MID: p.replyTo}
	}
	return channel.PostJSON(sender(ch)+"/messages", body, tagSend)
}

// signal shows that somebody writes, or that what came was read. Below posts there is nothing of that kind.
func signal(ch channel.Channel, msg event.Outbound) []channel.Request {
	words := map[string]string{"typing_on": "typing_on", "read": "mark_seen"}
	if msg.Post != nil || words[msg.Signal] == "" || msg.Peer == "" {
		return nil
	}
	req := channel.PostJSON(sender(ch)+"/messages", call{Recipient: recipient{ID: msg.Peer}, Action: words[msg.Signal]}, tagSignal)
	req.Safe = true
	return []channel.Request{req}
}
