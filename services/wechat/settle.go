package wechat

import (
	"encoding/json"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Settle reads the answer to a call. WeChat answers 200 whatever became of it: the errcode counts. A customer service message has no id
// and no receipt, so that it is sent, no more; a template message has both.
func (Adapter) Settle(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	if err := refusal(resp); err != nil {
		return channel.Outcome{}, err
	}
	var a struct {
		Code  *json.Number   `json:"errcode"`
		Media channel.Opaque `json:"media_id"`
		ID    channel.Opaque `json:"msgid"`
	}
	if err := json.Unmarshal(resp.Body, &a); err != nil {
		return channel.Outcome{}, unclear(resp.Status)
	}
	switch {
	case req.Tag == tagUpload && a.Media != "":
		return uploaded(ch, msg, req, string(a.Media))
	case req.Tag == tagTemplate && a.Code != nil && a.ID != "":
		return channel.Outcome{Status: event.Accepted, Refs: []string{string(a.ID)}}, nil
	case req.Tag == tagSend && a.Code != nil:
		return channel.Outcome{Status: event.Sent}, nil
	case req.Tag == tagSignal && a.Code != nil:
		return channel.Outcome{Status: event.Accepted}, nil
	}
	return channel.Outcome{}, unclear(resp.Status)
}

// uploaded goes on with the part whose file has arrived.
func uploaded(ch channel.Channel, msg event.Outbound, req channel.Request, id string) (channel.Outcome, error) {
	parts, err := plan(msg)
	if err != nil {
		return channel.Outcome{}, fmt.Errorf("after an upload: %w", err)
	}
	var at uploading
	if !req.ReadState(&at) || at.Part < 0 || at.Part >= len(parts) || parts[at.Part].file == nil {
		return channel.Outcome{}, fault.New(fault.Internal, "upload_unexpected", "the message has no such upload")
	}
	return channel.Outcome{Next: []channel.Request{parts[at.Part].request(ch, at.Part, id)}}, nil
}
