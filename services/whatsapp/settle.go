package whatsapp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// product names the channel in messages to people.
const product = "WhatsApp"

// answer is what Meta and 360dialog say to a call: ids, or an error in one of two shapes.
type answer struct {
	ID       channel.Opaque `json:"id"` // of an upload
	Success  bool           `json:"success"`
	Contacts []struct {
		WaID   channel.Opaque `json:"wa_id"`
		UserID channel.Opaque `json:"user_id"`
	} `json:"contacts"`
	Messages []struct {
		ID channel.Opaque `json:"id"`
	} `json:"messages"`
	Error *meta.Problem `json:"error"`
	Meta  struct {
		Developer string `json:"developer_message"`
		Older     string `json:"developerMessage"`
	} `json:"meta"`
}

// Settle reads the answer to a send, an upload or a signal. 200 means accepted: what becomes of it comes as statuses.
func (Adapter) Settle(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	var a answer
	err := json.Unmarshal(resp.Body, &a)
	if resp.Status < 200 || resp.Status > 299 || a.Error != nil {
		return channel.Outcome{}, a.refusal(resp)
	}
	if err != nil && !channel.Malformed(err) {
		return channel.Outcome{}, meta.Unclear(product, resp.Status)
	}
	var at uploading
	switch uploaded := req.Tag == tagUpload && req.ReadState(&at); {
	case uploaded && a.ID != "":
		return uploadedTo(ch, msg, at.Part, append(at.IDs, string(a.ID)))
	case req.Tag == tagSignal && a.Success:
		return channel.Outcome{Status: event.Accepted}, nil
	case req.Tag == tagSend && len(a.Messages) > 0 && a.Messages[0].ID != "":
		return a.accepted(msg.Peer), nil
	}
	return channel.Outcome{}, meta.Unclear(product, resp.Status)
}

// uploadedTo continues a part whose file has arrived.
func uploadedTo(ch channel.Channel, msg event.Outbound, n int, ids []string) (channel.Outcome, error) {
	parts, err := plan(msg)
	if err != nil {
		return channel.Outcome{}, fmt.Errorf("part %d after an upload: %w", n, err)
	}
	if n < 0 || n >= len(parts) || len(ids) > len(parts[n].files) {
		return channel.Outcome{}, fault.New(fault.Internal, "upload_unexpected", "the message has no such upload")
	}
	return channel.Outcome{Next: []channel.Request{parts[n].request(ch, n, ids)}}, nil
}

// accepted takes the message's id, the number that Meta really uses where it is another than the one dialled, and the user id of
// whom it went to.
func (a answer) accepted(peer string) channel.Outcome {
	o := channel.Outcome{Status: event.Accepted}
	for _, m := range a.Messages {
		o.Refs = append(o.Refs, string(m.ID))
	}
	if len(a.Contacts) == 0 {
		return o
	}
	n, id, user := strings.TrimPrefix(peer, "+"), string(a.Contacts[0].WaID), string(a.Contacts[0].UserID)
	switch {
	case !digits(id) || id == n:
	case digits(n):
		o.Peer = id
	case scopedID(n):
		o.Aliases = append(o.Aliases, id)
	}
	if scopedID(user) && user != n && (digits(n) || scopedID(n)) {
		o.Aliases = append(o.Aliases, user)
	}
	return o
}

// pairWait is the documented rate between a number and one recipient: a message in 6 s.
const pairWait = 6 * time.Second

// refusal judges a failed call; without one of Meta's codes by what 360dialog says.
func (a answer) refusal(resp channel.Response) error {
	if a.Error == nil || a.Error.Code == "" {
		return meta.Bare(product, resp, cmp.Or(a.Meta.Developer, a.Meta.Older))
	}
	e := classes.Refusal(product, a.Error, resp)
	if e.Scope == fault.ScopePeer && e.After == 0 {
		e.After = pairWait
	}
	return e
}
