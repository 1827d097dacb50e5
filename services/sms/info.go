package sms

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

const (
	mib    = 1 << 20
	maxMMS = 5 * mib // of all files of a message together (https://www.twilio.com/docs/messaging/guides/accepted-mime-types)
)

// Info describes the channel. The rules of the type are Twilio's.
func (Adapter) Info() channel.Info {
	return channel.Info{
		Type: event.SMS, Title: "SMS", Docs: "https://www.twilio.com/docs/messaging",
		Settings: settings, Account: []string{"messaging_service_sid"},
		Inbound: channel.InboundRules{
			MaxBody: 1 * mib, Redact: []string{twilioSignature}, AnswerWithin: channel.Duration(15 * time.Second), InParts: true,
			MaxMedia: 16 * mib, MediaHosts: []string{"api.twilio.com", "*.infobip.com"},
		},
		Offline: true,
		RuleSet: channel.RuleSet{
			Send: with(pictures), Starts: channel.Starts{May: true},
			Statuses: []event.DeliveryStatus{event.Sent, event.Delivered, event.Read, event.Failed},
		},
		Addresses: []channel.AddressForm{
			{Kind: channel.AddressPhone, Country: "default_country", Plus: true, Example: "a phone number with its country code (+49 151 23456789)"},
			{Kind: channel.AddressID, Pattern: `[0-9]{3,8}`, Known: true, Example: "a short code"},
			{Kind: channel.AddressID, Pattern: `[a-z]{2,20}:\S{1,100}`, Known: true, Example: "an address of another kind at Twilio (whatsapp:+4915123456789)"},
		},
		Variants: []channel.Variant{
			{When: onVonage, RuleSet: channel.RuleSet{Send: with(nil), Starts: channel.Starts{May: true}, Statuses: reported}},
			{When: onInfobip, RuleSet: channel.RuleSet{Send: with(pictures), Starts: channel.Starts{May: true}, Statuses: reported}},
		},
	}
}

var reported = []event.DeliveryStatus{event.Sent, event.Delivered, event.Failed}

var (
	onTwilio  = map[string]string{"provider": "twilio"}
	onVonage  = map[string]string{"provider": "vonage"}
	onInfobip = map[string]string{"provider": "infobip"}
)

const (
	senderPattern = `^(\+?[0-9]{3,15}|[A-Za-z0-9 ]{1,11})$`
	senderHelp    = "The number with its country code, a short code, or up to 11 letters and digits, which nobody can answer."
)

var settings = []channel.Field{
	{Key: "provider", Label: "Provider", OneOf: []string{"twilio", "vonage", "infobip"}, Default: "twilio"},
	{Key: "account_sid", Label: "Account SID", Pattern: `^AC[0-9a-f]{32}$`, When: onTwilio, Help: "Twilio console, Account Info."},
	{Key: "messaging_service_sid", Label: "Messaging service SID", Pattern: `^MG[0-9a-f]{32}$`, Optional: true, When: onTwilio,
		Help: "Sends from the numbers of a service. It, or the sender, or both."},
	{Key: "sender", Label: "Sender", Pattern: senderPattern, Optional: true, When: onTwilio, Help: senderHelp},
	{Key: "sender", Label: "Sender", Pattern: senderPattern, When: onVonage, Help: senderHelp},
	{Key: "sender", Label: "Sender", Pattern: senderPattern, When: onInfobip, Help: senderHelp},
	{Key: "api", Label: "API", OneOf: []string{"sms", "messages"}, Default: "sms", When: onVonage, Help: "Which of Vonage's APIs the account uses for SMS."},
	{Key: "application_id", Label: "Application id", Pattern: `^[0-9a-f-]{36}$`, Optional: true, When: onVonage, Help: "Of the Messages API, with the private key."},
	{Key: "username", Label: "User name", Optional: true, When: onInfobip, Help: "With a password, instead of an API key."},
	{Key: "default_country", Label: "Country", Pattern: `^[A-Z]{2}$`, Optional: true,
		Help: "Two letters (ISO 3166-1): numbers that agents write without a country code are of this country."},
	{Key: "rate_per_second", Label: "Messages per second", Kind: "number", Pattern: `^[1-9][0-9]{0,3}$`, Optional: true,
		Help: "What the provider has agreed to; 1 if empty, as for a long number in North America."},
	{Key: "api_base_url", Label: "API base URL", Optional: true, When: onTwilio, Help: "Instead of the provider's host: a region, a sandbox, tests."},
	{Key: "api_base_url", Label: "API base URL", Optional: true, When: onVonage, Help: "Instead of the provider's host: a region, a sandbox, tests."},
	{Key: "api_base_url", Label: "API base URL", When: onInfobip, Help: "Of the account, https://xxxxx.api.infobip.com: Infobip portal, home page."},
	{Key: "auth_token", Label: "Auth token", Secret: true, When: onTwilio, Help: "The primary one, which signs webhooks. Twilio console, Account Info."},
	{Key: "api_key", Label: "API key", Secret: true, When: onVonage, Help: "Vonage dashboard, API settings."},
	{Key: "api_secret", Label: "API secret", Secret: true, When: onVonage, Help: "Shown beside the key."},
	{Key: "signature_secret", Label: "Signature secret", Secret: true, When: onVonage, Help: "Signs webhooks: it has to be switched on in the API settings."},
	{Key: "private_key", Label: "Private key", Secret: true, Optional: true, When: onVonage, Help: "Of the application, in PEM; without one the account's key and secret are used."},
	{Key: "api_key", Label: "API key", Secret: true, Optional: true, When: onInfobip, Help: "Infobip portal, Developer tools, API keys."},
	{Key: "password", Label: "Password", Secret: true, Optional: true, When: onInfobip, Help: "Of the user, instead of an API key."},
	{Key: "webhook_secret", Label: "Webhook secret", Secret: true, MinLength: 16, When: onInfobip,
		Help: "A text of your choice that Infobip sends back in the header Authorization: nothing else proves its calls."},
}

// maxSegments is how many parts a text may need: providers take about 1,600 characters.
const maxSegments = 10

var pictures = map[event.MessageType]channel.MediaRule{
	event.Image:    {MIME: []string{"image/jpeg", "image/png", "image/gif"}, MaxBytes: maxMMS, Caption: true},
	event.Audio:    {MIME: []string{"audio/mpeg", "audio/mp4", "audio/ogg", "audio/amr", "audio/3gpp"}, MaxBytes: maxMMS, Caption: true},
	event.Video:    {MIME: []string{"video/mp4", "video/3gpp", "video/quicktime"}, MaxBytes: maxMMS, Caption: true},
	event.Document: {MIME: []string{"application/pdf", "text/vcard", "text/csv", "text/calendar"}, MaxBytes: maxMMS, Caption: true},
}

// with are the rules of a provider that takes such files, or none.
func with(files map[event.MessageType]channel.MediaRule) channel.SendRules {
	text := channel.Limit{Max: maxSegments, Unit: channel.Segments}
	r := channel.SendRules{
		Types: []event.MessageType{event.Text}, Text: text, Concurrency: 4, Timeout: channel.Duration(30 * time.Second),
		Rates: []channel.Rate{{Per: "channel", N: 1, Every: channel.Duration(time.Second), Burst: 10, Setting: "rate_per_second"}},
	}
	if files != nil {
		r.Types = append(r.Types, event.Image, event.Audio, event.Video, event.Document)
		r.Caption, r.Media, r.Attachments, r.Whole = channel.Limit{Max: 1600, Unit: channel.Runes}, files, maxFiles, true
	}
	return r
}
