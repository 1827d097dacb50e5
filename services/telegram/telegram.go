// Package telegram translates between Telegram bots and the gateway (https://core.telegram.org/bots/api, version 10.1). It
// covers private chats, groups, channels, and business accounts that connected the bot.
package telegram

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Adapter is the Telegram channel.
type Adapter struct{}

var _ interface {
	channel.Adapter
	channel.MediaFetcher
	channel.Setup
} = Adapter{}

// secretHeader carries the secret_token of setWebhook with every call. The body is not signed.
const secretHeader = "X-Telegram-Bot-Api-Secret-Token"

// Verify compares the secret that we gave to setWebhook.
func (Adapter) Verify(ch channel.Keyed, in channel.Inbound) error {
	return channel.SameSecret(in.Header.Get(secretHeader), ch.Secrets["webhook_secret"])
}

// Sign puts the bot's token into the URL, and into a setup call the secret that later calls come with.
func (Adapter) Sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	req.URL = strings.Replace(req.URL, tokenPlace, url.PathEscape(ch.Secrets.Current("bot_token")), 1)
	if req.Tag == tagSetup {
		secret, err := json.Marshal(ch.Secrets.Current("webhook_secret"))
		if err != nil {
			return req, err
		}
		req.Body = bytes.Replace(req.Body, []byte(`"{webhook_secret}"`), secret, 1)
	}
	return req, nil
}

const tokenPlace = "{bot_token}"

const telegramHost = "https://api.telegram.org"

// host is where the Bot API is, without a slash at the end: Telegram's, or a Bot API server of one's own.
func host(ch channel.Channel) string {
	return cmp.Or(strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/"), telegramHost)
}
