package facebook

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

const (
	mib = 1 << 20
	day = channel.Duration(24 * time.Hour)
)

// Info describes the channel. Limits: the reference of the Messenger Platform and the Graph API as of mid-2026.
func (Adapter) Info() channel.Info {
	return channel.Info{
		Type: event.Facebook, Title: "Facebook", Docs: "https://developers.facebook.com/documentation/business-messaging/messenger-platform",
		Settings: settings, Account: []string{"page_id"},
		Inbound: channel.InboundRules{
			MaxBody: meta.MaxBody, Retries: true, AppLevel: true, AnswerWithin: channel.Duration(5 * time.Second),
			Redact:  []string{meta.OlderSignatureHeader, meta.SignatureHeader},
			ReplyTo: true, Reactions: true, Edits: true, Deletes: true, MaxMedia: 100 * mib,
			// A Page may make 200 calls a day for each person who is engaged with it; everybody is asked for once a day.
			Profiles: &channel.Rate{Per: "channel", N: 10, Every: channel.Duration(time.Second), Burst: 10},
		},
		Offline: true,
		RuleSet: channel.RuleSet{
			Send: sending,
			Window: channel.Window{
				Opens:   map[string]channel.Opening{channel.ByMessage: {For: day}, channel.ByFreeEntry: {For: 7 * day}},
				Outside: []string{"template", "message_tag:" + meta.HumanAgent},
			},
			Statuses: []event.DeliveryStatus{event.Sent, event.Delivered, event.Read},
			Comments: &comments,
		},
		Addresses: []channel.AddressForm{
			{Kind: channel.AddressID, Pattern: `[0-9]{5,32}`, Known: true, Example: "the page-scoped id of a person (7312094458812037)"},
		},
	}
}

var settings = []channel.Field{
	{Key: "page_id", Label: "Page id", Pattern: `^[0-9]{1,32}$`, Help: "Page, About, Page transparency: the digits, not the name."},
	{Key: "app_id", Label: "App id", Pattern: `^[0-9]{1,32}$`, Help: "Tells what this app has sent from what others send as the Page."},
	{Key: "thread_control", Label: "If another app has the conversation", OneOf: []string{"refuse", "request", "take"}, Default: "refuse",
		Help: "What an answer does then: it is refused; it asks for the conversation and waits; it takes the conversation, which only the app may that Conversation Routing puts first."},
	{Key: "persona_id", Label: "Persona id", Pattern: `^[0-9]{1,32}$`, Optional: true, Help: "What people of your team write appears under this persona of the Page."},
	{Key: "graph_version", Label: "Graph API version", Pattern: `^v[0-9]+\.[0-9]+$`, Optional: true, Default: meta.Version},
	{Key: "api_base_url", Label: "API base URL", Optional: true, Help: "Instead of the provider's host: sandboxes, tests."},
	{Key: "app_secret", Label: "App secret", Secret: true, Help: "Signs webhooks. App dashboard, Settings, Basic."},
	{Key: "page_access_token", Label: "Page access token", Secret: true, Help: "Of a system user of the business, with the permissions that the guide names."},
	{Key: "verify_token", Label: "Verify token", Secret: true, Names: true, Help: "A text of your choice, the same in the app dashboard."},
}

// maxText is how long one message may be; maxComment how long a comment.
const (
	maxText    = 2000
	maxComment = 8000
)

