package webchat

import (
	"encoding/json"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Settle reads what the mailbox says. Its place in the mailbox is acceptance: from then on the message waits for the visitor.
func (Adapter) Settle(_ channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	switch {
	case resp.Status == 404:
		e := fault.New(fault.Gone, channel.CodeRecipientUnknown, "there is no such visitor, or they have not come for more than a year")
		e.Provider = "404"
		return channel.Outcome{}, e
	case resp.Status == 410 && req.Tag == tagAction:
		e := fault.New(fault.Gone, "target_missing", "the mailbox does not have the message any more: frames are kept for 90 days")
		e.Provider = "410"
		return channel.Outcome{}, e
	case resp.Status == 200 && req.Tag == tagSignal:
		return channel.Outcome{Status: event.Accepted}, nil
	}
	var a struct {
		Seq int64 `json:"seq"`
	}
	if err := json.Unmarshal(resp.Body, &a); err != nil || resp.Status != 200 || a.Seq < 1 {
		e := fault.New(fault.Unknown, channel.CodeUnclear, "the mailbox answered with status %d and no place", resp.Status)
		e.Provider = strconv.Itoa(resp.Status)
		return channel.Outcome{}, e
	}
	if req.Tag == tagAction {
		return channel.Outcome{Status: event.Sent}, nil
	}
	return channel.Outcome{Status: event.Sent, Refs: []string{external(msg)}}, nil
}
