package line

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

const mib = 1 << 20

// Info describes the channel. Limits: Messaging API reference, https://developers.line.biz/en/reference/messaging-api/.
func (Adapter) Info() channel.Info {
	return channel.Info{
		Type: event.Line, Title: "LINE", Docs: "https://developers.line.biz/en/reference/messaging-api/",
		Settings: settings, Account: []string{"destination"},
		Inbound: channel.InboundRules{
			MaxBody: 1 * mib, Redact: []string{signatureHeader}, AnswerWithin: channel.Duration(2 * time.Second),
			ReplyTo: true, Edits: true, Deletes: true, MaxMedia: 200 * mib,
			// LINE takes 2,000 of these calls a second (https://developers.line.biz/en/reference/messaging-api/#rate-limits).
			Profiles: &channel.Rate{Per: "channel", N: 50, Every: channel.Duration(time.Second), Burst: 50},
		},
		RuleSet: channel.RuleSet{Send: sending, Statuses: []event.DeliveryStatus{}},
		Addresses: []channel.AddressForm{
			{Kind: channel.AddressID, Pattern: `[UCR][0-9a-f]{32}`, Known: true, Example: "the id of a user, group or room (U0123…)"},
		},
	}
}

var settings = []channel.Field{
	{Key: "destination", Label: "Your user ID", Pattern: `^U[0-9a-f]{32}$`, Help: "Of the bot: LINE Developers Console, tab Basic settings. Webhooks name it as their destination."},
	{Key: "api_base_url", Label: "API base URL", Optional: true, Help: "For tests and sandboxes; it then serves files as well."},
	{Key: "channel_secret", Label: "Channel secret", Secret: true, Help: "LINE Developers Console, tab Basic settings."},
	{Key: "channel_access_token", Label: "Channel access token", Secret: true, Help: "LINE Developers Console, tab Messaging API, long-lived."},
}

var sending = channel.SendRules{
	Types: []event.MessageType{event.Text, event.Image, event.Audio, event.Video, event.Sticker, event.LocationType, event.InteractType},
	Text:  channel.Limit{Max: 5000, Unit: channel.UTF16}, Split: 10,
	Media: map[event.MessageType]channel.MediaRule{
		event.Image: {MIME: []string{"image/jpeg", "image/png"}, MaxBytes: 10 * mib},
		event.Audio: {MIME: []string{"audio/mp4", "audio/mpeg"}, MaxBytes: 200 * mib},
		event.Video: {MIME: []string{"video/mp4"}, MaxBytes: 200 * mib},
	},
	Interactive: interactives, StickerPackages: true, PerCall: perCall,
	ReplyTo: true, Signals: []string{"typing_on", "read"}, Attachments: 10,
	Idempotent: true, Concurrency: 32, Timeout: channel.Duration(30 * time.Second),
	Rates: []channel.Rate{{Per: "channel", N: 2000, Every: channel.Duration(time.Second), Burst: 2000}},
}

var interactives = map[string]channel.InteractiveRule{
	"buttons": {
		Needs: []string{"body", "buttons"}, Takes: []string{"header", "footer"}, Choices: []string{"reply", "url"},
		MaxItems: 4, MaxTitle: 20, MaxID: 300, MaxBody: 160, MaxHeader: 40,
	},
	"list": {
		Needs: []string{"body", "sections"}, Takes: []string{"header", "footer", "button", "section_title", "description"},
		Choices: []string{"reply", "url"}, MaxItems: 30, MaxSections: 10, MaxTitle: 40, MaxID: 300, MaxBody: 2000, MaxHeader: 200, MaxFooter: 500,
	},
	"link": {Needs: []string{"body", "button", "url"}, Takes: []string{"header", "footer"}, MaxBody: 160, MaxHeader: 40, MaxLabel: 20},
	"reply_keyboard": {
		Needs: []string{"body", "buttons"}, Takes: []string{"header", "footer"}, Choices: []string{"text"},
		MaxItems: 13, MaxTitle: 20, MaxBody: 5000,
	},
	"location_request": {Needs: []string{"body"}, Takes: []string{"header", "footer", "button"}, MaxBody: 5000, MaxLabel: 20},
}
