package telegram

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/tributaryhq/tributary/pkg/event"
)

// plain is the text with the address of every link that hides behind other words. Entities count in UTF-16 units.
func plain(text string, es []entity) string {
	hidden := slices.ContainsFunc(es, func(e entity) bool { return e.Type == "text_link" && e.URL != "" })
	if !hidden {
		return text
	}
	units := utf16.Encode([]rune(text))
	var out []uint16
	done := 0
	for _, e := range es {
		end := e.Offset + e.Length
		if e.Type != "text_link" || e.Offset < done || e.Length <= 0 || end < 0 || end > len(units) {
			continue
		}
		out = append(out, units[done:end]...)
		if string(utf16.Decode(units[e.Offset:end])) != e.URL {
			out = append(out, utf16.Encode([]rune(" ("+e.URL+")"))...)
		}
		done = end
	}
	return string(utf16.Decode(append(out, units[done:]...)))
}

// visible entities are what the text itself shows.
var visible = []string{"url", "mention", "hashtag", "cashtag", "bot_command", "email", "phone_number"}

// formatting keeps entities that the text alone would lose.
func formatting(es []entity) json.RawMessage {
	if !slices.ContainsFunc(es, func(e entity) bool { return !slices.Contains(visible, e.Type) }) {
		return nil
	}
	return raw(map[string][]entity{"entities": es})
}

// command reads a text that begins with one. What follows /start is the code of the link that led here.
func (m *message) command(c *event.Content) {
	if len(m.Entities) == 0 || m.Entities[0].Type != "bot_command" || m.Entities[0].Offset != 0 {
		return
	}
	word, payload, _ := strings.Cut(m.Text, " ")
	word, _, _ = strings.Cut(word, "@")
	payload = strings.TrimSpace(payload)
	c.Interaction = &event.Interaction{Kind: "command", ID: word, Payload: payload}
	if word == "/start" && payload != "" && m.Chat.Type == "private" {
		c.Referral = &event.Referral{Code: payload, Source: "deep_link"}
	}
}
