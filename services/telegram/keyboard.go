package telegram

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// maxData is the most that a button brings back, in bytes.
const maxData = 64

type inlineKeyboard struct {
	Rows [][]inlineButton `json:"inline_keyboard"`
}

type inlineButton struct {
	Text string `json:"text"`
	Data string `json:"callback_data,omitempty"`
	URL  string `json:"url,omitempty"`
}

type replyKeyboard struct {
	Rows   [][]replyButton `json:"keyboard"`
	Once   bool            `json:"one_time_keyboard"`
	Resize bool            `json:"resize_keyboard"`
}

type replyButton struct {
	Text     string `json:"text"`
	Contact  bool   `json:"request_contact,omitempty"`
	Location bool   `json:"request_location,omitempty"`
}

// interactivePart is a text with a keyboard. Telegram has no header, footer or list: they become lines and rows of buttons.
func interactivePart(v *event.Interactive, text string) (method, error) {
	p := method{name: "sendMessage"}
	body := v.Body
	if body == "" {
		body = text
	}
	var lines []string
	for _, s := range []string{v.Header, body, v.Footer} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	whole := strings.Join(lines, "\n\n")
	if body == "" || sending.Text.Over(whole) > 0 {
		return p, fault.At("/interactive/body", "body_length", "header, body and footer together have 1 to %d characters on Telegram, and a body is needed", sending.Text.Max)
	}
	p.set("text", whole)
	markup, err := keyboard(v)
	p.set("reply_markup", markup)
	return p, err
}

func keyboard(v *event.Interactive) (any, error) {
	switch v.Kind {
	case "buttons":
		return inline(v.Buttons, "/interactive/buttons")
	case "list":
		var rows []event.Choice
		for _, s := range v.Sections {
			rows = append(rows, s.Rows...)
		}
		return inline(rows, "/interactive/sections")
	case "link":
		if v.URL == "" || v.Button == "" {
			return nil, fault.At("/interactive/url", "link_incomplete", "a link needs a url and the text of its button")
		}
		return inlineKeyboard{[][]inlineButton{{{Text: v.Button, URL: v.URL}}}}, nil
	case "force_reply":
		return struct {
			Force bool   `json:"force_reply"`
			Hint  string `json:"input_field_placeholder,omitempty"`
		}{true, v.Button}, nil
	}
	return reply(v)
}

// inline puts every choice into a row of its own.
func inline(choices []event.Choice, at string) (any, error) {
	var k inlineKeyboard
	for n, c := range choices {
		b := inlineButton{Text: c.Title, URL: c.URL}
		if c.URL == "" {
			b.Data = c.ID
		}
		switch {
		case c.Title == "":
			return nil, fault.At(fmt.Sprintf("%s/%d/title", at, n), "title_missing", "a button needs a title")
		case c.URL == "" && (c.ID == "" || len(c.ID) > maxData):
			return nil, fault.At(fmt.Sprintf("%s/%d/id", at, n), "id_length", "a button's id has 1 to %d bytes on Telegram, this one has %d", maxData, len(c.ID))
		}
		k.Rows = append(k.Rows, []inlineButton{b})
	}
	if len(k.Rows) == 0 {
		return nil, fault.At(at, "choices_missing", "give at least one choice")
	}
	return k, nil
}

// reply is a keyboard in place of the person's own. Without buttons it takes such a keyboard away.
func reply(v *event.Interactive) (any, error) {
	k := replyKeyboard{Once: true, Resize: true}
	switch {
	case v.Kind == "reply_keyboard" && len(v.Buttons) == 0:
		return struct {
			Remove bool `json:"remove_keyboard"`
		}{true}, nil
	case v.Kind == "reply_keyboard":
		for n, c := range v.Buttons {
			if c.Title == "" {
				return nil, fault.At(fmt.Sprintf("/interactive/buttons/%d/title", n), "title_missing", "a button needs a title")
			}
			k.Rows = append(k.Rows, []replyButton{{Text: c.Title}})
		}
	case v.Button == "":
		return nil, fault.At("/interactive/button", "label_missing", "give the text of the button")
	default:
		k.Rows = [][]replyButton{{{Text: v.Button, Contact: v.Kind == "contact_request", Location: v.Kind == "location_request"}}}
	}
	return k, nil
}
