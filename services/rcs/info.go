package rcs

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

const mib = 1 << 20

// Info describes the channel; the rules are those of Google, whose variants are the other platforms. Limits:
// https://developers.google.com/business-communications/rcs-business-messaging/guides/build/messages/send and GSMA RCC.07, 3.6.10.
func (Adapter) Info() channel.Info { return info }

var info = channel.Info{
	Type: event.RCS, Title: "RCS", Docs: "https://developers.google.com/business-communications/rcs-business-messaging",
	Settings: settings, Account: []string{"agent_id", "chatbot_id"},
	Inbound: channel.InboundRules{MaxBody: 1 * mib, Redact: []string{googleSignature, "Signature"}, ReplyTo: true, Deletes: true, Typing: true, MaxMedia: 100 * mib},
	RuleSet: onGoogle,
	Variants: []channel.Variant{
		{When: map[string]string{"provider": byMaaP}, RuleSet: onMaaP},
		{When: map[string]string{"provider": byCMCC}, RuleSet: onCMCC},
		{When: map[string]string{"provider": byCTCU}, RuleSet: onCTCU},
		{When: map[string]string{"provider": byHuawei}, RuleSet: onHuawei},
	},
	Addresses: []channel.AddressForm{
		{Kind: channel.AddressPhone, Country: "default_country", Plus: true, Example: "a phone number with its country code (+14155550142)"},
		{Kind: channel.AddressID, Pattern: `[A-Za-z0-9_-]{6,128}`, Known: true, Example: "the id of somebody who hides their number (93JF93SEIJFE)"},
	},
}

// rulesOf is what a channel can send.
func rulesOf(ch channel.Channel) channel.Rules { return info.For(ch.Settings) }

// with is a field of the channels of one platform.
func with(provider string, f channel.Field) channel.Field {
	f.When = map[string]string{"provider": provider}
	return f
}

var (
	appID = channel.Field{Key: "app_id", Label: "App id", Pattern: `^[0-9A-Za-z._-]{1,128}$`, Help: "Of the chatbot, in the platform's console: the name under which calls are made."}

	chatbotURI = channel.Field{Key: "chatbot_id", Label: "Chatbot id", Pattern: `^sip:[0-9A-Za-z._%+-]+@[0-9A-Za-z.-]+$`, Help: "The chatbot's address: sip:…@botplatform.rcs.…"}

	serverRoot = channel.Field{Key: "api_base_url", Label: "API base URL", Pattern: `^https?://[^\s/?#]+(/[^\s?#]*)?$`,
		Help: "The platform's serverRoot, as the operator has given it."}

	toSMS = channel.Field{Key: "sms_fallback", Label: "Fall back to SMS", Kind: "bool", Optional: true,
		Help: "Phones without RCS get the text as an SMS, from the platform, at its price."}

	cspID = channel.Field{Key: "csp_id", Label: "CSP id", Pattern: `^[0-9A-Za-z._:@-]{1,64}$`, Optional: true, Help: "Named to the platform in the header User-Agent as SP/…, if it asks for it."}

	versioned = channel.Field{Key: "api_version", Label: "API version", Pattern: `^v[0-9]+$`, Optional: true, Default: "v1", Help: "The apiVersion of the platform's addresses."}
)

