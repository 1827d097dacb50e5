package facebook

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// SetupRequests subscribe the app to the Page: without that nothing comes, although the callback in the app's dashboard was checked. The
// callback itself is the app's, for all its Pages, and stays as it is there. Meta ends a subscription after an hour of failures.
func (Adapter) SetupRequests(ch channel.Keyed, _ string) ([]channel.Request, error) {
	return []channel.Request{channel.PostJSON(page(ch.Channel)+"/subscribed_apps", meta.Subscription{Fields: meta.PageFields}, tagSetup)}, nil
}
