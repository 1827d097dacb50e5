package x

import "github.com/tributaryhq/tributary/pkg/channel"

// SetupRequests ask whose the credentials are. The webhook itself is made with the app's own token, once for all of its accounts: README.md
// says how.
func (Adapter) SetupRequests(ch channel.Keyed, _ string) ([]channel.Request, error) {
	return []channel.Request{{Method: "GET", URL: api(ch.Channel) + "/2/users/me", Tag: tagSetup}}, nil
}
