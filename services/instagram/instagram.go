// Package instagram translates between professional accounts of Instagram and the gateway: direct messages
// (https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api) and the comments below an
// account's posts, ads and broadcasts. An account is connected by the login of Instagram, or by that of Facebook through its Page.
package instagram

import (
	"net/url"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// Adapter is the Instagram channel.
type Adapter struct{}

var _ interface {
	channel.Adapter
	channel.AppLevel
	channel.Profiler
	channel.Renewer
	channel.Setup
} = Adapter{}

// Verify checks Meta's HMAC with the app secret. With the login of Instagram an app has two, and Meta's documentation does not say for every
// webhook which of them signs: either proves it. A GET carries nothing to verify but the token that Parse compares.
func (Adapter) Verify(ch channel.Keyed, in channel.Inbound) error {
	return meta.Verify(ch, in, "meta_app_secret")
}

// Sign adds the token: the one that was renewed last, or else the channel's own.
func (Adapter) Sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	return meta.Authorize(req, meta.First(ch.Token, ch.Secrets.Current("access_token"))), nil
}

// Named lists the accounts that a batch names. A subscription check names a channel by its verify token alone.
func (Adapter) Named(in channel.Inbound) []channel.Lookup { return meta.Named(in, "account_id") }

// throughPage reports whether the account is connected by the login of Facebook.
func throughPage(ch channel.Channel) bool { return ch.Settings.Text("login") == byFacebook }

// usual is where the API of a login is.
func usual(ch channel.Channel) string {
	if throughPage(ch) {
		return "https://graph.facebook.com"
	}
	return "https://graph.instagram.com"
}

// node is the base of calls that concern an object.
func node(ch channel.Channel, id string) string {
	return meta.BaseAt(ch, usual(ch)) + "/" + url.PathEscape(id)
}

// sender is the base of calls that send: the account, or the Page that it belongs to.
func sender(ch channel.Channel) string {
	if throughPage(ch) {
		return node(ch, ch.Settings.Text("page_id"))
	}
	return account(ch)
}

// account is the base of calls that concern the account itself.
func account(ch channel.Channel) string { return node(ch, ch.Settings.Text("account_id")) }
