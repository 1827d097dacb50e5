package whatsapp

import (
	"net/url"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// SetupRequests registers our URL: on 360dialog with the header that proves its calls; on the Cloud API as this account's own
// callback beside the app's [override_callback_uri, from memory]. Sign puts the secrets in place.
func (Adapter) SetupRequests(ch channel.Keyed, webhookURL string) ([]channel.Request, error) {
	if dialog(ch.Channel) {
		return []channel.Request{channel.PostJSON(base(ch.Channel)+"/v1/configs/webhook", struct {
			URL     string            `json:"url"`
			Headers map[string]string `json:"headers"`
		}{webhookURL, map[string]string{"Authorization": "Bearer {webhook_secret}"}}, tagSetup)}, nil
	}
	account := ch.Settings.Text("waba_id")
	if account == "" {
		return nil, fault.At("/settings/waba_id", "setting_missing", "registering the webhook needs the id of the WhatsApp Business Account")
	}
	return []channel.Request{channel.PostJSON(base(ch.Channel)+"/"+url.PathEscape(account)+"/subscribed_apps", struct {
		URL   string `json:"override_callback_uri"`
		Token string `json:"verify_token"`
	}{webhookURL, "{verify_token}"}, tagSetup)}, nil
}