var settings = []channel.Field{
	{Key: "provider", Label: "Platform", OneOf: []string{byGoogle, byMaaP, byCMCC, byCTCU, byHuawei}, Default: byGoogle,
		Help: "google: RCS for Business; maap: a GSMA MaaP platform; cmcc: China Mobile; ctcu: China Telecom or China Unicom; huawei: Message over 5G."},

	with(byGoogle, channel.Field{Key: "agent_id", Label: "Agent id", Pattern: `^[0-9A-Za-z_-]{1,128}(@rbm\.goog)?$`, Help: "Developer console, the agent's page: …_agent, or …@rbm.goog."}),
	with(byGoogle, channel.Field{Key: "region", Label: "Region", OneOf: []string{"us", "europe", "asia"}, Optional: true, Default: "us", Help: "Of the agent: where its calls go."}),
	with(byGoogle, channel.Field{Key: "traffic_type", Label: "Kind of traffic", Optional: true,
		OneOf: []string{"AUTHENTICATION", "TRANSACTION", "PROMOTION", "SERVICEREQUEST", "ACKNOWLEDGEMENT"}, Help: "Of the messages, for agents with several use cases."}),
	with(byGoogle, channel.Field{Key: "ttl_seconds", Label: "Revoke after", Kind: "number", Pattern: `^[1-9][0-9]{1,5}$`, Optional: true,
		Help: "Seconds, 10 to 999999: Google takes a message back that has not arrived by then, and tells so. Empty: it tries for 30 days."}),
	with(byMaaP, channel.Field{Key: "chatbot_id", Label: "Bot id", Pattern: `^[^\s/?#]{1,256}$`, Help: "The bot's id on the platform."}),
	with(byCMCC, chatbotURI), with(byCTCU, chatbotURI), with(byHuawei, chatbotURI),
	with(byCMCC, appID), with(byCTCU, appID), with(byHuawei, appID),
	with(byCMCC, versioned), with(byCTCU, versioned),
	with(byCMCC, cspID), with(byHuawei, cspID),
	with(byCMCC, toSMS), with(byCTCU, toSMS), with(byHuawei, toSMS),
	with(byMaaP, channel.Field{Key: "verification", Label: "Proof of pushes", OneOf: []string{"secret", "none"}, Optional: true, Default: "secret",
		Help: "secret: the webhook secret in the URL (?secret=…) or as a bearer token. none: nothing, where the network lets nobody else in (mutual TLS, addresses)."}),
	with(byCMCC, channel.Field{Key: "verification", Label: "Proof of pushes", OneOf: []string{"signed", "none"}, Optional: true, Default: "signed",
		Help: "signed: pushes carry Authorization and Date as our calls do. none: the province signs nothing, and the network lets nobody else in."}),
	{Key: "capability_check", Label: "Ask what the phone can", Kind: "bool", Optional: true,
		Help: "On google and maap: before every message the platform is asked whether the phone has RCS and shows what the message has."},
	{Key: "rate_per_second", Label: "Messages per second", Kind: "number", Pattern: `^[1-9][0-9]{0,3}$`, Optional: true, Help: "As agreed with the platform; 50 if empty."},
	{Key: "default_country", Label: "Country", Pattern: `^[A-Z]{2}$`, Optional: true,
		Help: "Two letters (ISO 3166-1): numbers that agents write without a country code are of this country."},
	with(byGoogle, channel.Field{Key: "api_base_url", Label: "API base URL", Optional: true, Help: "For tests and sandboxes."}),
	with(byMaaP, serverRoot), with(byCMCC, serverRoot), with(byCTCU, serverRoot), with(byHuawei, serverRoot),

	with(byGoogle, channel.Field{Key: "client_token", Label: "Client token", Secret: true, Help: "Developer console, Integrations, Webhook: shown while the webhook is configured. It signs webhooks."}),
	with(byGoogle, channel.Field{Key: "service_account", Label: "Service account", Secret: true, Help: "The whole JSON file of the key (Developer console, Service account)."}),
	with(byMaaP, channel.Field{Key: "access_token", Label: "Access token", Secret: true, Help: "The bearer token of the bot."}),
	with(byMaaP, channel.Field{Key: "webhook_secret", Label: "Webhook secret", Secret: true, Optional: true, MinLength: 16,
		Help: "A text of your choice, which stands in the URL that the platform calls."}),
	with(byCMCC, channel.Field{Key: "password", Label: "Password", Secret: true, Help: "Of the app id."}),
	with(byCTCU, channel.Field{Key: "app_key", Label: "App key", Secret: true, Help: "With the app id it gets access tokens."}),
	with(byCTCU, channel.Field{Key: "token", Label: "Token", Secret: true, Help: "Of the notify URL: it signs pushes."}),
	with(byHuawei, channel.Field{Key: "app_secret", Label: "App secret", Secret: true, Help: "The password beside the app id, in our calls and in those of the platform."}),
}

// Limits that all platforms have from the GSMA's card model.
const (
	maxChips  = 11
	maxOnCard = 4
	maxCards  = 10
	maxLabel  = 25 // characters at Google, bytes elsewhere
	maxData   = 2048
	maxTitle  = 200
	maxWords  = 2000 // of a card
)

// choices are the kinds of suggestions.
var choices = []string{"reply", "url", "dial", "location", "location_request", "calendar"}

// interactives are the kinds of messages with suggestions; of media on cards a platform has those kinds.
func interactives(text int, labels channel.Unit, media ...event.MessageType) map[string]channel.InteractiveRule {
	return map[string]channel.InteractiveRule{
		// A card, on which its suggestions stay.
		"buttons": {
			Needs: []string{"body", "buttons"}, Takes: []string{"header"}, Choices: choices, HeaderMedia: media, Titled: true,
			MaxItems: maxOnCard, MaxTitle: maxLabel, TitleUnit: labels, MaxID: maxData, IDUnit: channel.Bytes, MaxBody: maxWords, MaxHeader: maxTitle,
		},
		"link": {Needs: []string{"body", "button", "url"}, Takes: []string{"header"}, MaxBody: maxWords, MaxHeader: maxTitle, MaxLabel: labelsOf(labels)},
		// Cards side by side.
		"carousel": {
			Needs: []string{"sections"}, Takes: []string{"section_title", "section_description"}, Choices: choices, HeaderMedia: media, Cards: true,
			MinSections: 2, MaxSections: maxCards, MaxRows: maxOnCard, MaxItems: maxCards * maxOnCard, MaxSectionTitle: maxTitle, MaxSectionText: maxWords,
			MaxTitle: maxLabel, TitleUnit: labels, MaxID: maxData, IDUnit: channel.Bytes,
		},
		// Chips below a text, which go away with the next message.
		"reply_keyboard": {
			Needs: []string{"body", "buttons"}, Takes: []string{"header", "footer"}, Choices: choices,
			MaxItems: maxChips, MaxTitle: maxLabel, TitleUnit: labels, MaxID: maxData, IDUnit: channel.Bytes, MaxBody: text - 2*maxTitle, MaxHeader: maxTitle - 1, MaxFooter: maxTitle - 1,
		},
		"location_request": {Needs: []string{"body", "button"}, MaxBody: text, MaxLabel: labelsOf(labels)},
	}
}

