package facebook

import (
	"cmp"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Tags say what a request is for.
const (
	tagSend    = "send"
	tagUpload  = "upload"
	tagReact   = "react"
	tagSignal  = "signal"
	tagPrivate = "private reply"
	tagComment = "comment"
	tagChange  = "change" // of a comment
	tagTake    = "take control"
	tagRequest = "request control"
	tagProfile = "profile"
	tagSetup   = "setup"
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
		return comment(ch, msg)
	}
	parts, err := plan(msg)
	if err != nil {
		return nil, err
	}
	reqs := make([]channel.Request, len(parts))
	for n, p := range parts {
		reqs[n] = p.request(ch, msg, progress{Part: n})
	}
	return reqs, nil
}

// recipient is whom a call of the Send API is for, in one of Meta's ways.
type recipient struct {
	ID      string `json:"id,omitempty"`
	UserRef string `json:"user_ref,omitempty"`
	Comment string `json:"comment_id,omitempty"`
}

func recipientOf(peer string) recipient {
	if ref, ok := strings.CutPrefix(peer, refPrefix); ok {
		return recipient{UserRef: ref}
	}
	return recipient{ID: peer}
}

// call is the body of a call of the Send API.
type call struct {
	Recipient recipient         `json:"recipient"`
	Type      string            `json:"messaging_type,omitempty"`
	Tag       string            `json:"tag,omitempty"`
	Persona   string            `json:"persona_id,omitempty"`
	ReplyTo   *meta.Replied     `json:"reply_to,omitempty"`
	Message   *outgoing         `json:"message,omitempty"`
	Action    string            `json:"sender_action,omitempty"`
	Payload   *meta.ReactedWith `json:"payload,omitempty"`
}

// outgoing is a message. Metadata comes back in its echo, and proves whose it is.
type outgoing struct {
	Text       string              `json:"text,omitempty"`
	Sticker    amount              `json:"sticker_id,omitempty"`
	Attachment *meta.OutAttachment `json:"attachment,omitempty"`
	Template   *utility            `json:"template,omitempty"`
	Quick      []meta.Quick        `json:"quick_replies,omitempty"`
	Metadata   string              `json:"metadata,omitempty"`
}

// part is one message at the provider. A file of ours is uploaded before, and draw puts its id where it belongs.
type part struct {
	file    *event.Attachment
	draw    func(meta.Reference) outgoing
	replyTo string
	action  string // a reaction in place of a message
	payload *meta.ReactedWith
}

// progress is how far a part has got.
type progress struct {
	Part  int    `json:"part"`
	File  string `json:"file,omitempty"`  // the attachment_id that its file has at Meta
	Taken bool   `json:"taken,omitempty"` // the conversation was taken from another app for it
}

// plan takes a message apart. What the channel's table cannot tell is refused here.
func plan(msg event.Outbound) ([]part, error) {
	c := msg.Content
	if err := refuse(msg); err != nil {
		return nil, err
	}
	switch {
	case c.Reaction != nil:
		return []part{reactionPart(c.Reaction)}, nil
	case c.Template != nil:
		return templatePart(msg)
	}
	var parts []part
	header := sending.HeaderMedia(c)
	for n := range c.Attachments {
		a := &c.Attachments[n]
		if a == header {
			continue
		}
		if err := meta.There(a, n); err != nil {
			return nil, err
		}
		kind := meta.MediaKinds[a.Type]
		parts = append(parts, part{file: a, draw: func(ref meta.Reference) outgoing {
			return outgoing{Attachment: &meta.OutAttachment{Type: kind, Payload: ref}}
		}})
	}
	body, text := channel.InteractiveBody(c)
	if strings.TrimSpace(text) != "" {
		for _, piece := range sending.Text.Split(text) {
			parts = append(parts, part{draw: func(meta.Reference) outgoing { return outgoing{Text: piece} }})
		}
	}
	if c.Sticker != nil {
		parts = append(parts, part{draw: func(meta.Reference) outgoing { return outgoing{Sticker: amount(c.Sticker.ID)} }})
	}
	if c.Interactive != nil {
		p, err := interactivePart(*c.Interactive, body, header)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return nil, fault.At("/text", "empty_message", "there is nothing to send")
	}
	if c.ReplyTo != nil {
		parts[0].replyTo = c.ReplyTo.ExternalID
	}
	return parts, nil
}

