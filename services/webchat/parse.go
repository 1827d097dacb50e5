package webchat

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Parse reads one frame of a visitor. A frame with an unexpected shape becomes a placeholder.
func (Adapter) Parse(_ channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	var c call
	if err := json.Unmarshal(in.Body, &c); err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	if c.Visitor == "" {
		return channel.Parsed{}, fault.New(fault.Invalid, "no_visitor", "the call names no visitor")
	}
	r := reader{call: c, at: in.At}
	var f frame
	if json.Unmarshal(c.Frame, &f) == nil {
		r.read(f)
	} else {
		r.placeholder(f)
	}
	return r.out, nil
}

// reader collects what one frame says.
type reader struct {
	call
	at  time.Time
	out channel.Parsed
}

func (r *reader) read(f frame) {
	switch f.T {
	case "message", "":
		r.message(f)
	case "postback":
		r.postback(f)
	case "form":
		r.form(f)
	case "typing":
		r.typing(f)
	case "read":
		r.readUpTo(f)
	case "delivered":
		r.delivered(f)
	case "page":
		r.page(f)
	default:
		r.placeholder(f)
	}
}

// event is what all events of the frame have.
func (r *reader) event(t event.Type, ref string) event.Inbound {
	e := event.Inbound{Type: t, Ref: ref, Peer: string(r.Visitor), Sender: r.Profile}
	if r.Identity != "" {
		e.Aliases = []string{alias(r.Identity)}
	}
	return e
}

// alias is a proved identity among the ids of a peer: it can never be the id of a visitor.
func alias(identity string) string { return "user:" + identity }

// said adds a message. Its number is the browser's own for it, so that a repeat is the same message.
func (r *reader) said(f frame, c event.Content) {
	id := string(f.ClientID)
	if id == "" {
		id = "body-" + event.Hash(string(r.Frame))
	}
	e := r.event(event.MessageReceived, string(r.Visitor)+":"+id)
	e.ExternalID, e.ProviderAt = id, f.TS.Time()
	if f.ReplyTo != "" {
		c.ReplyTo = &event.Quote{ExternalID: string(f.ReplyTo)}
	}
	e.Content = &c
	r.add(e)
}

func (r *reader) message(f frame) {
	if f.offline() {
		r.offline(f)
		return
	}
	c := event.Content{Type: event.Text, Text: f.Text}
	for _, a := range r.Files {
		a.State = event.Ready
		c.Attachments = append(c.Attachments, a)
	}
	if len(c.Attachments) > 0 {
		c.Type = cmp.Or(c.Attachments[0].Type, event.Document)
	}
	if c.Text == "" && len(c.Attachments) == 0 {
		r.placeholder(f)
		return
	}
	r.said(f, c)
}

// placeholder keeps what we do not understand, with its object (P2).
func (r *reader) placeholder(f frame) {
	raw := r.Frame
	if len(raw) == 0 {
		raw = json.RawMessage("null")
	}
	r.said(f, event.Content{Type: event.Unsupported, Raw: raw})
}

func (r *reader) postback(f frame) {
	kind := "button"
	if f.Kind == "list" {
		kind = f.Kind
	}
	r.said(f, event.Content{
		Type: event.InteractType, Text: cmp.Or(f.Title, f.Text, string(f.ID), f.Payload),
		Interaction: &event.Interaction{Kind: kind, ID: string(f.ID), Title: f.Title, Payload: f.Payload},
	})
}

func (r *reader) typing(f frame) {
	on := f.On == nil || *f.On
	e := r.event(event.ContactTyping, string(r.Visitor)+":"+strconv.FormatInt(r.at.UnixMilli(), 10)+":"+strconv.FormatBool(on))
	e.Sender, e.Typing = nil, &on
	r.add(e)
}

// readUpTo covers everything up to the message, one of ours.
func (r *reader) readUpTo(f frame) {
	if f.UpTo == "" {
		r.out.Ignore("read_nothing", "")
		return
	}
	e := r.event(event.ReceiptWatermark, string(r.Visitor)+":"+string(f.UpTo))
	e.Peer, e.Aliases, e.Sender = string(cmp.Or(r.Peer, r.Visitor)), nil, nil
	e.ExternalID, e.ProviderAt, e.Receipt = string(f.UpTo), event.At(r.at), &event.Receipt{Status: event.Read}
	r.add(e)
}

func (r *reader) delivered(f frame) {
	for _, id := range f.IDs {
		if id == "" {
			continue
		}
		e := r.event(event.ReceiptReceived, string(id))
		e.Peer, e.Aliases, e.Sender = string(cmp.Or(r.Peer, r.Visitor)), nil, nil
		e.ExternalID, e.ProviderAt, e.Receipt = string(id), event.At(r.at), &event.Receipt{Status: event.Delivered}
		r.add(e)
	}
	if len(r.out.Events) == 0 {
		r.out.Ignore("delivered_nothing", "")
	}
}

func (r *reader) page(f frame) {
	url, ok := visited(f.URL)
	if !ok {
		r.out.Ignore("page_without_url", "")
		return
	}
	ts := int64(f.TS)
	if ts <= 0 {
		ts = r.at.UnixMilli()
	}
	e := r.event(event.ContactPageViewed, string(r.Visitor)+":"+strconv.FormatInt(ts, 10)+":"+url)
	e.ProviderAt, e.Page = event.Unix(ts), &event.Page{URL: url, Title: clip(f.Title, maxTitle)}
	r.add(e)
}

func (r *reader) add(e event.Inbound) {
	for _, was := range r.out.Events {
		if was.Ref == e.Ref && was.Type == e.Type {
			return
		}
	}
	r.out.Events = append(r.out.Events, e)
}
