package webchat

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

const (
	maxText = 4096     // bytes of one message, both ways
	maxFile = 20 << 20 // bytes of one file, both ways
)

// Info describes the channel. The limits are our own.
func (Adapter) Info() channel.Info {
	return channel.Info{
		Type: event.WebChat, Title: "Web chat", Docs: "https://datatracker.ietf.org/doc/html/rfc6455",
		Settings: settings, Account: []string{},
		// The widget repeats under the same clientId what was not acknowledged.
		Inbound: channel.InboundRules{MaxBody: 64 << 10, Retries: true, Redact: []string{}, ReplyTo: true, Typing: true, MaxMedia: maxFile},
		Offline: true,
		RuleSet: channel.RuleSet{
			Send: sending, Starts: channel.Starts{May: true},
			// Taken into the mailbox a message is sent; a browser that fetched it makes it delivered.
			Statuses: []event.DeliveryStatus{event.Delivered, event.Read},
		},
		Addresses: []channel.AddressForm{
			{Kind: channel.AddressID, Pattern: `[^\s]{1,200}`, Known: true, Example: "the id of a visitor"},
		},
	}
}

var settings = []channel.Field{
	{Key: "allowed_origins", Label: "Allowed origins", Kind: "list", Item: "origin", Optional: true,
		Help: "Pages that may embed the widget: https://shop.example, or https://*.example.com for every name below a domain. Our own pages always may."},
	{Key: "theme", Label: "Theme", Kind: "object", Optional: true, Help: "What the widget looks like: title, greeting, accent (#rrggbb), position (left or right)."},
	{Key: "pre_chat_form", Label: "Pre-chat form", Kind: "object", Optional: true,
		Help: `Asked before the first message: {"title": "…", "fields": [{"name": "email", "label": "Email", "type": "email", "required": true}]}.`},
	{Key: "identity_audience", Label: "Identity audience", Optional: true,
		Help: "What the page's server writes as aud into identity tokens, besides the channel's id."},
	{Key: "identity_secret", Label: "Identity secret", Secret: true, Optional: true, MinLength: 16,
		Help: "At least 32 random characters; the page's server signs with it who a visitor is. Without it all visitors are anonymous."},
}

var sending = channel.SendRules{
	Types: []event.MessageType{event.Text, event.Image, event.Audio, event.Video, event.Document, event.LocationType, event.InteractType},
	Text:  channel.Limit{Max: maxText, Unit: channel.Bytes}, Caption: channel.Limit{Max: maxText, Unit: channel.Bytes},
	Media: map[event.MessageType]channel.MediaRule{
		event.Image:    {MIME: []string{"image/jpeg", "image/png", "image/gif", "image/webp"}, MaxBytes: maxFile, Caption: true},
		event.Audio:    {MIME: []string{"audio/*"}, MaxBytes: maxFile, Caption: true, Voice: []string{"audio/*"}},
		event.Video:    {MIME: []string{"video/mp4", "video/webm", "video/quicktime"}, MaxBytes: maxFile, Caption: true},
		event.Document: {MIME: []string{"*/*"}, MaxBytes: maxFile, Caption: true},
	},
	Interactive: interactives, Whole: true,
	ReplyTo: true, Signals: []string{"typing_on", "typing_off", "read"}, Actions: actions, Attachments: 10,
	Idempotent: true, Concurrency: 32, Timeout: channel.Duration(10 * time.Second), Rates: []channel.Rate{},
}

var interactives = map[string]channel.InteractiveRule{
	"buttons": {
		Needs: []string{"buttons"}, Takes: []string{"header", "body", "footer"}, Choices: []string{"reply", "url"},
		MaxItems: 10, MaxTitle: 80, MaxID: 256, MaxBody: maxText, MaxHeader: 200, MaxFooter: 200,
	},
	"list": {
		Needs: []string{"sections"}, Takes: []string{"header", "body", "footer", "button", "section_title", "description"}, Choices: []string{"reply", "url"},
		MaxItems: 50, MaxSections: 10, MaxTitle: 80, MaxID: 256, MaxDescription: 200, MaxBody: maxText, MaxHeader: 200, MaxFooter: 200, MaxLabel: 80,
	},
	"link": {
		Needs: []string{"url"}, Takes: []string{"header", "body", "footer", "button"},
		MaxBody: maxText, MaxHeader: 200, MaxFooter: 200, MaxLabel: 80,
	},
}
