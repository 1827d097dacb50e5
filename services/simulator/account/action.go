package account

import (
	"cmp"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Action is something that a person does, in terms that fit every provider.
type Action struct {
	From     string `json:"from"`               // a phone number with or without +, or the provider's id of a person
	Name     string `json:"name,omitempty"`     // as the person calls themselves
	Username string `json:"username,omitempty"` // without @
	Group    string `json:"group,omitempty"`    // the group in which it happens
	Post     string `json:"post,omitempty"`     // Facebook, Instagram: the post below which it happens, which makes it a comment
	Business string `json:"business,omitempty"` // Telegram: the connection of the business account whose chat it is
	Kind     string `json:"kind,omitempty"`     // text if empty
	Text     string `json:"text,omitempty"`     // also caption, emoji of a reaction, title of a button
	ID       string `json:"id,omitempty"`       // the provider's id of the message; empty: a new one
	At       string `json:"at,omitempty"`       // RFC 3339; empty: now
	ReplyTo  string `json:"reply_to,omitempty"` // the provider's id of the quoted message
	Target   string `json:"target,omitempty"`   // the message that is edited, deleted, reacted to, or had the button; empty: the latest. number_changed: the new number. thread_control: the app that has the conversation now; empty: the account's own
	Button   string `json:"button,omitempty"`   // its id; empty: the one with that title, or the first of the latest message

	Removed   bool      `json:"removed,omitempty"` // of a reaction: it is taken back
	Standby   bool      `json:"standby,omitempty"` // Facebook, Instagram: another app has the conversation
	Forwarded bool      `json:"forwarded,omitempty"`
	Voice     bool      `json:"voice,omitempty"`
	Media     *Media    `json:"media,omitempty"`
	Location  *Location `json:"location,omitempty"`
	Contacts  []Contact `json:"contacts,omitempty"`
	Referral  *Referral `json:"referral,omitempty"`
}

// Time is when it happens.
func (a *Action) Time(now time.Time) (time.Time, error) {
	if a.At == "" {
		return now, nil
	}
	at, err := time.Parse(time.RFC3339, a.At)
	if err != nil {
		return now, fault.At("/at", "bad_format", "want a time as in 2026-06-15T12:00:00Z")
	}
	return at, nil
}

// Media describes a file; without data one of its kind is made up.
type Media struct {
	MIME string `json:"mime,omitempty"`
	Name string `json:"name,omitempty"`
	Data []byte `json:"data,omitempty"` // base64
	Size int    `json:"size,omitempty"` // bytes: the made-up file is filled up to this
}

// Location is a place.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

// Contact is a card that is passed on.
type Contact struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// Referral is the ad or link by which somebody came.
type Referral struct {
	Code     string `json:"code,omitempty"` // the click, or the payload of a start link
	Source   string `json:"source,omitempty"`
	SourceID string `json:"source_id,omitempty"`
	URL      string `json:"url,omitempty"`
	Headline string `json:"headline,omitempty"`
	Body     string `json:"body,omitempty"`
}

// Kinds lists every kind that some provider has.
var Kinds = []string{"text", "image", "audio", "video", "document", "sticker", "location", "contacts", "button", "quick_reply", "list",
	"reaction", "edit", "delete", "unsupported", "referral", "echo", "number_changed", "thread_control", "block", "unblock", "typing",
	"share", "story", "story_mention", "story_reply", "mention"}

// Emoji is the emoji of a reaction; "" takes it back.
func (a *Action) Emoji() string {
	if a.Removed {
		return ""
	}
	return cmp.Or(a.Text, "👍")
}

// Pick is the button that an action presses: by its id, else by its title, else the first that was offered.
func Pick(act *Action, known Person) Choice {
	for _, c := range known.Offered {
		if act.Button != "" && c.ID == act.Button || act.Button == "" && (act.Text == "" || c.ID == act.Text || strings.EqualFold(c.Title, act.Text)) {
			return c
		}
	}
	id := cmp.Or(act.Button, act.Text, "yes")
	return Choice{ID: id, Title: cmp.Or(act.Text, id)}
}
