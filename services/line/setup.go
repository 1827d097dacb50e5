package line

import "github.com/tributaryhq/tributary/pkg/channel"

// SetupRequests tell LINE our URL, and have it call that URL once. Whether webhooks are used at all, and whether LINE sends them
// again, is switched on in the LINE Developers Console only.
func (Adapter) SetupRequests(ch channel.Keyed, webhookURL string) ([]channel.Request, error) {
	body := raw(struct {
		Endpoint string `json:"endpoint"`
	}{webhookURL})
	return []channel.Request{
		request("PUT", apiHost(ch.Channel)+"/v2/bot/channel/webhook/endpoint", tagSetup, body),
		request("POST", apiHost(ch.Channel)+"/v2/bot/channel/webhook/test", tagSetup, body),
	}, nil
}
