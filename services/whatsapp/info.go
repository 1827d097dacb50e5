package whatsapp

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	day = channel.Duration(24 * time.Hour)
)

// Info describes the channel. Limits: Meta's reference as of mid-2026 (docs of the Cloud API, pages Messages and Media).
func (Adapter) Info() channel.Info {
	return channel.Info{
		Type: event.WhatsApp, Title: "WhatsApp", Docs: "https://developers.facebook.com/documentation/business-messaging/whatsapp",
		Settings: settings, Account: []string{"phone_number_id"},
		Inbound: channel.InboundRules{
			MaxBody: meta.MaxBody, Retries: true, AppLevel: true,
			Redact:  []string{meta.OlderSignatureHeader, meta.SignatureHeader, "X-360dialog-Signature", "D360-Api-Key"},
			ReplyTo: true, Reactions: true, Edits: true, Deletes: true,
			MediaFor: 7 * day, MaxMedia: 100 * mib,
			MediaHosts: []string{"graph.facebook.com", "lookaside.fbsbx.com", "waba-v2.360dialog.io"},
		},
		Offline: true,
		RuleSet: channel.RuleSet{
			Send:     sending,
			Window:   channel.Window{Opens: map[string]channel.Opening{channel.ByMessage: {For: day}, "call": {For: day}, channel.ByFreeEntry: {For: 3 * day}}, Outside: []string{"template"}},
			Statuses: []event.DeliveryStatus{event.Sent, event.Delivered, event.Read, event.Failed},
			Starts:   channel.Starts{May: true, With: "template"},
		},
		Addresses: []channel.AddressForm{
			{Kind: channel.AddressPhone, Country: "default_country", Example: "a phone number with its country code (+49 151 23456789)"},
			{Kind: channel.AddressID, Pattern: `[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}`, Example: "a user id (DE.1349120865530274)"},
			{Kind: channel.AddressUsername, Known: true, Example: "a @username"},
			{Kind: channel.AddressID, Pattern: `[A-Za-z0-9_-]{1,128}`, Known: true, Example: "the id of a group"},
		},
	}
}

var (
	onCloud  = map[string]string{"provider": "cloud"}
	onDialog = map[string]string{"provider": "360dialog"}
)

var settings = []channel.Field{
	{Key: "provider", Label: "Provider", OneOf: []string{"cloud", "360dialog"}, Default: "cloud"},
	{Key: "phone_number_id", Label: "Phone number id", Pattern: `^[0-9]+$`, Help: "The id of the number, not the number itself."},
	{Key: "waba_id", Label: "WhatsApp Business Account id", Pattern: `^[0-9]+$`, Optional: true,
		Help: "Needed for news about templates and the account, and to register the webhook."},
	{Key: "default_country", Label: "Country", Pattern: `^[A-Z]{2}$`, Optional: true,
		Help: "Two letters (ISO 3166-1): numbers that agents write without a country code are of this country."},
	{Key: "graph_version", Label: "Graph API version", Pattern: `^v[0-9]+\.[0-9]+$`, Optional: true, Default: meta.Version, When: onCloud},
	{Key: "rate_per_second", Label: "Messages per second", Kind: "number", Pattern: `^[1-9][0-9]{0,3}$`, Optional: true,
		Help: "The throughput of the number: 80 if empty, 20 if it is in use in the WhatsApp Business app too, up to 1000 once Meta has raised it."},
	{Key: "api_base_url", Label: "API base URL", Optional: true, Help: "Instead of the provider's host: sandboxes, tests."},
	{Key: "app_secret", Label: "App secret", Secret: true, When: onCloud, Help: "Signs webhooks. App dashboard, Settings, Basic."},
	{Key: "access_token", Label: "Access token", Secret: true, When: onCloud, Help: "Of a system user with whatsapp_business_messaging."},
	{Key: "verify_token", Label: "Verify token", Secret: true, Names: true, When: onCloud, Help: "A text of your choice, the same in the app dashboard."},
	{Key: "api_key", Label: "API key", Secret: true, When: onDialog, Help: "D360-API-KEY of the number."},
	{Key: "webhook_secret", Label: "Webhook secret", Secret: true, When: onDialog,
		Help: "Sent back to us as a header; or the platform secret of a partner account."},
}

