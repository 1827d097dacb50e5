package telegram

import "github.com/tributaryhq/tributary/pkg/channel"

// updates are the kinds of update that we have a use for. Some of them Telegram leaves out unless they are named.
var updates = []string{"message", "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message",
	"edited_business_message", "deleted_business_messages", "message_reaction", "callback_query", "my_chat_member", "chat_member"}

// SetupRequests registers our URL, the secret that calls come with, and the kinds of update. Sign puts the secret in place.
func (Adapter) SetupRequests(ch channel.Keyed, webhookURL string) ([]channel.Request, error) {
	m := method{name: "setWebhook"}
	m.set("url", webhookURL)
	m.set("secret_token", "{webhook_secret}")
	m.set("allowed_updates", updates)
	m.set("max_connections", 100)
	return []channel.Request{m.request(ch.Channel, tagSetup)}, nil
}
