// Package line translates between LINE Official Accounts and the gateway: the Messaging API
// (https://developers.line.biz/en/reference/messaging-api/). It covers talks with one user, groups and multi-person chats.
package line

import (
	"bytes"
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Adapter is the LINE channel.
type Adapter struct{}

var _ interface {
	channel.Adapter
	channel.MediaFetcher
	channel.Profiler
	channel.Setup
	channel.Expirer
} = Adapter{}

// signatureHeader carries the base64 HMAC-SHA256 of the body under the channel secret.
const signatureHeader = "X-Line-Signature"

// Verify checks the signature over the raw body. Proxies change the case of the header's name, which http.Header ignores.
func (Adapter) Verify(ch channel.Keyed, in channel.Inbound) error {
	return channel.HMACSHA256Base64(in.Body, in.Header.Get(signatureHeader), ch.Secrets["channel_secret"])
}

// Sign adds the channel access token.
func (Adapter) Sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	req.Header = req.Header.Clone()
	if req.Header == nil {
		req.Header = channel.Header{}
	}
	token := ch.Secrets.Current("channel_access_token")
	if req.Tag == tagExpiry { // it is what the call is about, and not who makes it
		token = url.QueryEscape(token)
		req.URL, req.Body = strings.Replace(req.URL, tokenPlace, token, 1), bytes.Replace(req.Body, []byte(tokenPlace), []byte(token), 1)
		return req, nil
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return req, nil
}

// apiHost serves everything but files.
func apiHost(ch channel.Channel) string { return host(ch, "https://api.line.me") }

// dataHost serves the files of messages.
func dataHost(ch channel.Channel) string { return host(ch, "https://api-data.line.me") }

func host(ch channel.Channel, public string) string {
	return cmp.Or(strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/"), public)
}