var sending = channel.SendRules{
	Types: []event.MessageType{event.Text, event.Image, event.Audio, event.Video, event.Document, event.Sticker, event.LocationType,
		event.ContactsType, event.InteractType, event.TemplateType, event.ReactionType},
	Text: channel.Limit{Max: 4096, Unit: channel.Runes}, Split: 4, Caption: channel.Limit{Max: 1024, Unit: channel.Runes},
	Media: map[event.MessageType]channel.MediaRule{
		event.Image: {MIME: []string{"image/jpeg", "image/png"}, MaxBytes: 5 * mib, Caption: true},
		event.Audio: {MIME: []string{"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}, MaxBytes: 16 * mib,
			Voice: []string{"audio/ogg"}},
		event.Video:    {MIME: []string{"video/mp4", "video/3gpp"}, MaxBytes: 16 * mib, Caption: true},
		event.Document: {MIME: []string{"*/*"}, MaxBytes: 100 * mib, Caption: true},
		event.Sticker:  {MIME: []string{"image/webp"}, MaxBytes: 500 * kib},
	},
	Interactive: interactives,
	Template: &channel.TemplateRule{
		Name: `^[a-z0-9_]+$`, MaxName: 512, Language: `^[a-z]{2,3}(_[A-Z]{2,3})?$`, Components: components, MaxCards: 10,
	},
	Contact: &channel.ContactRule{Needs: []string{"name"}},
	Groups: &channel.GroupRule{
		People:  `^\+?[0-9]+$|^[A-Z]{2}\.`,
		Refuses: []string{"interactive", "location", "contacts", "reaction"},
	},
	Together: map[string][]string{
		"template": {"reply_to"}, "reaction": {}, "interactive": {"attachments", "location", "contacts", "reply_to"},
	},
	ReplyTo: true, Reactions: true, Signals: []string{"typing_on", "read"}, Attachments: 10,
	Concurrency: 16, Timeout: channel.Duration(30 * time.Second),
	Rates: []channel.Rate{
		{Per: "channel", N: 80, Every: channel.Duration(time.Second), Burst: 80, Setting: "rate_per_second"},
		{Per: "peer", N: 1, Every: channel.Duration(6 * time.Second), Burst: 45},
	},
}

var headerMedia = []event.MessageType{event.Image, event.Video, event.Document}

var interactives = map[string]channel.InteractiveRule{
	"buttons": {
		Needs: []string{"body", "buttons"}, Takes: []string{"header", "footer"}, Choices: []string{"reply"}, HeaderMedia: headerMedia,
		MaxItems: 3, MaxTitle: 20, MaxID: 256, MaxBody: 1024, MaxHeader: 60, MaxFooter: 60,
	},
	"list": {
		Needs: []string{"body", "button", "sections"}, Takes: []string{"header", "footer", "section_title", "description"}, Choices: []string{"reply"},
		MaxItems: 10, MaxSections: 10, MaxSectionTitle: 24, MaxTitle: 24, MaxID: 200, MaxDescription: 72,
		MaxBody: 1024, MaxHeader: 60, MaxFooter: 60, MaxLabel: 20,
	},
	"link": {
		Needs: []string{"body", "button", "url"}, Takes: []string{"header", "footer"}, HeaderMedia: headerMedia,
		MaxBody: 1024, MaxHeader: 60, MaxFooter: 60, MaxLabel: 20,
	},
	"location_request": {Needs: []string{"body"}, MaxBody: 1024},
	"flow": {
		Needs: []string{"body", "button", "flow"}, Takes: []string{"header", "footer"},
		MaxBody: 1024, MaxHeader: 60, MaxFooter: 60, MaxLabel: 20,
	},
}

// components are those of templates, each with the kinds of its parameters.
var components = map[string][]string{
	"header":             {"text", "image", "video", "document", "location"},
	"body":               {"text", "currency", "date_time"},
	"button:quick_reply": {"payload"},
	"button:url":         {"text"},
	"button:copy_code":   {"coupon_code"},
	"button:flow":        {"action"},
	"limited_time_offer": {"limited_time_offer"},
	"carousel":           {},
}
