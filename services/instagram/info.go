package instagram

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

// The logins by which an account is connected.
const (
	byFacebook  = "facebook"
	byInstagram = "instagram"
)

// Info describes the channel. Limits: the reference of the Instagram Platform as of mid-2026.
func (Adapter) Info() channel.Info {
	return channel.Info{
		Type: event.Instagram, Title: "Instagram", Docs: "https://developers.facebook.com/docs/instagram-platform",
		Settings: settings, Account: []string{"account_id"},
		Inbound: channel.InboundRules{
			MaxBody: meta.MaxBody, Retries: true, AppLevel: true, AnswerWithin: channel.Duration(5 * time.Second),
			Redact:  []string{meta.OlderSignatureHeader, meta.SignatureHeader},
			ReplyTo: true, Reactions: true, Edits: true, Deletes: true, MaxMedia: 100 * mib,
			Profiles: &channel.Rate{Per: "channel", N: 10, Every: channel.Duration(time.Second), Burst: 10},
		},
		Offline: true,
		RuleSet: channel.RuleSet{
			Send: sending,
			Window: channel.Window{
				Opens:   map[string]channel.Opening{channel.ByMessage: {For: day}},
				Outside: []string{"message_tag:" + meta.HumanAgent},
			},
			Statuses: []event.DeliveryStatus{event.Read},
			Comments: &comments,
		},
		Addresses: []channel.AddressForm{
			{Kind: channel.AddressID, Pattern: `[0-9]{5,32}`, Known: true, Example: "the Instagram-scoped id of a person (1188223344556677)"},
		},
	}
}

var settings = []channel.Field{
	{Key: "account_id", Label: "Account id", Pattern: `^[0-9]{1,32}$`, Help: "Of the professional account, 17841…: the user_id that /me tells, not its id."},
	{Key: "login", Label: "Connected by the login of", OneOf: []string{byFacebook, byInstagram}, Default: byInstagram,
		Help: "Instagram: by the account itself. Facebook: through the Page that the account belongs to."},
	{Key: "page_id", Label: "Page id", Pattern: `^[0-9]{1,32}$`, When: map[string]string{"login": byFacebook}, Help: "Of the Facebook Page that the account belongs to."},
	{Key: "app_id", Label: "App id", Pattern: `^[0-9]{1,32}$`, Help: "Tells whether a conversation is this app's or another's."},
	{Key: "graph_version", Label: "Graph API version", Pattern: `^v[0-9]+\.[0-9]+$`, Optional: true, Default: meta.Version},
	{Key: "api_base_url", Label: "API base URL", Optional: true, Help: "Instead of the provider's host: sandboxes, tests."},
	{Key: "app_secret", Label: "App secret", Secret: true, Help: "Signs webhooks. Instagram: App dashboard, Instagram, API setup, Instagram app secret. Facebook: Settings, Basic."},
	{Key: "meta_app_secret", Label: "App secret of the Meta app", Secret: true, Optional: true, When: map[string]string{"login": byInstagram},
		Help: "App dashboard, Settings, Basic: some webhooks may be signed with it instead."},
	{Key: "access_token", Label: "Access token", Secret: true, Help: "Instagram: the account's long-lived token, which is renewed every day. Facebook: the Page's token."},
	{Key: "verify_token", Label: "Verify token", Secret: true, Names: true, Help: "A text of your choice, the same in the app dashboard."},
}

// maxText is how long one message may be, in bytes of UTF-8; maxComment how long a comment, in characters; maxAlbum how many pictures stand
// in one message.
const (
	maxText    = 1000
	maxComment = 2200
	maxAlbum   = 10
)

var sending = channel.SendRules{
	Types: []event.MessageType{event.Text, event.Image, event.Audio, event.Video, event.Document, event.Sticker, event.InteractType, event.ReactionType},
	Text:  channel.Limit{Max: maxText, Unit: channel.Bytes}, Split: 8,
	Media: map[event.MessageType]channel.MediaRule{
		event.Image:    {MIME: []string{"image/jpeg", "image/png"}, MaxBytes: 8 * mib},
		event.Audio:    {MIME: []string{"audio/aac", "audio/mp4", "audio/wav"}, MaxBytes: 25 * mib},
		event.Video:    {MIME: []string{"video/mp4", "video/ogg", "video/x-msvideo", "video/quicktime", "video/webm"}, MaxBytes: 25 * mib},
		event.Document: {MIME: []string{"application/pdf"}, MaxBytes: 25 * mib},
	},
	Albums: map[event.MessageType]string{event.Image: "pictures"}, AlbumMax: maxAlbum,
	Interactive: interactives, StickerPackages: true,
	Together: map[string][]string{"reaction": {}, "interactive": {"text", "attachments", "reply_to", "message_tag"}},
	ReplyTo:  true, Reactions: true, Signals: []string{"typing_on", "read"}, Attachments: 10,
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
	// Quick replies, which go away with the next message.
	"reply_keyboard": {
		Needs: []string{"body", "buttons"}, Takes: []string{"header", "footer"}, Choices: []string{"text", "reply"},
		MaxItems: meta.MaxQuick, MaxTitle: meta.MaxLabel, MaxID: meta.MaxPayload, MaxBody: maxText,
	},
}

// comments are the rules below a post, where an account may write at any time: texts.
var comments = channel.SendRules{
	Types: []event.MessageType{event.Text}, Text: channel.Limit{Max: maxComment, Unit: channel.Runes}, ReplyTo: true, Actions: actions,
}

// actions are what an account can do to comments below its posts.
var actions = map[event.ActionKind]channel.ActionRule{
	event.ActionHide:         {Repeatable: true},
	event.ActionUnhide:       {Repeatable: true},
	event.ActionPrivateReply: {For: 7 * day},
	event.ActionUnsend:       {},
}
