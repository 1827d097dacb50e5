package line

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// loadingSeconds is how long the animation stays, unless a message comes before.
const loadingSeconds = 20

// signal renders what is no message. Typing is shown in a talk with one user only; reading is told where LINE gave a token for it.
// Anywhere else there is nothing to call.
func signal(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	var req channel.Request
	switch {
	case msg.Signal == "typing_on" && strings.HasPrefix(msg.Peer, "U"):
		req = request("POST", apiHost(ch)+"/v2/bot/chat/loading/start", tagSignal, raw(struct {
			Chat    string `json:"chatId"`
			Seconds int    `json:"loadingSeconds"`
		}{msg.Peer, loadingSeconds}))
	case msg.Signal == "read" && msg.ReadToken != "":
		req = request("POST", apiHost(ch)+"/v2/bot/chat/markAsRead", tagSignal, raw(struct {
			Token string `json:"markAsReadToken"`
		}{msg.ReadToken}))
	default:
		return nil, nil
	}
	req.Safe = true
	return []channel.Request{req}, nil
}