var sending = channel.SendRules{
	Types: []event.MessageType{event.Text, event.Image, event.Audio, event.Video, event.Document, event.Sticker, event.InteractType,
		event.TemplateType, event.ReactionType},
	Text: channel.Limit{Max: maxText, Unit: channel.Runes}, Split: 4,
	Media: map[event.MessageType]channel.MediaRule{
		event.Image:    {MIME: []string{"image/jpeg", "image/png", "image/gif", "image/webp"}, MaxBytes: 25 * mib},
		event.Audio:    {MIME: []string{"audio/*"}, MaxBytes: 25 * mib},
		event.Video:    {MIME: []string{"video/*"}, MaxBytes: 25 * mib},
		event.Document: {MIME: []string{"*/*"}, MaxBytes: 25 * mib},
	},
	Interactive: interactives, StickerPackages: true,
	Template: &channel.TemplateRule{Name: `^[a-z0-9_]+$`, MaxName: 512, Language: `^[a-z]{2,3}(_[A-Z]{2,3})?$`, Components: components},
	Together: map[string][]string{
		"template": {}, "reaction": {}, "interactive": {"text", "attachments", "reply_to", "message_tag"},
	},
	ReplyTo: true, Reactions: true, Signals: []string{"typing_on", "typing_off", "read"}, Attachments: 10,
	Concurrency: 16, Timeout: channel.Duration(30 * time.Second),
	Rates: []channel.Rate{{Per: "channel", N: 300, Every: channel.Duration(time.Second), Burst: 300}},
}

var interactives = map[string]channel.InteractiveRule{
	// The button template: a text with buttons below it.
	"buttons": {
		Needs: []string{"body", "buttons"}, Takes: []string{"header", "footer"}, Choices: []string{"reply", "url"},
		MaxItems: meta.MaxButtons, MaxTitle: meta.MaxLabel, MaxID: meta.MaxPayload, MaxBody: meta.MaxBelow,
	},
	"link": {Needs: []string{"body", "button", "url"}, Takes: []string{"header", "footer"}, MaxBody: meta.MaxBelow, MaxLabel: meta.MaxLabel},
	// The generic template: cards side by side, each with a button.
	"cards": {
		Needs: []string{"button", "sections"}, Takes: []string{"description"}, Choices: []string{"reply", "url"},
		MaxItems: 10, MaxSections: 1, MaxTitle: meta.MaxCard, MaxDescription: meta.MaxCard, MaxID: meta.MaxPayload, MaxLabel: meta.MaxLabel,
	},
	// The media template: a picture or a video with buttons below it.
	"media": {
		Needs: []string{"buttons"}, Choices: []string{"reply", "url"}, HeaderMedia: []event.MessageType{event.Image, event.Video},
		MaxItems: meta.MaxButtons, MaxTitle: meta.MaxLabel, MaxID: meta.MaxPayload,
	},
	// Quick replies, which go away with the next message.
	"reply_keyboard": {
		Needs: []string{"body", "buttons"}, Takes: []string{"header", "footer"}, Choices: []string{"text", "reply"},
		MaxItems: meta.MaxQuick, MaxTitle: meta.MaxLabel, MaxID: meta.MaxPayload, MaxBody: maxText,
	},
	"contact_request": {Needs: []string{"body"}, Takes: []string{"header", "footer"}, MaxBody: maxText},
}

// components are those of utility templates, and of the receipt, which is a template that every Page has.
var components = map[string][]string{
	"header": {"text"}, "body": {"text"}, "button:url": {"text"}, "button:quick_reply": {"payload"},
	"order": {"text"}, "address": {"text"}, "summary": {"text"}, "item": {"text"},
}

// comments are the rules below a post, where a Page may write at any time. A comment is a text, a picture, or a picture with a text.
var comments = channel.SendRules{
	Types: []event.MessageType{event.Text, event.Image},
	Text:  channel.Limit{Max: maxComment, Unit: channel.Runes}, Caption: channel.Limit{Max: maxComment, Unit: channel.Runes},
	Media: map[event.MessageType]channel.MediaRule{
		event.Image: {MIME: []string{"image/jpeg", "image/png", "image/gif"}, MaxBytes: 10 * mib, Caption: true},
	},
	ReplyTo: true, Attachments: 1, Actions: actions,
}

// actions are what a Page can do to comments: to those of others, and the last two to its own.
var actions = map[event.ActionKind]channel.ActionRule{
	event.ActionHide:         {Repeatable: true},
	event.ActionUnhide:       {Repeatable: true},
	event.ActionPrivateReply: {For: 7 * day},
	event.ActionEdit:         {Types: []event.MessageType{event.Text, event.Image}, Repeatable: true},
	event.ActionUnsend:       {},
}
