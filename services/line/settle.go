package line

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// acceptedBefore names the call that was accepted with the same retry key.
const acceptedBefore = "X-Line-Accepted-Request-Id"

// Settle reads the answer to a call. LINE reports nothing later, and takes messages to people who blocked the account as well:
// what it took is accepted, no more.
func (Adapter) Settle(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	switch refs := sentIDs(resp.Body); {
	case resp.Status == 409 && req.Key != "" && resp.Header.Get(acceptedBefore) != "":
		return channel.Outcome{Status: event.Accepted, Refs: refs}, nil // an earlier try was accepted
	case resp.Status/100 == 2 && (len(refs) > 0 || req.Tag == tagSignal):
		return channel.Outcome{Status: event.Accepted, Refs: refs}, nil
	case req.Tag == tagReply && resp.Status == 400 && answerOf(resp).says("invalid reply token"): // used, or too old: nothing was sent
		msg.ReplyHandle = ""
		parts, err := Adapter{}.Render(ch, msg)
		if err != nil {
			return channel.Outcome{}, err
		}
		return channel.Outcome{Next: parts[:1]}, nil
	}
	return channel.Outcome{}, refusal(resp)
}

// sentIDs are the ids of the messages that a call made.
func sentIDs(body []byte) (ids []string) {
	var a struct {
		Sent []channel.Item[struct {
			ID channel.Opaque `json:"id"`
		}] `json:"sentMessages"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return nil
	}
	for _, m := range a.Sent {
		if m.V.ID != "" {
			ids = append(ids, string(m.V.ID))
		}
	}
	return ids
}
