package sms

import (
	"cmp"
	"encoding/json"
	"mime"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Parse reads one call in the provider's way.
func (Adapter) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	return of(ch.Channel).parse(ch, in)
}

// reader collects what one call says.
type reader struct{ out channel.Parsed }

// message adds a message, and what it says about further ones. reported is what the provider has found in it itself.
func (r *reader) message(e event.Inbound, reported *event.Consent) {
	e.Type = event.MessageReceived
	if e.Peer == "" || e.ExternalID == "" {
		r.out.Ignore("no_message", "")
		return
	}
	r.out.Events = append(r.out.Events, e)
	if reported != nil {
		r.out.Events = append(r.out.Events, consented(e, *reported))
	} else if c, ok := consentOf(e.Content.Text); ok && e.Content.Type == event.Text && e.Piece == nil {
		r.out.Events = append(r.out.Events, consented(e, c))
	}
}

// receipt adds what became of a message. optedOut: the provider refused it because the person wants none.
func (r *reader) receipt(e event.Inbound, optedOut bool) {
	e.Type = event.ReceiptReceived
	if e.ExternalID == "" || e.Peer == "" {
		r.out.Ignore("no_receipt", "")
		return
	}
	r.out.Events = append(r.out.Events, e)
	if optedOut {
		r.out.Events = append(r.out.Events, consented(e, optOut))
	}
}

// fields are the values of a call that has them in its query, in a form or in a flat JSON object.
func fields(in channel.Inbound) (url.Values, error) {
	switch kind, _, _ := mime.ParseMediaType(in.Header.Get("Content-Type")); {
	case in.Method == "GET":
		return in.Query, nil
	case kind == "application/json":
		var flat map[string]channel.Opaque
		if err := json.Unmarshal(in.Body, &flat); err != nil {
			return nil, fault.New(fault.Invalid, "unreadable", "the body is no JSON object: %w", err)
		}
		v := url.Values{}
		for k, text := range flat {
			v.Set(k, string(text))
		}
		return v, nil
	}
	v, err := url.ParseQuery(string(in.Body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "unreadable", "the body is no form: %w", err)
	}
	return v, nil
}

// kindOf is what a file is shown as.
func kindOf(mimeType string) event.MessageType {
	switch kind, _, _ := strings.Cut(mimeType, "/"); kind {
	case "image":
		return event.Image
	case "audio":
		return event.Audio
	case "video":
		return event.Video
	}
	return event.Document
}

// content is a text with files; the first file says what the message is.
func content(text string, files []event.Attachment) *event.Content {
	c := &event.Content{Type: event.Text, Text: text, Attachments: files}
	if len(files) > 0 {
		c.Type = files[0].Type
	}
	return c
}

// failure is the error of a receipt: the provider's code, what it means, and its words.
func failure(kind fault.Kind, code, provider, words string) *event.Error {
	e := fault.New(kind, code, "%s", cmp.Or(words, "the message was not delivered"))
	e.Provider = provider
	return e.Shown()
}

// firstOf is the first value that is there.
func firstOf(f url.Values, names ...string) string {
	for _, n := range names {
		if v := f.Get(n); v != "" {
			return v
		}
	}
	return ""
}
