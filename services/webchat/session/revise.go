package session

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// revision is a frame that changes a message of ours: t is edit or delete.
type revision struct {
	T           string          `json:"t"`
	ID          string          `json:"id"`
	Text        string          `json:"text"`
	Interactive json.RawMessage `json:"interactive"`
}

// revise changes a message of ours in the mailbox, and puts a frame there for browsers that have the message already. The same action
// does so once: a repeat finds its frame, and undoes nothing that came after.
func (s *server) revise(ctx context.Context, ch channel.Keyed, who *visitor, action string, body []byte) (channel.Response, error) {
	var in revision
	if err := json.Unmarshal(body, &in); err != nil {
		return channel.Response{}, fault.New(fault.Invalid, "bad_json", "a frame is a JSON object {t, …}")
	}
	l, err := s.find(ctx, who.Mailbox, ofAction(action))
	if err != nil {
		return channel.Response{}, away(err)
	}
	if l == nil {
		found, err := s.rewrite(ctx, who.Mailbox, ofMessage(in.ID), in.apply)
		switch {
		case err != nil:
			return channel.Response{}, &fault.Error{Kind: fault.Unknown, Code: channel.CodeUnclear, Err: err}
		case !found && in.T == "edit":
			return channel.Response{Status: http.StatusGone}, nil
		}
		placed, _, err := s.put(ctx, ch.Tenant, ofAction(action), letter{Mailbox: who.Mailbox, Action: action, Body: string(body)}, 0)
		if err != nil {
			return channel.Response{}, &fault.Error{Kind: fault.Unknown, Code: channel.CodeUnclear, Err: err}
		}
		l = &placed
	}
	s.wake(ctx, who.Mailbox, nil)
	return channel.Response{Status: http.StatusOK, Body: encode(object{"seq": l.Seq})}, nil
}

// apply returns the frame of a message after the revision: with another text and other buttons, or without all that it said.
func (in revision) apply(body string) string {
	var f map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &f) != nil {
		return body // our own frames are objects
	}
	if in.T == "delete" {
		left := map[string]json.RawMessage{"deleted": json.RawMessage("true")}
		for _, key := range []string{"t", "id", "author", "name", "ts"} {
			if v, ok := f[key]; ok {
				left[key] = v
			}
		}
		return string(encode(left))
	}
	delete(f, "interactive")
	if len(in.Interactive) > 0 {
		f["interactive"] = in.Interactive
	}
	f["text"], f["edited"] = encode(in.Text), json.RawMessage("true")
	return string(encode(f))
}

// ofAction is the key of what is done to a message of ours.
func ofAction(id string) string { return "action:" + id }
