package channel

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Check refuses a message that a channel with these rules cannot deliver, before anything is sent (P8). Inbox calls it when the
// message is posted, the outbound worker again when it is about to leave; w is what the window allows. The error is the first of
// [Rules.Problems].
func (r Rules) Check(msg event.Outbound, w WindowState) error {
	if msg.Signal != "" {
		if !r.Carries(msg.Signal) {
			return fault.At("/signal", "signal_not_supported", "%s does not take the signal %q", r.Title, msg.Signal)
		}
		return nil
	}
	if all := r.Problems(msg, w); len(all) > 0 {
		return all[0]
	}
	return nil
}

// Problems returns everything that is wrong with a message, in the order of its parts: each an error of kind Invalid with the
// pointer of the field of [event.Content], the limit and what to do instead; and last, of kind Window, that the window does not allow it. What a
// provider measures by rules of its own is left to its Render.
func (r Rules) Problems(msg event.Outbound, w WindowState) []*fault.Error {
	var out problems
	c := msg.Content
	r.checkParts(&out, c)
	r.checkGroup(&out, msg.Peer, c)
	r.checkContacts(&out, c)
	r.checkText(&out, c)
	r.checkAttachments(&out, c)
	if c.Interactive != nil {
		r.checkInteractive(&out, c)
	}
	if c.Template != nil && r.Send.Template != nil {
		r.checkTemplate(&out, *c.Template)
	}
	if err := r.checkWindow(c, w); err != nil {
		out = append(out, err)
	}
	return out
}

// problems are refusals in the order in which they were found.
type problems []*fault.Error

// add notes one refusal of the field at pointer.
func (p *problems) add(pointer, code, format string, args ...any) {
	*p = append(*p, fault.At(pointer, code, format, args...))
}

// Measured is the length of a text as the channel counts it.
type Measured struct {
	Name     string // text or caption
	Value    int
	Max      int // over all messages that the text can be split into
	Unit     Unit
	Encoding string // of SMS segments: gsm7 or ucs2
}

// Measure counts the text of a message; nil where the channel limits no text there.
func (r Rules) Measure(c event.Content) *Measured {
	_, text := InteractiveBody(c)
	limit, m := r.Send.Text, Measured{Name: "text", Max: r.Send.Text.Max * max(1, r.Send.Split)}
	if r.Send.Caption.Max > 0 && r.captioned(c) {
		limit, m = r.Send.Caption, Measured{Name: "caption", Max: r.Send.Caption.Max}
	}
	if limit.Max == 0 {
		return nil
	}
	m.Value, m.Unit = limit.Unit.Len(text), limit.Unit
	if limit.Unit == Segments {
		m.Encoding = Encoding(text)
	}
	return &m
}

func (r Rules) checkText(out *problems, c event.Content) {
	m := r.Measure(c)
	if m == nil || m.Value <= m.Max {
		return
	}
	out.add("/text", "text_too_long", "a %s on %s has at most %d %s, this one has %d; shorten it or send several messages",
		m.Name, r.Title, m.Max, m.Unit.words(), m.Value)
}

func (r Rules) checkAttachments(out *problems, c event.Content) {
	if n := len(c.Attachments); n > r.Send.Attachments && r.Send.Attachments > 0 {
		out.add("/attachments", "too_many_attachments", "a message on %s has at most %d attachments, this one has %d; send several messages",
			r.Title, r.Send.Attachments, n)
	}
	if r.Send.Attachments > 0 {
		for n, a := range c.Attachments {
			r.checkMedia(out, fmt.Sprintf("/attachments/%d", n), a, orLink)
		}
	}
}

// checkMedia refuses a file that the channel does not take there; or is what else can be done.
func (r Rules) checkMedia(out *problems, at string, a event.Attachment, or string) {
	rule, ok := r.Send.Media[a.Type]
	if !ok {
		out.add(at+"/type", "media_not_supported", "%s takes no %s; it takes %s%s", r.Title, a.Type, join(mediaTypes(r.Send.Media)), or)
		return
	}
	if a.MIME != "" && len(rule.MIME) > 0 && !slices.ContainsFunc(rule.MIME, func(p string) bool { return matchMIME(p, a.MIME) }) {
		out.add(at+"/mime", "media_type_not_supported", "%s takes %s only as %s, this one is %s; convert it or send it as a document%s",
			r.Title, a.Type, strings.Join(rule.MIME, ", "), a.MIME, or)
	}
	if a.Voice && !slices.ContainsFunc(rule.Voice, func(p string) bool { return matchMIME(p, a.MIME) }) {
		if len(rule.Voice) == 0 {
			out.add(at+"/type", "voice_not_supported", "%s has no voice messages; send it as audio", r.Title)
		} else {
			out.add(at+"/mime", "media_type_not_supported", "%s takes voice messages only as %s, this one is %s; convert it or send it as audio",
				r.Title, strings.Join(rule.Voice, ", "), a.MIME)
		}
	}
	if rule.MaxBytes > 0 && a.Size > rule.MaxBytes {
		out.add(at+"/size", "media_too_large", "%s takes %s up to %d bytes, this one has %d; compress it%s",
			r.Title, a.Type, rule.MaxBytes, a.Size, or)
	}
}

func (r Rules) checkWindow(c event.Content, w WindowState) *fault.Error {
	if w.Open() && w.Left == nil || r.outside(c) {
		return nil
	}
	parts := max(1, r.Parts(c))
	needs := w.Needs(parts)
	if needs == 0 || w.Open() && needs <= *w.Left {
		return nil
	}
	alternative := "wait until the customer writes"
	if len(r.Window.Outside) > 0 {
		alternative = "send " + strings.Join(r.Window.Outside, " or ")
	}
	refuse := func(format string, args ...any) *fault.Error {
		return fault.New(fault.Window, "window_closed", format+"; "+alternative, args...)
	}
	switch w.Closed {
	case NeverOpened:
		return refuse("on %s nobody can be written to before they have written", r.Title)
	case Expired:
		return refuse("the window of %s closed at %s", r.Title, w.Until)
	case UsedUp:
		return refuse("all messages have been sent that %s allows after what the customer did last", r.Title)
	}
	return refuse("this is sent as %d messages, and %s allows %d more; shorten it", parts, r.Title, *w.Left)
}

// Counts reports whether content takes places of a window that counts.
func (r Rules) Counts(c event.Content) bool { return r.Window.Counted() && !r.outside(c) }

// outside reports whether content can be sent while the window is closed.
func (r Rules) outside(c event.Content) bool {
	for _, o := range r.Window.Outside {
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