// refuse says no to what Meta refuses by who writes, and when.
func refuse(msg event.Outbound) error {
	c := msg.Content
	if err := meta.RefuseTag(msg, "send a utility template"); err != nil {
		return err
	}
	switch {
	case isReceipt(c.Template) && meta.After(msg, 0):
		return fault.New(fault.Window, channel.CodeWindowClosed, "a receipt is for the time in which you may write freely; send a utility template")
	case c.Sticker != nil && (c.Sticker.ID == "" || strings.Trim(c.Sticker.ID, "0123456789") != "" || c.Sticker.ID[0] == '0'):
		return fault.At("/sticker/sticker_id", "bad_value", "a sticker of Meta's catalogue has digits for an id")
	}
	return nil
}

// reactionPart is an emoji on a message, or its taking back.
func reactionPart(r *event.Reaction) part {
	p := part{action: "react", payload: &meta.ReactedWith{Message: r.Target, Reaction: r.Emoji}}
	if r.Emoji == "" {
		p.action = "unreact"
	}
	return p
}

// request is the next call of a part: the upload of its file, or what sends it.
func (p part) request(ch channel.Channel, msg event.Outbound, at progress) channel.Request {
	if p.action != "" {
		req := channel.PostJSON(page(ch)+"/messages", call{Recipient: recipientOf(msg.Peer), Action: p.action, Payload: p.payload}, tagReact)
		req.State = channel.State(at)
		return req
	}
	ref := meta.Reference{ID: at.File}
	if p.file != nil && at.File == "" {
		if p.file.Blob != "" {
			return upload(ch, *p.file, at)
		}
		if ref = (meta.Reference{ID: p.file.MediaRef}); ref.ID == "" {
			ref.URL = p.file.URL
		}
	}
	m := p.draw(ref)
	m.Metadata = channel.ClientRef(msg.AttemptID, at.Part)
	body := call{Recipient: recipientOf(msg.Peer), Type: "UPDATE", Message: &m}
	switch {
	case msg.Content.MessageTag != "":
		body.Type, body.Tag = "MESSAGE_TAG", msg.Content.MessageTag
	case m.Template != nil:
		body.Type = "UTILITY"
	case msg.InReplyTo != "":
		body.Type = "RESPONSE"
	}
	if msg.By.Kind == "user" {
		body.Persona = ch.Settings.Text("persona_id")
	}
	if p.replyTo != "" {
		body.ReplyTo = &meta.Replied{MID: p.replyTo}
	}
	req := channel.PostJSON(page(ch)+"/messages", body, tagSend)
	req.State = channel.State(at)
	return req
}

// upload puts a file at Meta, which nobody sees: it may be repeated.
func upload(ch channel.Channel, a event.Attachment, at progress) channel.Request {
	about := struct {
		Attachment meta.OutAttachment `json:"attachment"`
	}{meta.OutAttachment{Type: meta.MediaKinds[a.Type], Payload: struct {
		Reusable bool `json:"is_reusable"`
	}{true}}}
	return channel.Request{
		Method: "POST", URL: page(ch) + "/message_attachments", Tag: tagUpload, State: channel.State(at), Safe: true,
		Form: []channel.Part{
			{Name: "message", Value: string(channel.JSON(about))},
			{Name: "filedata", Blob: a.Blob, File: cmp.Or(a.Name, string(a.Type)), MIME: a.MIME},
		},
	}
}

// signal shows that somebody writes, or that what came was read. Below posts there is nothing of that kind.
func signal(ch channel.Channel, msg event.Outbound) []channel.Request {
	words := map[string]string{"typing_on": "typing_on", "typing_off": "typing_off", "read": "mark_seen"}
	if msg.Post != nil || words[msg.Signal] == "" || msg.Peer == "" {
		return nil
	}
	req := channel.PostJSON(page(ch)+"/messages", call{Recipient: recipientOf(msg.Peer), Action: words[msg.Signal]}, tagSignal)
	req.Safe = true
	return []channel.Request{req}
}
