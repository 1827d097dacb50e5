package instagram

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

// answer is what Meta says to a call: ids, a success, or an error, also with the status 200.
type answer struct {
	Recipient channel.Opaque `json:"recipient_id"`
	Message   channel.Opaque `json:"message_id"`
	ID        channel.Opaque `json:"id"` // of a comment
	Success   bool           `json:"success"`
	Error     *meta.Problem  `json:"error"`
}

// Settle reads the answer to a call. A message or a comment is there once it was taken: nothing but that it was seen is told later.
func (Adapter) Settle(_ channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	var a answer
	err := json.Unmarshal(resp.Body, &a)
	if resp.Status < 200 || resp.Status > 299 || a.Error != nil {
		return channel.Outcome{}, a.refusal(resp)
	}
	if err == nil || channel.Malformed(err) {
		if o, ok := a.outcome(msg, req.Tag); ok {
			return o, nil
		}
	}
	return channel.Outcome{}, meta.Unclear(product, resp.Status)
}

// outcome is what a success means for the call; false if it is none.
func (a answer) outcome(msg event.Outbound, tag string) (channel.Outcome, bool) {
	sent := channel.Outcome{Status: event.Sent}
	other := string(a.Recipient)
	if other == msg.Peer {
		other = ""
	}
	switch tag {
	case tagSend:
		sent.Refs, sent.Peer = []string{string(a.Message)}, other
		return sent, a.Message != ""
	case tagPrivate: // who commented can have another id among messages, which nothing else tells
		if sent.Refs = []string{string(a.Message)}; other != "" {
			sent.Aliases = []string{other}
		}
		return sent, a.Message != ""
	case tagComment:
		sent.Refs = []string{string(a.ID)}
		return sent, a.ID != ""
	case tagChange:
		return sent, a.Success
	case tagReact, tagSignal:
		return channel.Outcome{Status: event.Accepted}, a.Recipient != "" || a.Success
	}
	return channel.Outcome{}, false
}
