package telegram

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// maxData is the most that a button brings back, in bytes.
const maxData = 64

type inlineKeyboard struct {
	Rows [][]inlineButton `json:"inline_keyboard"`
}

type inlineButton struct {
	Text string   `json:"text"`
	Data string   `json:"callback_data,omitempty"`
	URL  string   `json:"url,omitempty"`
	App  *webPage `json:"web_app,omitempty"`
}

type replyKeyboard struct {
	Rows   [][]replyButton `json:"keyboard"`
	Once   bool            `json:"one_time_keyboard"`
	Resize bool            `json:"resize_keyboard"`
}

type replyButton struct {
	Text     string   `json:"text"`
	Contact  bool     `json:"request_contact,omitempty"`
	Location bool     `json:"request_location,omitempty"`
	App      *webPage `json:"web_app,omitempty"`
}

type webPage struct {
	URL string `json:"url"`
}

func pageOf(c event.Choice) *webPage {
	if c.Kind != "web_app" {
		return nil
	}
	return &webPage{c.URL}
}

// interactivePart is a text with a keyboard. Telegram has no header, footer or list: they become lines and rows of buttons.
func interactivePart(v *event.Interactive, body string) (method, error) {
	p := method{name: "sendMessage"}
	var lines []string
	for _, s := range []string{v.Header, body, described(v), v.Footer} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	whole := strings.Join(lines, "\n\n")
	if sending.Text.Over(whole) > 0 {
		return p, fault.At("/interactive/body", channel.CodeTextTooLong, "header, body, footer and what a list says of its rows have at most %d characters together on Telegram, these are %d",
			sending.Text.Max, sending.Text.Unit.Len(whole))
	}
	p.set("text", whole)
	p.set("reply_markup", keyboard(v))
	return p, nil
}

// described are the titles and descriptions of a list, which buttons have no room for: a line for each.
func described(v *event.Interactive) string {
	var lines []string
	for _, s := range v.Sections {
		if s.Title != "" {
			lines = append(lines, s.Title)
		}
		for _, r := range s.Rows {
			if r.Description != "" {
				lines = append(lines, r.Title+": "+r.Description)
			}
		}
	}
	return strings.Join(lines, "\n")
}

func keyboard(v *event.Interactive) any {
	switch v.Kind {
	case "buttons":
		return inline(v.Buttons)
	case "list":
		var rows []event.Choice
		for _, s := range v.Sections {
			rows = append(rows, s.Rows...)
		}
		return inline(rows)
	case "link":
		return inlineKeyboard{[][]inlineButton{{{Text: v.Button, URL: v.URL}}}}
	case "force_reply":
		return struct {
			Force bool   `json:"force_reply"`
			Hint  string `json:"input_field_placeholder,omitempty"`
		}{true, v.Button}
	}
	return reply(v)
}

func inline(choices []event.Choice) any {
	buttons := make([]inlineButton, len(choices))
	for n, c := range choices {
		b := inlineButton{Text: c.Title, App: pageOf(c)}
		switch {
		case b.App != nil:
		case c.URL != "":
			b.URL = c.URL
		default:
			b.Data = c.ID
		}
		buttons[n] = b
	}
	return inlineKeyboard{rowsOf(buttons, func(b inlineButton) string { return b.Text })}
}

// reply is a keyboard in place of the person's own. Without buttons it takes such a keyboard away. One with a web app stays: the app is
// opened again and again.
func reply(v *event.Interactive) any {
	if v.Kind == "reply_keyboard" && len(v.Buttons) == 0 {
		return struct {
			Remove bool `json:"remove_keyboard"`
		}{true}
	}
	choices := v.Buttons
	if v.Kind != "reply_keyboard" {
		choices = []event.Choice{{Kind: v.Kind, Title: v.Button}}
	}
	once, buttons := true, make([]replyButton, len(choices))
	for n, c := range choices {
		buttons[n] = replyButton{Text: c.Title, Contact: c.Kind == "contact_request", Location: c.Kind == "location_request", App: pageOf(c)}
		once = once && buttons[n].App == nil
	}
	return replyKeyboard{Rows: rowsOf(buttons, func(b replyButton) string { return b.Text }), Once: once, Resize: true}
}

// roomy is how many characters the labels of two buttons in a row have at most.
const roomy = 30

// rowsOf puts two buttons into a row where their labels have room, else one.
func rowsOf[B any](buttons []B, label func(B) string) (rows [][]B) {
	for n := 0; n < len(buttons); {
		width := 1
		if n+1 < len(buttons) && channel.Runes.Len(label(buttons[n])+label(buttons[n+1])) <= roomy {
			width = 2
		}
		rows = append(rows, buttons[n:n+width])
		n += width
	}
	return rows
}
