package channel

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Check refuses a message that a channel of this type cannot deliver, before anything is sent (P8). Inbox calls it when the
// message is posted, the outbound worker again when it is about to leave; at is now. The error is Invalid, with the pointer of
// the field of [event.Content], the limit and what to do instead; or Window. What a provider measures by rules of its own
// is left to its Render.
func (i Info) Check(msg event.Outbound, at time.Time) error {
	if msg.Signal != "" {
		if !slices.Contains(i.Send.Signals, msg.Signal) {
			return fault.At("/signal", "signal_not_supported", "%s does not take the signal %q", i.Title, msg.Signal)
		}
		return nil
	}
	c := msg.Content
	for _, check := range []func(event.Content) error{i.checkType, i.checkText, i.checkAttachments, i.checkInteractive} {
		if err := check(c); err != nil {
			return err
		}
	}
	return i.checkWindow(msg, at)
}

func (i Info) checkType(c event.Content) error {
	if !slices.Contains(i.Send.Types, c.Type) {
		return fault.At("/type", "type_not_supported", "%s takes no messages of type %q; it takes %s", i.Title, c.Type, join(i.Send.Types))
	}
	if c.ReplyTo != nil && !i.Send.ReplyTo {
		return fault.At("/reply_to", "reply_not_supported", "%s cannot quote a message; send it without reply_to", i.Title)
	}
	if c.Subject != "" && !i.Send.Subject {
		return fault.At("/subject", "subject_not_supported", "%s has no subject; put it into the text", i.Title)
	}
	empty := c.Text == "" && c.HTML == "" && len(c.Attachments) == 0 && c.Location == nil && len(c.Contacts) == 0 &&
		c.Interactive == nil && c.Template == nil && c.Reaction == nil && c.Sticker == nil && len(c.Raw) == 0
	if empty {
		return fault.At("/text", "empty_message", "there is nothing to send; give a text, an attachment, a template or another part")
	}
	return nil
}

func (i Info) checkText(c event.Content) error {
	limit, name, pieces := i.Send.Text, "text", max(1, i.Send.Split)
	if len(c.Attachments) > 0 && i.Send.Caption.Max > 0 {
		limit, name, pieces = i.Send.Caption, "caption", 1
	}
	if limit.Over(c.Text) == 0 {
		return nil
	}
	if n := limit.Unit.Len(c.Text); n > limit.Max*pieces {
		return fault.At("/text", "text_too_long", "a %s on %s has at most %d %s, this one has %d; shorten it or send several messages",
			name, i.Title, limit.Max*pieces, limit.Unit, n)
	}
	return nil
}

func (i Info) checkAttachments(c event.Content) error {
	if n := len(c.Attachments); n > i.Send.Attachments {
		return fault.At("/attachments", "too_many_attachments", "a message on %s has at most %d attachments, this one has %d; send several messages",
			i.Title, i.Send.Attachments, n)
	}
	for n, a := range c.Attachments {
		if err := i.checkMedia(fmt.Sprintf("/attachments/%d", n), a); err != nil {
			return err
		}
	}
	return nil
}

func (i Info) checkMedia(at string, a event.Attachment) error {
	rule, ok := i.Send.Media[a.Type]
	if !ok {
		return fault.At(at+"/type", "media_not_supported", "%s takes no %s; it takes %s", i.Title, a.Type, join(mediaTypes(i.Send.Media)))
	}
	if a.MIME != "" && len(rule.MIME) > 0 && !slices.ContainsFunc(rule.MIME, func(p string) bool { return matchMIME(p, a.MIME) }) {
		return fault.At(at+"/mime", "media_type_not_supported", "%s takes %s only as %s, this one is %s; convert it or send it as a document",
			i.Title, a.Type, strings.Join(rule.MIME, ", "), a.MIME)
	}
	if a.Voice && !slices.ContainsFunc(rule.Voice, func(p string) bool { return matchMIME(p, a.MIME) }) {
		if len(rule.Voice) == 0 {
			return fault.At(at+"/type", "voice_not_supported", "%s has no voice messages; send it as audio", i.Title)
		}
		return fault.At(at+"/mime", "media_type_not_supported", "%s takes voice messages only as %s, this one is %s; convert it or send it as audio",
			i.Title, strings.Join(rule.Voice, ", "), a.MIME)
	}
	if rule.MaxBytes > 0 && a.Size > rule.MaxBytes {
		return fault.At(at+"/size", "media_too_large", "%s takes %s up to %d bytes, this one has %d; compress it or send a link",
			i.Title, a.Type, rule.MaxBytes, a.Size)
	}
	return nil
}

func (i Info) checkWindow(msg event.Outbound, at time.Time) error {
	if msg.WindowUntil.IsZero() || at.Before(msg.WindowUntil.Time) || i.outside(msg.Content) {
		return nil
	}
	alternative := "wait until the customer writes"
	if len(i.Window.Outside) > 0 {
		alternative = "send " + strings.Join(i.Window.Outside, " or ")
	}
	return fault.New(fault.Window, "window_closed", "the window of %s closed at %s; %s", i.Title, msg.WindowUntil, alternative)
}

// outside reports whether content may be sent while the window is closed.
func (i Info) outside(c event.Content) bool {
	for _, o := range i.Window.Outside {
		kind, tag, tagged := strings.Cut(o, ":")
		switch {
		case kind == "template" && c.Template != nil:
			return true
		case kind == "message_tag" && c.MessageTag != "" && (!tagged || tag == c.MessageTag):
			return true
		}
	}
	return false
}

// matchMIME compares a pattern ("image/jpeg", "image/*", "*/*") with a media type, whose parameters do not count.
func matchMIME(pattern, mime string) bool {
	mime, _, _ = strings.Cut(mime, ";")
	mime = strings.ToLower(strings.TrimSpace(mime))
	pattern, _, _ = strings.Cut(strings.ToLower(pattern), ";")
	if prefix, ok := strings.CutSuffix(strings.TrimSpace(pattern), "*"); ok {
		return strings.HasPrefix(mime, strings.TrimSuffix(prefix, "*/"))
	}
	return strings.TrimSpace(pattern) == mime
}

func mediaTypes(m map[event.MessageType]MediaRule) []event.MessageType {
	out := make([]event.MessageType, 0, len(m))
	for t := range m {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

func join(types []event.MessageType) string {
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = string(t)
	}
	return strings.Join(out, ", ")
}
