package wechat

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

const mib = 1 << 20

// What opens the window beside a message: a tap on the account's menu or on a choice, following, scanning a QR code.
const (
	byMenu      = "menu"
	bySubscribe = "subscribe"
	byScan      = "scan"
)

// Info describes the channel. Limits: https://developers.weixin.qq.com/doc/service/en/guide/product/message/Service_Center_messages.html.
func (Adapter) Info() channel.Info {
	return channel.Info{
		Type: event.WeChat, Title: "WeChat", Docs: "https://developers.weixin.qq.com/doc/service/en/",
		Settings: settings, Account: []string{"original_id"},
		Inbound: channel.InboundRules{
			MaxBody: 1 * mib, AnswerWithin: channel.Duration(5 * time.Second), MediaFor: channel.Duration(3 * 24 * time.Hour), MaxMedia: 20 * mib,
			Profiles: &channel.Rate{Per: "channel", N: 20, Every: channel.Duration(time.Second), Burst: 20},
		},
		RuleSet: channel.RuleSet{
			Send: sending, Window: window, Statuses: []event.DeliveryStatus{event.Delivered, event.Failed}, Starts: channel.Starts{May: true, With: "template"},
		},
		Addresses: []channel.AddressForm{
			{Kind: channel.AddressID, Pattern: `[A-Za-z0-9_-]{20,40}`, Known: true, Example: "the openid of a follower (o6_bmjrPTlm6_2sgVt7hMZOPfL2M)"},
		},
	}
}

// window: each anchor allows a number of messages. A page of the menu opens nothing.
var window = channel.Window{
	Opens: map[string]channel.Opening{
		channel.ByMessage: {For: channel.Duration(48 * time.Hour), Count: 5},
		byMenu:            {For: channel.Duration(time.Minute), Count: 3},
		bySubscribe:       {For: channel.Duration(time.Minute), Count: 3},
		byScan:            {For: channel.Duration(time.Minute), Count: 3},
	},
	Outside: []string{"template"},
}

var settings = []channel.Field{
	{Key: "app_id", Label: "AppID", Pattern: `^wx[0-9a-f]{16}$`, Help: "WeChat Official Accounts Platform, Settings and development, Basic configuration."},
	{Key: "original_id", Label: "Original ID", Pattern: `^gh_[0-9a-zA-Z]{4,32}$`, Help: "Account settings, Account details: gh_… Pushes name it as their recipient."},
	{Key: "api_base_url", Label: "API base URL", Optional: true, Help: "For tests, sandboxes and WeChat's other regions (https://sh.api.weixin.qq.com)."},
	{Key: "app_secret", Label: "AppSecret", Secret: true, Help: "Basic configuration; shown once, when it is reset."},
	{Key: "token", Label: "Token", Secret: true, Pattern: `^[0-9A-Za-z]{3,32}$`, Help: "Server configuration: 3 to 32 letters and digits, the same here and there."},
	{Key: "encoding_aes_key", Label: "EncodingAESKey", Secret: true, Optional: true, Pattern: `^[0-9A-Za-z]{43}$`,
		Help: "Server configuration: 43 letters and digits. Choose the compatible mode there first, enter the key here, then choose the safe mode: with a key, pushes that are not encrypted are refused."},
}

var sending = channel.SendRules{
	Types: []event.MessageType{event.Text, event.Image, event.Audio, event.Video, event.InteractType, event.TemplateType},
	Text:  channel.Limit{Max: 2048, Unit: channel.Bytes}, Split: 5,
	Media: map[event.MessageType]channel.MediaRule{
		event.Image: {MIME: []string{"image/jpeg", "image/png", "image/gif"}, MaxBytes: 10 * mib},
		event.Audio: {MIME: []string{"audio/amr", "audio/mpeg"}, MaxBytes: 2 * mib},
		event.Video: {MIME: []string{"video/mp4"}, MaxBytes: 10 * mib},
	},
	Interactive: map[string]channel.InteractiveRule{
		"buttons": {Needs: []string{"body", "buttons"}, Takes: []string{"header", "footer"}, Choices: []string{"reply"},
			MaxItems: 10, MaxTitle: 64, MaxID: 64, MaxBody: 600, MaxHeader: 60, MaxFooter: 60},
		"link": {Needs: []string{"body", "button", "url"}, Takes: []string{"header"}, MaxBody: 120, MaxHeader: 64, MaxLabel: 64},
	},
	Template: &channel.TemplateRule{
		Name: `^[A-Za-z0-9_-]+$`, MaxName: 64, Language: `^[a-z]{2}(_[A-Z]{2})?$`,
		Components: map[string][]string{"body": {"text"}, "button:url": {"text"}},
	},
	Together: map[string][]string{"template": {}},
	Signals:  []string{"typing_on", "typing_off"}, Attachments: 5,
	Concurrency: 16, Timeout: channel.Duration(15 * time.Second),
	Rates: []channel.Rate{{Per: "channel", N: 5000, Every: channel.Duration(time.Minute), Burst: 200}},
}
