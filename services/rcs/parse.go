package rcs

import (
	"encoding/json"
	"encoding/xml"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Parse reads one call as its platform writes it.
func (Adapter) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	return of(ch.Channel).parse(ch, in)
}

// reader collects what a call says.
type reader struct {
	out  channel.Parsed
	seen map[string]bool
}

// add takes an event over; what stands twice in one call is one.
func (r *reader) add(e event.Inbound) {
	id := string(e.Type) + " " + e.Ref
	if r.seen[id] {
		r.out.Ignore("twice", "")
		return
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[id] = true
	r.out.Events = append(r.out.Events, e)
}

// said is a message of somebody; without a content that is known it is a placeholder (P2).
func (r *reader) said(e event.Inbound, c *event.Content, raw json.RawMessage) {
	if c == nil {
		c = &event.Content{Type: event.Unsupported, Raw: raw}
	}
	e.Type, e.Content = event.MessageReceived, c
	if e.ExternalID == "" {
		e.ExternalID = e.Ref
	}
	r.add(e)
}

// tapped is a suggestion that was taken. A reply is said; an action (a call, a map, a page) happened on the phone, and is no message.
func tapped(label, data string, reply bool) *event.Content {
	kind := "postback"
	if reply {
		kind = "quick_reply"
	}
	return &event.Content{Type: event.InteractType, Text: label, Interaction: &event.Interaction{Kind: kind, ID: data, Title: label, Payload: data}}
}

// file is a message with one file; nil without an address.
func file(a event.Attachment) *event.Content {
	if a.URL == "" && a.MediaRef == "" {
		return nil
	}
	a.Type = kindOf(a.MIME)
	return &event.Content{Type: a.Type, Attachments: []event.Attachment{a}}
}

// text is what somebody wrote; nil for nothing.
func text(s string) *event.Content {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	return &event.Content{Type: event.Text, Text: s}
}

// quote is what an answer answers; nil if the platform does not say.
func quote(id string) *event.Quote {
	if id == "" {
		return nil
	}
	return &event.Quote{ExternalID: id}
}

// quoted is a text as JSON.
func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(valid(s)) // a text: cannot fail
	return b
}

// valid is a text in UTF-8, whatever somebody has encoded.
func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

// revoked is the platform's word that a message of ours was taken back, or could not be. The action itself said only that it was asked for.
func (r *reader) revoked(ref, peer, id string, done bool, at event.Time) {
	if !done {
		r.out.Ignore("revoke_failed", "")
		return
	}
	r.add(event.Inbound{Type: event.MessageDeleted, Ref: ref, Peer: peer, Target: id, ExternalID: id, ProviderAt: at, Echo: true})
}

// ftContent reads a file message in XML; nil for what names no file.
func ftContent(body string) *event.Content {
	var f ftFile
	if xml.Unmarshal([]byte(body), &f) != nil {
		return nil
	}
	a, ok := f.attachment()
	if !ok {
		return nil
	}
	return file(a)
}

// channelWord is a platform's word, fit for the name of something.
func channelWord(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, clip(s, 40))
}
