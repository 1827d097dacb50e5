package x

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// answer is what X says to a call.
type answer struct {
	Data struct {
		Event      channel.Opaque `json:"dm_event_id"`
		Media      channel.Opaque `json:"id"`
		Deleted    *bool          `json:"deleted"`
		Processing *struct {
			State string `json:"state"` // pending, in_progress, succeeded, failed
			After int64  `json:"check_after_secs"`
			Error struct {
				Name    string `json:"name"`
				Message string `json:"message"`
			} `json:"error"`
		} `json:"processing_info"`
	} `json:"data"`
	problem
}

// Settle reads the answer to a call. A message that X has made is sent: of what follows X tells at most that it was read.
func (Adapter) Settle(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	var a answer
	err := json.Unmarshal(resp.Body, &a)
	if resp.Status < 200 || resp.Status > 299 {
		return channel.Outcome{}, a.refusal(resp)
	}
	if req.Tag != tagAppend && err != nil && !channel.Malformed(err) {
		return channel.Outcome{}, unclear(resp.Status)
	}
	switch {
	case req.Tag == tagSend && a.Data.Event != "":
		return channel.Outcome{Status: event.Sent, Refs: []string{string(a.Data.Event)}}, nil
	case req.Tag == tagDelete && a.Data.Deleted != nil && *a.Data.Deleted:
		return channel.Outcome{Status: event.Sent}, nil
	case req.Tag == tagBegin || req.Tag == tagAppend || req.Tag == tagFinish || req.Tag == tagProgress:
		return a.uploaded(ch, msg, req, resp)
	}
	return channel.Outcome{}, unclear(resp.Status)
}

// uploaded goes on with the message's file, and after it with the message.
func (a answer) uploaded(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	if len(msg.Content.Attachments) == 0 {
		return channel.Outcome{}, fault.New(fault.Internal, "upload_unexpected", "the message has no file")
	}
	file, u := msg.Content.Attachments[0], uploading{Media: string(a.Data.Media)}
	if req.Tag != tagBegin && !req.ReadState(&u) || u.Media == "" {
		return channel.Outcome{}, unclear(resp.Status)
	}
	var next channel.Request
	switch p := a.Data.Processing; {
	case req.Tag == tagBegin:
		next = u.next(ch, file)
	case req.Tag == tagAppend:
		u.Sent, u.Piece = u.Sent+min(piece, file.Size-u.Sent), u.Piece+1
		next = u.next(ch, file)
	case p == nil || p.State == "succeeded":
		next = send(ch, msg, u.Media)
	case p.State == "pending" || p.State == "in_progress":
		next = u.waiting(ch, p.After)
	default:
		e := fault.New(fault.Invalid, channel.CodeMediaRejected, "X: %s", p.Error.Message)
		e.Provider = p.Error.Name
		return channel.Outcome{}, e
	}
	return channel.Outcome{Next: []channel.Request{next}}, nil
}
