package webchat

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
)

// offline reads the form that is shown outside hours: a message, with what the visitor left of themselves. Name, email and
// phone are traits, never ids.
func (r *reader) offline(f frame) {
	r.know(f.Name, f.Email, f.Phone)
	data, _ := json.Marshal(struct { // texts and a bool always marshal
		Name    string `json:"name,omitempty"`
		Email   string `json:"email,omitempty"`
		Phone   string `json:"phone,omitempty"`
		Consent *bool  `json:"consent,omitempty"` // to be answered there
		Page    string `json:"page,omitempty"`
	}{f.Name, f.Email, f.Phone, f.Consent, page(f.Page)})
	c := event.Content{Type: event.Text, Text: f.Text, Interaction: &event.Interaction{Kind: "form", ID: "offline", Data: data}}
	if c.Text == "" {
		c.Type, c.Text = event.InteractType, lines(data)
	}
	r.said(f, c)
}

// form reads any other form: its fields are shown as lines, and kept as they came.
func (r *reader) form(f frame) {
	var known struct{ Name, Email, Phone string }
	_ = json.Unmarshal(f.Fields, &known) // a field of another type tells us nothing
	r.know(known.Name, known.Email, known.Phone)
	data := f.Fields
	if len(data) == 0 || data[0] != '{' {
		data = json.RawMessage("{}")
	}
	text := f.Text
	if text == "" {
		text = lines(data)
	}
	r.said(f, event.Content{Type: event.InteractType, Text: text, Interaction: &event.Interaction{Kind: "form", ID: f.Form, Title: f.Title, Data: data}})
}

// know adds what visitors say of themselves to what the session knows. Whoever has proved who they are is known without it:
// what they type must not change the contact that they are.
func (r *reader) know(name, email, phone string) {
	var p event.Profile
	switch {
	case r.Identity != "":
		return
	case r.Profile != nil:
		p = *r.Profile
	}
	for _, f := range []struct {
		to   *string
		said string
	}{{&p.Name, name}, {&p.Email, email}, {&p.Phone, phone}} {
		if f.said != "" {
			*f.to = clip(strings.TrimSpace(f.said), maxTitle)
		}
	}
	if p != (event.Profile{}) {
		r.Profile = &p
	}
}

// lines shows an object to people, in its own order.
func lines(object json.RawMessage) string {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	var out []string
	for key := ""; ; {
		t, err := d.Token()
		if err != nil {
			return strings.Join(out, "\n")
		}
		switch v := t.(type) {
		case json.Delim:
			continue
		case string:
			if key == "" {
				key = v
				continue
			}
			out = append(out, key+": "+v)
		case bool:
			out = append(out, key+": "+strconv.FormatBool(v))
		case json.Number:
			out = append(out, key+": "+v.String())
		}
		key = ""
	}
}
