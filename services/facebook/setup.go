package facebook

import (
	"github.com/tributaryhq/tributary/pkg/channel"
)

// fields are what the channel reads of a Page.
var fields = []string{
	"messages", "messaging_postbacks", "message_deliveries", "message_reads", "message_echoes", "message_reactions", "message_edits",
	"messaging_referrals", "messaging_optins", "messaging_account_linking", "messaging_policy_enforcement", "messaging_handovers", "standby",
	"feed",
}

// SetupRequests subscribe the app to the Page: without that nothing comes, although the callback in the app's dashboard was checked. The
// callback itself is the app's, for all its Pages, and stays as it is there. Meta ends a subscription after an hour of failures.
func (Adapter) SetupRequests(ch channel.Keyed, _ string) ([]channel.Request, error) {
	return []channel.Request{channel.PostJSON(page(ch.Channel)+"/subscribed_apps", struct {
		Fields []string `json:"subscribed_fields"`
	}{fields}, tagSetup)}, nil
}
