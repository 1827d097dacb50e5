// Package facebook translates between Facebook Pages and the gateway: Messenger
// (https://developers.facebook.com/documentation/business-messaging/messenger-platform) and the comments under a Page's posts
// (https://developers.facebook.com/docs/graph-api/reference/comment). People are known by ids that are scoped to the Page.
package facebook

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// Adapter is the Facebook channel.
type Adapter struct{}

var _ interface {
	channel.Adapter
	channel.AppLevel
	channel.Profiler
	channel.Setup
	channel.Expirer
} = Adapter{}

// Verify checks Meta's HMAC with the app secret. A GET carries nothing to verify but the token that Parse compares.
func (Adapter) Verify(ch channel.Keyed, in channel.Inbound) error { return meta.Verify(ch, in) }

// Sign adds the Page's token.
func (Adapter) Sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	return meta.Authorize(req, ch.Secrets.Current("page_access_token")), nil
}

// Named lists the Pages that a batch names. A subscription check names a channel by its verify token alone.
func (Adapter) Named(in channel.Inbound) []channel.Lookup { return meta.Named(in, "page_id") }

// page is the base of calls that concern the Page.
func page(ch channel.Channel) string { return meta.Node(ch, ch.Settings.Text("page_id")) }
