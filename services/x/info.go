package x

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

const mib = 1 << 20

// Info describes the channel. Limits: https://docs.x.com/x-api/direct-messages.
func (Adapter) Info() channel.Info {
	return channel.Info{
		Type: event.X, Title: "X", Docs: "https://docs.x.com/x-api/direct-messages/manage/introduction",
		Settings: settings, Account: []string{"user_id"},
		Inbound: channel.InboundRules{
			MaxBody: 1 * mib, AppLevel: true, Redact: []string{signatureHeader}, AnswerWithin: channel.Duration(10 * time.Second), Typing: true,
			MaxMedia: 512 * mib, MediaHosts: []string{"ton.twitter.com", "ton.x.com", "pbs.twimg.com", "video.twimg.com"},
			Profiles: &channel.Rate{Per: "channel", N: 75, Every: channel.Duration(15 * time.Minute), Burst: 75},
		},
		RuleSet: channel.RuleSet{Send: sending, Statuses: []event.DeliveryStatus{event.Read}, Starts: channel.Starts{May: true}},
		Addresses: []channel.AddressForm{
			{Kind: channel.AddressID, Pattern: `[0-9]{1,19}`, Example: "the number of an account (1790001112223334445), not its name"},
			{Kind: channel.AddressID, Pattern: `group:[0-9]{1,19}`, Known: true, Example: "a group conversation that the account is in (group:1729873623)"},
		},
	}
}

var settings = []channel.Field{
	{Key: "user_id", Label: "User id", Pattern: `^[0-9]{1,19}$`, Help: "Of the account: the number before the dash of its access token."},
	{Key: "app_id", Label: "App id", Pattern: `^[0-9]{1,19}$`, Optional: true, Help: "Developer console, the app's page."},
	{Key: "api_base_url", Label: "API base URL", Optional: true, Help: "For tests and sandboxes."},
	{Key: "consumer_key", Label: "API key", Secret: true, Help: "Developer console, Keys and tokens, Consumer keys."},
	{Key: "consumer_secret", Label: "API key secret", Secret: true, Help: "Shown with the key. It also signs webhooks."},
	{Key: "access_token", Label: "Access token", Secret: true, Help: "Of the account, with the permission to read, write and send direct messages."},
	{Key: "access_token_secret", Label: "Access token secret", Secret: true, Help: "Shown with the token."},
}

const maxText = 10_000

var sending = channel.SendRules{
	Types: []event.MessageType{event.Text, event.Image, event.Video, event.InteractType},
	Text:  channel.Limit{Max: maxText, Unit: channel.Runes}, Caption: channel.Limit{Max: maxText, Unit: channel.Runes},
	Media: map[event.MessageType]channel.MediaRule{
		event.Image: {MIME: []string{"image/jpeg", "image/png", "image/webp", "image/gif"}, MaxBytes: 15 * mib, Caption: true},
		event.Video: {MIME: []string{"video/mp4", "video/quicktime"}, MaxBytes: 512 * mib, Caption: true},
	},
	// X has nothing to choose from in its API: choices are a numbered list below the text.
	Interactive: map[string]channel.InteractiveRule{
		"buttons": {Needs: []string{"body", "buttons"}, Takes: []string{"header", "footer"}, Choices: []string{"reply", "url"},
			MaxItems: 20, MaxTitle: 100, MaxID: 256, MaxBody: 4000, MaxHeader: 200, MaxFooter: 200},
		"link": {Needs: []string{"body", "button", "url"}, Takes: []string{"header", "footer"}, MaxBody: 4000, MaxHeader: 200, MaxFooter: 200, MaxLabel: 100},
	},
	Together:    map[string][]string{"interactive": {"text"}},
	Actions:     map[event.ActionKind]channel.ActionRule{event.ActionUnsend: {Repeatable: true}},
	Attachments: 1, Whole: true,
	Concurrency: 4, Timeout: channel.Duration(30 * time.Second), Upload: channel.Duration(5 * time.Minute),
	Rates: []channel.Rate{{Per: "channel", N: 200, Every: channel.Duration(15 * time.Minute), Burst: 50}},
}
