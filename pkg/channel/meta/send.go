package meta

import (
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// The Send API, as Messenger and Instagram have it in common
// (https://developers.facebook.com/docs/messenger-platform/reference/send-api).

// Replied names the message that is answered.
type Replied struct {
	MID string `json:"mid"`
}

// ReactedWith is a reaction to a message.
type ReactedWith struct {
	Message  string `json:"message_id"`
	Reaction string `json:"reaction,omitempty"`
}

// OutAttachment is a file, or a message in one of Meta's fixed forms.
type OutAttachment struct {
	Type    string `json:"type"`
	Payload any    `json:"payload,omitempty"`
}

// Reference is a file: one that was uploaded, or one that Meta fetches.
type Reference struct {
	ID  string `json:"attachment_id,omitempty"`
	URL string `json:"url,omitempty"`
}

// Worded is the body of a comment.
type Worded struct {
	Message string `json:"message"`
}

// Subscription is the body of a call that subscribes an app to what happens on an account.
type Subscription struct {
	Fields []string `json:"subscribed_fields"`
}

// Quick is a choice above the text field.
type Quick struct {
	Type    string `json:"content_type"`
	Title   string `json:"title,omitempty"`
	Payload string `json:"payload,omitempty"`
}

// Button is a choice below a message.
type Button struct {
	Type    string `json:"type"` // postback or web_url
	Title   string `json:"title"`
	Payload string `json:"payload,omitempty"`
	URL     string `json:"url,omitempty"`
}

// Layout is a message in one of Meta's fixed forms.
type Layout struct {
	Type     string   `json:"template_type"`
	Text     string   `json:"text,omitempty"`
	Buttons  []Button `json:"buttons,omitempty"`
	Elements []any    `json:"elements,omitempty"`
}

// card is an element of the generic layout.
type card struct {
	Title    string   `json:"title"`
	Subtitle string   `json:"subtitle,omitempty"`
	Buttons  []Button `json:"buttons,omitempty"`
}

// The limits of buttons (https://developers.facebook.com/docs/messenger-platform/reference/buttons).
const (
	MaxButtons = 3
	MaxLabel   = 20
	MaxPayload = 1000
	MaxCard    = 80 // title and subtitle of a card
	MaxBelow   = 640
	MaxQuick   = 13
)

// MediaKinds are Meta's words for files that are sent.
var MediaKinds = map[event.MessageType]string{event.Image: "image", event.Audio: "audio", event.Video: "video", event.Document: "file"}

// Quicks send their id back, or else their title.
func Quicks(choices []event.Choice) (out []Quick) {
	for _, c := range choices {
		out = append(out, Quick{Type: "text", Title: c.Title, Payload: First(c.ID, c.Title)})
	}
	return out
}

// Buttons open their page or send their id back; label stands in for their titles, if it is given.
func Buttons(choices []event.Choice, label string) (out []Button) {
	for _, c := range choices {
		b := Button{Type: "postback", Title: First(label, c.Title), Payload: c.ID}
		if c.URL != "" {
			b = Button{Type: "web_url", Title: b.Title, URL: c.URL}
		}
		out = append(out, b)
	}
	return out
}

// Cards are rows side by side, each with the one button.
func Cards(v event.Interactive) Layout {
	out := Layout{Type: "generic"}
	for _, s := range v.Sections {
		for _, row := range s.Rows {
			out.Elements = append(out.Elements, card{Title: row.Title, Subtitle: row.Description, Buttons: Buttons([]event.Choice{row}, v.Button)})
		}
	}
	return out
}

// HumanAgent is the one message tag that Meta still takes: what a person writes within seven days.
const HumanAgent = "HUMAN_AGENT"

// machines are the authors that are no people. Calls of the API may pass on what a person wrote.
var machines = []string{"bot", "automation", "broadcast", "system"}

// RefuseTag says no to a message tag by what it is, who writes, and when; instead is what to do then.
func RefuseTag(msg event.Outbound, instead string) error {
	switch tag := msg.Content.MessageTag; {
	case tag == "":
		return nil
	case tag != HumanAgent:
		return fault.At("/message_tag", "bad_value", "Meta takes no message tag but %s any more; %s", HumanAgent, instead)
	case slices.Contains(machines, msg.By.Kind):
		return fault.At("/message_tag", "bad_value", "%s is only for what a person writes; %s", HumanAgent, instead)
	case After(msg, 6*24*time.Hour):
		return fault.New(fault.Window, channel.CodeWindowClosed, "%s lasts seven days from the customer's last message; %s", HumanAgent, instead)
	}
	return nil
}

// After reports whether a message was written so long after the window had closed; of an open window it is false.
func After(msg event.Outbound, d time.Duration) bool {
	return !msg.WindowUntil.IsZero() && !msg.CreatedAt.IsZero() && msg.CreatedAt.After(msg.WindowUntil.Add(d))
}

// There refuses the n-th file if it is nowhere.
func There(a *event.Attachment, n int) error {
	if a.Blob == "" && a.URL == "" && a.MediaRef == "" {
		return fault.At(fmt.Sprintf("/attachments/%d", n), "attachment_empty", "the attachment has neither a file nor a URL")
	}
	return nil
}

// PageFields are what the channels read of a Page. A subscription replaces the one before, and one Page can have a Facebook and an Instagram
// channel: both subscribe to all of them.
var PageFields = []string{
	"messages", "messaging_postbacks", "message_deliveries", "message_reads", "message_echoes", "message_reactions", "message_edits",
	"messaging_referrals", "messaging_optins", "messaging_account_linking", "messaging_policy_enforcement", "messaging_handovers", "standby",
	"feed",
}
