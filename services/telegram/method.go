package telegram

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// method is one call of the Bot API, with its fields in the order in which they were set. With files it is a form.
type method struct {
	name   string
	fields []field
	files  []channel.Part
	// caption is that of a part which can have one, also if it is empty.
	caption *string
}

type field struct {
	name  string
	value any
}

// set adds a field; empty texts and nil are left out.
func (m *method) set(name string, value any) {
	if value != nil && value != "" {
		m.fields = append(m.fields, field{name, value})
	}
}

// file sets a field to a file: its id at Telegram, its URL, or the bytes, which travel with the call.
func (m *method) file(name string, a event.Attachment) {
	ref, part := reference(a, name)
	if part != nil {
		m.files = append(m.files, *part)
		return
	}
	m.set(name, ref)
}

// reference says what stands for a file in a call: an id or URL, or the part of the form that holds it.
func reference(a event.Attachment, part string) (string, *channel.Part) {
	switch {
	case a.Blob != "":
		n := a.Name
		if n == "" {
			n = part
		}
		return "attach://" + part, &channel.Part{Name: part, Blob: a.Blob, File: n, MIME: a.MIME}
	case a.MediaRef != "":
		return a.MediaRef, nil
	}
	return a.URL, nil
}

// request writes the call. The token's place stands in the URL until Sign.
func (m method) request(ch channel.Channel, tag string) channel.Request {
	req := channel.Request{Method: "POST", URL: host(ch) + "/bot" + tokenPlace + "/" + m.name, Tag: tag}
	if len(m.files) == 0 {
		req.Header, req.Body = channel.Header{"Content-Type": {"application/json"}}, m.object()
		return req
	}
	for _, f := range m.fields {
		req.Form = append(req.Form, channel.Part{Name: f.name, Value: text(f.value)})
	}
	req.Form = append(req.Form, m.files...)
	return req
}

// part writes the call of a part of a message.
func (m method) part(ch channel.Channel, s partState) channel.Request {
	req := m.request(ch, tagPart)
	req.State = channel.State(s)
	return req
}

func (m method) object() []byte {
	b := []byte{'{'}
	for i, f := range m.fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, encoded(f.name)...)
		b = append(b, ':')
		b = append(b, encoded(f.value)...)
	}
	return append(b, '}')
}

// text is a field's value in a form: a text as it is, anything else as JSON.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(encoded(v))
}

func encoded(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("telegram: %v", err)) // our own types: cannot fail
	}
	return bytes.TrimSpace(b.Bytes())
}

// id writes an id as Telegram does: whole numbers as such, names as text.
func id(s string) any {
	if integer(s) {
		return json.Number(s)
	}
	return s
}
