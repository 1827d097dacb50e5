package graph

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/services/simulator/account"
)

// The limits that Meta checks before it takes a message with choices.
const (
	MaxTitle = 20 // characters, of buttons and quick replies
	MaxQuick = 13

	maxBelow   = 640 // characters of the text of the button template
	maxButtons = 3
	maxCards   = 10
	maxCard    = 80 // characters of a card's title
)

// Quick is a quick reply.
type Quick struct {
	Type    string `json:"content_type"`
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// Button is one of a template.
type Button struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Payload string `json:"payload"`
	URL     string `json:"url"`
}

// Element is a card of a template, or its file.
type Element struct {
	Title   string   `json:"title"`
	Media   string   `json:"media_type"`
	ID      string   `json:"attachment_id"`
	URL     string   `json:"url"`
	Buttons []Button `json:"buttons"`
}

// Template is what templates of every product have, as far as it is looked at.
type Template struct {
	Layout   string    `json:"template_type"`
	Text     string    `json:"text"`
	Buttons  []Button  `json:"buttons"`
	Elements []Element `json:"elements"`
}

// Wrong says what is wrong with the templates that all products have, button and generic; empty: nothing. known is false for any other.
func (t *Template) Wrong() (why string, known bool) {
	switch t.Layout {
	case "button":
		if n := utf8.RuneCountInString(t.Text); n == 0 || n > maxBelow {
			return fmt.Sprintf("The text of a button template has 1 to %d characters", maxBelow), true
		}
		return WrongButtons(t.Buttons, true), true
	case "generic":
		return t.wrongCards(), true
	}
	return "", false
}

func (t *Template) wrongCards() string {
	if len(t.Elements) == 0 || len(t.Elements) > maxCards {
		return fmt.Sprintf("A generic template has 1 to %d elements", maxCards)
	}
	for _, e := range t.Elements {
		if e.Title == "" || utf8.RuneCountInString(e.Title) > maxCard {
			return fmt.Sprintf("An element needs a title of 1 to %d characters", maxCard)
		}
		if why := WrongButtons(e.Buttons, false); why != "" {
			return why
		}
	}
	return ""
}

// WrongButtons says what is wrong with buttons; empty: nothing.
func WrongButtons(bs []Button, needed bool) string {
	if needed && len(bs) == 0 || len(bs) > maxButtons {
		return fmt.Sprintf("At most %d buttons are allowed", maxButtons)
	}
	for _, b := range bs {
		ok := b.Type == "postback" && b.Payload != "" && len(b.Payload) <= 1000 || b.Type == "web_url" && Fetchable(b.URL)
		if !ok || b.Title == "" || utf8.RuneCountInString(b.Title) > MaxTitle {
			return fmt.Sprintf("A button needs a title of 1 to %d characters, and a payload or a URL", MaxTitle)
		}
	}
	return ""
}

// Fetchable reports whether Meta would fetch from a URL.
func Fetchable(url string) bool {
	return strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")
}

// Words are the text of a template, or the titles of its cards.
func (t *Template) Words() string {
	if t.Text != "" {
		return t.Text
	}
	var titles []string
	for _, e := range t.Elements {
		titles = append(titles, e.Title)
	}
	return strings.TrimSpace(strings.Join(titles, "\n"))
}

// Choices are the quick replies and the buttons of a message that bring something back; t is nil for a message without a template.
func Choices(quick []Quick, t *Template) (out []account.Choice) {
	for _, q := range quick {
		if q.Type == "text" {
			out = append(out, account.Choice{ID: q.Payload, Title: q.Title})
		}
	}
	if t == nil {
		return out
	}
	all := t.Buttons
	for _, e := range t.Elements {
		for _, b := range e.Buttons {
			b.Title = cmp.Or(e.Title, b.Title) // of cards all buttons have the same
			all = append(all, b)
		}
	}
	for _, b := range all {
		if b.Type == "postback" {
			out = append(out, account.Choice{ID: b.Payload, Title: b.Title})
		}
	}
	return out
}
