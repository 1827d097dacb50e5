package telegram

import (
	"maps"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

const mib = 1 << 20

// What getFile serves: on Telegram's own server; what we fetch from a Bot API server of one's own that is not in local mode, which says
// itself what is too large; and in local mode, where it has no limit: the largest file of an account without Premium.
const (
	maxDownload = 20 * mib
	maxOwn      = 100 * mib
	maxLocal    = 2000 * mib
)

// Info describes the channel. Limits: Bot API 10.1 and its FAQ.
func (Adapter) Info() channel.Info {
	return channel.Info{
		Type: event.Telegram, Title: "Telegram", Docs: "https://core.telegram.org/bots/api",
		Settings: settings, Account: []string{"bot_username"},
		Inbound: channel.InboundRules{
			MaxBody: 1 * mib, Retries: true, Redact: []string{secretHeader},
			ReplyTo: true, Reactions: true, Edits: true, Deletes: true,
			MaxMedia: maxDownload, MediaHosts: []string{"api.telegram.org"},
		},
		Offline: true,
		RuleSet: rules,
		Variants: []channel.Variant{
			{When: onLocal, MaxMedia: maxLocal, RuleSet: localRules()},
			{When: map[string]string{"api_base_url": "*"}, MaxMedia: maxOwn, RuleSet: rules},
		},
		Addresses: []channel.AddressForm{
			{Kind: channel.AddressUsername, Known: true, Example: "a @username"},
			{Kind: channel.AddressID, Pattern: `([A-Za-z0-9_-]{1,64}:)?-?[0-9]{1,19}(/[0-9]{1,19})?`, Known: true, Example: "the id of a chat"},
		},
	}
}

// onLocal are the channels whose bot is at a Bot API server of one's own that was started with --local.
var onLocal = map[string]string{"server": "local"}

var settings = []channel.Field{
	{Key: "bot_username", Label: "Bot username", Pattern: `^@?[A-Za-z0-9_]{5,32}$`, Help: "As @BotFather shows it."},
	{Key: "server", Label: "Bot API server", OneOf: []string{"cloud", "local"}, Default: "cloud",
		Help: "cloud: Telegram's, or another with its limits; local: one of your own, started with --local, for larger files."},
	{Key: "api_base_url", Label: "API base URL", Optional: true, When: map[string]string{"server": "cloud"}, Help: "Of a Bot API server of your own, or for tests."},
	{Key: "api_base_url", Label: "API base URL", When: onLocal, Help: "Of the web server before your Bot API server, which also serves its files."},
	{Key: "bot_token", Label: "Bot token", Secret: true, Help: "From @BotFather: 123456:ABC…"},
	{Key: "webhook_secret", Label: "Webhook secret", Secret: true, Pattern: `^[A-Za-z0-9_-]{1,256}$`,
		Help: "A random text of yours; Telegram sends it back with every call."},
}

var rules = channel.RuleSet{Send: sending, Statuses: []event.DeliveryStatus{}}

// localRules are those of a server in local mode (https://core.telegram.org/bots/api#using-a-local-bot-api-server): it takes files up
// to 2000 MB, which it answers for once Telegram has them. Photos and stickers are what they are elsewhere.
func localRules() channel.RuleSet {
	r := rules
	r.Send.Media = maps.Clone(r.Send.Media)
	for _, kind := range []event.MessageType{event.Audio, event.Video, event.Document} {
		m := r.Send.Media[kind]
		m.MaxBytes = maxLocal
		r.Send.Media[kind] = m
	}
	r.Send.Upload = channel.Duration(4 * time.Minute)
	return r
}

var sending = channel.SendRules{
	Types: []event.MessageType{event.Text, event.Image, event.Audio, event.Video, event.Document, event.Sticker, event.LocationType,
		event.ContactsType, event.InteractType, event.ReactionType},
	Text: channel.Limit{Max: 4096, Unit: channel.Runes}, Split: 4, Caption: channel.Limit{Max: 1024, Unit: channel.Runes},
	Media: map[event.MessageType]channel.MediaRule{
		event.Image: {MIME: []string{"image/*"}, MaxBytes: 10 * mib, Caption: true},
		event.Audio: {MIME: []string{"audio/*"}, MaxBytes: 50 * mib, Caption: true,
			Voice: []string{"audio/ogg", "audio/mpeg", "audio/mp4"}},
		event.Video:    {MIME: []string{"video/*", "image/gif"}, MaxBytes: 50 * mib, Caption: true},
		event.Document: {MIME: []string{"*/*"}, MaxBytes: 50 * mib, Caption: true},
		event.Sticker:  {MIME: []string{"image/webp", "application/x-tgsticker", "video/webm"}, MaxBytes: 50 * mib},
	},
	Interactive: interactives,
	Contact:     &channel.ContactRule{Needs: []string{"name", "phones"}, MaxVCard: 2048, Each: true},
	Groups: &channel.GroupRule{ // ids of groups and channels are negative, names begin with @
		People: `^([^:]*:)?[0-9]+(/[0-9]+)?$`, Refuses: []string{"web_app", "contact_request", "location_request"},
	},
	Albums: map[event.MessageType]string{event.Image: "visual", event.Video: "visual", event.Audio: "audio", event.Document: "document"}, AlbumMax: 10,
	Together: map[string][]string{"reaction": {}, "interactive": {"attachments", "location", "contacts", "reply_to"}},
	ReplyTo:  true, Reactions: true, Signals: []string{"typing_on", "read", "ack"}, Actions: actions, Attachments: 10,
	Concurrency: 16, Timeout: channel.Duration(60 * time.Second),
	Rates: []channel.Rate{
		{Per: "channel", N: 30, Every: channel.Duration(time.Second), Burst: 30},
		{Per: "peer", N: 1, Every: channel.Duration(time.Second), Burst: 3},
	},
}

// interactives: Telegram has no header, footer or sections; they become lines of the text.
var interactives = map[string]channel.InteractiveRule{
	"buttons": {
		Needs: []string{"body", "buttons"}, Takes: []string{"header", "footer"}, Choices: []string{"reply", "url", "web_app"},
		MaxItems: 100, MaxID: maxData, IDUnit: channel.Bytes, MaxBody: 4096,
	},
	"list": {
		Needs: []string{"body", "sections"}, Takes: []string{"header", "footer", "button", "section_title", "description"},
		Choices: []string{"reply", "url", "web_app"}, MaxItems: 100, MaxID: maxData, IDUnit: channel.Bytes, MaxBody: 4096,
	},
	"link": {Needs: []string{"body", "button", "url"}, Takes: []string{"header", "footer"}, MaxBody: 4096},
	"reply_keyboard": { // without buttons it takes away the one that is there
		Needs: []string{"body"}, Takes: []string{"header", "footer", "buttons"},
		Choices: []string{"text", "contact_request", "location_request", "web_app"}, MaxItems: 100, MaxBody: 4096,
	},
	"location_request": {Needs: []string{"body", "button"}, Takes: []string{"header", "footer"}, MaxBody: 4096},
	"contact_request":  {Needs: []string{"body", "button"}, Takes: []string{"header", "footer"}, MaxBody: 4096},
	"force_reply":      {Needs: []string{"body"}, Takes: []string{"header", "footer", "button"}, MaxBody: 4096, MaxLabel: 64},
}
