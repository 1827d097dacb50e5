package rcs

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// message is one message at a platform, in terms that fit all of them: a text, a file, a place or cards, with suggestions below it.
type message struct {
	Text  string
	File  *event.Attachment
	Place *event.Location
	Cards []card // several are a carousel
	Chips []suggestion
}

// card is a rich card.
type card struct {
	Title, Text string
	Media       *event.Attachment
	Suggestions []suggestion
}

// suggestion is a button below a message or on a card.
type suggestion struct {
	Kind  string // reply, url, dial, location, location_request or calendar
	Label string
	Data  string // what comes back when it is tapped
	URL   string
	Phone string
	Place *event.Location
	Event *event.CalendarEvent
}

// outgoing is a message on its way: which part of ours it is, and to whom.
type outgoing struct {
	message
	ch    channel.Channel
	msg   event.Outbound
	part  int
	id    string // ours, the same for every try
	peer  string
	reply string // what the platform calls the message that is answered
}

// stored is a file that the platform has.
type stored struct {
	ID   string  `json:"id,omitempty"`
	URL  string  `json:"url,omitempty"`
	Name string  `json:"name,omitempty"`
	MIME string  `json:"mime,omitempty"`
	Size int64   `json:"size,omitempty"`
	Till string  `json:"till,omitempty"` // RFC 3339
	More *stored `json:"more,omitempty"` // its thumbnail
}

// with is what an answer that lists files one by one comes to: the file, with its thumbnail behind it, whichever stands first.
func (f stored) with(kind string, s stored) stored {
	switch {
	case s.URL == "":
	case kind == "thumbnail":
		f.More = &s
	default:
		s.More, f = f.More, s
	}
	return f
}

// files are those that a message names, in order.
func (m message) files() (out []event.Attachment) {
	if m.File != nil {
		out = append(out, *m.File)
	}
	for _, c := range m.Cards {
		if c.Media != nil {
			out = append(out, *c.Media)
		}
	}
	return out
}

// words is the text that stands for a message where only text goes: its fallback to SMS.
func (m message) words() string {
	out := []string{m.Text}
	if m.File != nil {
		out = append(out, m.File.Name)
	}
	if p := m.Place; p != nil {
		out = append(out, p.Name, p.Address, degrees(p.Latitude)+","+degrees(p.Longitude))
	}
	suggestions := m.Chips
	for _, c := range m.Cards {
		out = append(out, c.Title, c.Text)
		suggestions = append(suggestions, c.Suggestions...)
	}
	for _, s := range suggestions {
		switch {
		case s.URL != "":
			out = append(out, s.Label+": "+s.URL)
		case s.Phone != "":
			out = append(out, s.Label+": "+s.Phone)
		}
	}
	return lines(out...)
}

// plan turns a message into those of the platform, in order: files, the text, a place, then what is to be chosen.
func plan(ch channel.Channel, msg event.Outbound) (out []outgoing, err error) {
	c, limits := msg.Content, rulesOf(ch).Send
	body, text := channel.InteractiveBody(c)
	inside := limits.Inside(c)
	var all []message
	for n := range c.Attachments {
		a := &c.Attachments[n]
		if a.Blob == "" {
			return nil, fault.At(fmt.Sprintf("/attachments/%d", n), "attachment_empty", "the attachment has no file")
		}
		if n >= inside {
			all = append(all, message{File: a})
		}
	}
	if strings.TrimSpace(text) != "" {
		for _, piece := range limits.Text.Split(text) {
			all = append(all, message{Text: piece})
		}
	}
	if c.Location != nil {
		all = append(all, message{Place: c.Location})
	}
	if c.Interactive != nil {
		v := *c.Interactive
		v.Body = body
		all = append(all, chosen(v, c.Attachments[:inside]))
	}
	reply := ""
	if c.ReplyTo != nil {
		reply = cmp.Or(c.ReplyTo.Token, c.ReplyTo.ExternalID)
	}
	for n, m := range all {
		out = append(out, outgoing{message: m, ch: ch, msg: msg, part: n, id: channel.RetryKey(msg.AttemptID, n), peer: msg.Peer, reply: reply})
	}
	return out, nil
}

// chosen is a message with something to choose, whose parts the table of the channel has checked.
func chosen(v event.Interactive, files []event.Attachment) message {
	switch v.Kind {
	case "reply_keyboard":
		return message{Text: lines(v.Header, v.Body, v.Footer), Chips: suggestions(v.Buttons)}
	case "location_request":
		return message{Text: v.Body, Chips: []suggestion{{Kind: "location_request", Label: v.Button, Data: "location"}}}
	case "link":
		return message{Cards: []card{{Title: v.Header, Text: v.Body, Suggestions: []suggestion{{Kind: "url", Label: v.Button, Data: v.URL, URL: v.URL}}}}}
	case "carousel":
		m := message{}
		for n, s := range v.Sections {
			c := card{Title: s.Title, Text: s.Description, Suggestions: suggestions(s.Rows)}
			if n < len(files) {
				c.Media = &files[n]
			}
			m.Cards = append(m.Cards, c)
		}
		return m
	}
	one := card{Title: v.Header, Text: v.Body, Suggestions: suggestions(v.Buttons)}
	if len(files) > 0 {
		one.Media = &files[0]
	}
	return message{Cards: []card{one}}
}

func suggestions(choices []event.Choice) (out []suggestion) {
	for _, c := range choices {
		kind := c.Kind
		switch {
		case kind == "" && c.URL != "":
			kind = "url"
		case kind == "":
			kind = "reply"
		}
		out = append(out, suggestion{Kind: kind, Label: c.Title, Data: cmp.Or(c.ID, c.Title), URL: c.URL, Phone: c.Phone, Place: c.Location, Event: c.Event})
	}
	return out
}

// lines are the texts that are not empty, each on a line of its own.
func lines(texts ...string) string {
	var out []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return strings.Join(out, "\n")
}

// degrees writes a coordinate without an exponent.
func degrees(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// clip shortens a text to so many characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// kindOf is what a file is by its media type.
func kindOf(mime string) event.MessageType {
	kind, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(mime)), "/")
	switch kind {
	case "image":
		return event.Image
	case "audio":
		return event.Audio
	case "video":
		return event.Video
	}
	return event.Document
}

// features are what a phone must have for a message, in Google's words.
func (m message) features() (out []string) {
	all := m.Chips
	switch {
	case len(m.Cards) == 1:
		out = append(out, "RICHCARD_STANDALONE")
	case len(m.Cards) > 1:
		out = append(out, "RICHCARD_CAROUSEL")
	}
	for _, c := range m.Cards {
		all = append(all, c.Suggestions...)
	}
	words := map[string]string{
		"url": "ACTION_OPEN_URL", "dial": "ACTION_DIAL", "location": "ACTION_VIEW_LOCATION", "location_request": "ACTION_SHARE_LOCATION",
		"calendar": "ACTION_CREATE_CALENDAR_EVENT",
	}
	for _, s := range all {
		if w := words[s.Kind]; w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	if m.Place != nil {
		out = append(out, words["location"])
	}
	return out
}

// missing says which features a phone lacks; nil for none.
func missing(wanted, has []string) error {
	for _, w := range wanted {
		if !slices.Contains(has, w) {
			e := fault.New(fault.Invalid, channel.CodeContentRejected, "the phone cannot show it (%s): send a text", w)
			e.Provider = w
			return e
		}
	}
	return nil
}
