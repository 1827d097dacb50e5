package instagram

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// fields are what the channel reads of an account.
var fields = []string{
	"messages", "messaging_postbacks", "messaging_seen", "message_reactions", "messaging_referral", "message_edit", "messaging_handovers",
	"standby", "comments", "live_comments", "mentions",
}

// SetupRequests subscribe the app to the account, or to the Page that it belongs to: without that nothing comes, although the callback in the
// app's dashboard was checked. The callback itself is the app's, for all its accounts, and stays as it is there; so do the fields of the
// object instagram, where the account is connected through a Page.
func (Adapter) SetupRequests(ch channel.Keyed, _ string) ([]channel.Request, error) {
	of := fields
	if throughPage(ch.Channel) {
		of = meta.PageFields
	}
	return []channel.Request{channel.PostJSON(sender(ch.Channel)+"/subscribed_apps", meta.Subscription{Fields: of}, tagSetup)}, nil
}