// labelsOf is how many characters of any script fit into a label.
func labelsOf(unit channel.Unit) int {
	if unit == channel.Bytes {
		return maxLabel / 3 // Chinese takes three bytes a character
	}
	return maxLabel
}

// revocable: a message that has not arrived can be taken back.
var revocable = map[event.ActionKind]channel.ActionRule{event.ActionUnsend: {Repeatable: true}}

// sends is what all platforms have in common.
func sends(types []event.MessageType, text int, s channel.SendRules) channel.SendRules {
	s.Types = append([]event.MessageType{event.Text, event.LocationType, event.InteractType}, types...)
	s.Text, s.Split = channel.Limit{Max: text, Unit: channel.Runes}, 3
	s.Actions = revocable
	s.Concurrency, s.Timeout, s.Upload = 16, channel.Duration(20*time.Second), channel.Duration(2*time.Minute)
	s.Rates = []channel.Rate{{Per: "channel", N: 50, Every: channel.Duration(time.Second), Burst: 50, Setting: "rate_per_second"}}
	return s
}

var (
	allFiles = []event.MessageType{event.Image, event.Audio, event.Video, event.Document}
	noPDF    = []event.MessageType{event.Image, event.Audio, event.Video}

	// What Google takes: reference/rest/v1/files/create.
	googleFiles = map[event.MessageType]channel.MediaRule{
		event.Image: {MIME: []string{"image/jpeg", "image/png", "image/gif"}, MaxBytes: 100 * mib},
		event.Audio: {MIME: []string{"audio/aac", "audio/mp3", "audio/mpeg", "audio/mp4", "audio/3gpp", "audio/ogg"}, MaxBytes: 100 * mib},
		event.Video: {MIME: []string{"video/h263", "video/m4v", "video/x-m4v", "video/mp4", "video/mpeg", "video/webm"}, MaxBytes: 100 * mib},

		event.Document: {MIME: []string{"application/pdf"}, MaxBytes: 100 * mib},
	}
	// What China Telecom and China Unicom take; China Mobile's phones are the same.
	chineseFiles = map[event.MessageType]channel.MediaRule{
		event.Image: {MIME: []string{"image/jpeg", "image/png", "image/gif"}, MaxBytes: 2 * mib},
		event.Audio: {MIME: []string{"audio/amr", "audio/mp3", "audio/mpeg", "audio/aac", "audio/mp4"}, MaxBytes: 5 * mib},
		event.Video: {MIME: []string{"video/mp4", "video/3gpp"}, MaxBytes: 10 * mib},
	}
)

var (
	onGoogle = channel.RuleSet{
		Send: sends(allFiles, 3072, channel.SendRules{
			Media: googleFiles, Attachments: 10, Interactive: interactives(3072, channel.Runes, event.Image, event.Video),
			Signals: []string{"typing_on", "read"}, Idempotent: true,
		}),
		Statuses: []event.DeliveryStatus{event.Delivered, event.Read, event.Failed}, Starts: channel.Starts{May: true},
	}
	onMaaP = channel.RuleSet{
		Send: sends(allFiles, 3072, channel.SendRules{
			Media: googleFiles, Attachments: 10, Interactive: interactives(3072, channel.Runes, event.Image, event.Video),
			Signals: []string{"typing_on", "typing_off", "read"},
		}),
		Statuses: told, Starts: channel.Starts{May: true},
	}
	onCMCC = channel.RuleSet{
		Send: sends(noPDF, 2000, channel.SendRules{
			Media: chineseFiles, Attachments: 10, Interactive: interactives(2000, channel.Bytes, event.Image, event.Video), ReplyTo: true, Idempotent: true,
		}),
		Statuses: told, Starts: channel.Starts{May: true},
	}
	onCTCU = channel.RuleSet{
		Send: sends(noPDF, 2000, channel.SendRules{
			Media: chineseFiles, Attachments: 10, Interactive: interactives(2000, channel.Bytes, event.Image, event.Video), ReplyTo: true,
		}),
		Statuses: told, Starts: channel.Starts{May: true},
	}
	onHuawei = channel.RuleSet{
		Send:     sends(nil, 2000, channel.SendRules{Interactive: interactives(2000, channel.Bytes), ReplyTo: true}),
		Statuses: told, Starts: channel.Starts{May: true},
	}
	told = []event.DeliveryStatus{event.Sent, event.Delivered, event.Read, event.Failed}
)
