package facebook

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// answer is what Meta says to a call: ids, a success, or an error, also with the status 200.
type answer struct {
	Recipient  channel.Opaque  `json:"recipient_id"`
	Message    channel.Opaque  `json:"message_id"`
	Attachment channel.Opaque  `json:"attachment_id"`
	ID         channel.Opaque  `json:"id"` // of a comment
	Success    bool            `json:"success"`
	Data       json.RawMessage `json:"data"` // who has a conversation now
	Error      *meta.Problem   `json:"error"`
}

// askAgain is how long an answer waits before it asks once more for a conversation that another app has.
const askAgain = time.Minute

// Settle reads the answer to a call. A message that was taken is accepted: what becomes of it comes as echoes and receipts. A comment is
// there once it was taken.
func (Adapter) Settle(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	var a answer
	err := json.Unmarshal(resp.Body, &a)
	if resp.Status < 200 || resp.Status > 299 || a.Error != nil {
		e := a.refusal(resp)
		if next, ok := control(ch, msg, req, e); ok {
			return channel.Outcome{Next: []channel.Request{next}}, nil
		}
		return channel.Outcome{}, e
	}
	if err == nil || channel.Malformed(err) {
		if o, ok, err := a.outcome(ch, msg, req); ok || err != nil {
			return o, err
		}
	}
	return channel.Outcome{}, meta.Unclear(product, resp.Status)
}

// outcome is what a success means for the call; false if it is none.
func (a answer) outcome(ch channel.Channel, msg event.Outbound, req channel.Request) (o channel.Outcome, ok bool, err error) {
	switch req.Tag {
	case tagUpload:
		if a.Attachment == "" {
			return o, false, nil
		}
		o.Next, err = next(ch, msg, req, func(at *progress) { at.File = string(a.Attachment) })
		return o, err == nil, err
	case tagSend:
		o = channel.Outcome{Status: event.Accepted, Refs: []string{string(a.Message)}}
		if id := string(a.Recipient); id != msg.Peer {
			o.Peer = id
		}
		return o, a.Message != "", nil
	case tagPrivate: // who commented has another id among messages, which nothing else tells
		o = channel.Outcome{Status: event.Accepted, Refs: []string{string(a.Message)}}
		if id := string(a.Recipient); id != "" && id != msg.Peer {
			o.Aliases = []string{id}
		}
		return o, a.Message != "", nil
	case tagComment:
		return channel.Outcome{Status: event.Sent, Refs: []string{string(a.ID)}}, a.ID != "", nil
	case tagChange:
		return channel.Outcome{Status: event.Sent}, a.Success, nil
	case tagReact, tagSignal:
		return channel.Outcome{Status: event.Accepted}, a.Recipient != "" || a.Success, nil
	case tagTake:
		if !a.Success && len(a.Data) == 0 {
			return o, false, nil
		}
		o.Next, err = next(ch, msg, req, func(at *progress) { at.Taken = true })
		return o, err == nil, err
	case tagRequest:
		if !a.Success && len(a.Data) == 0 {
			return o, false, nil
		}
		e := fault.New(fault.Unavailable, elsewhere, "another app has the conversation, and was asked for it")
		e.After = askAgain
		return o, false, e
	}
	return o, false, nil
}

// next goes on with the part that a call prepared.
func next(ch channel.Channel, msg event.Outbound, req channel.Request, note func(*progress)) ([]channel.Request, error) {
	var at progress
	if !req.ReadState(&at) {
		return nil, fault.New(fault.Internal, "state_missing", "the call has no state")
	}
	parts, err := plan(msg)
	if err != nil {
		return nil, fmt.Errorf("part %d: %w", at.Part, err)
	}
	if at.Part < 0 || at.Part >= len(parts) {
		return nil, fault.New(fault.Internal, "state_unexpected", "the message has no part %d", at.Part)
	}
	note(&at)
	return []channel.Request{parts[at.Part].request(ch, msg, at)}, nil
}

// control is the call that takes, or asks for, a conversation which another app has, as the channel's setting wants; false if there is
// nothing to be done about a refusal.
func control(ch channel.Channel, msg event.Outbound, req channel.Request, e *fault.Error) (channel.Request, bool) {
	var at progress
	if e.Code != elsewhere || req.Tag != tagSend && req.Tag != tagReact || !req.ReadState(&at) || at.Taken {
		return channel.Request{}, false
	}
	edge, tag := "", ""
	switch ch.Settings.Text("thread_control") {
	case "take":
		edge, tag = "/take_thread_control", tagTake
	case "request":
		edge, tag = "/request_thread_control", tagRequest
	default:
		return channel.Request{}, false
	}
	ask := channel.PostJSON(page(ch)+edge, struct {
		Recipient recipient `json:"recipient"`
	}{recipientOf(msg.Peer)}, tag)
	ask.State, ask.Safe = req.State, true
	return ask, true
}
