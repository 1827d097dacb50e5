package whatsapp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

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
	Error *struct {
		problem
		Subcode channel.Opaque `json:"error_subcode"`
		Trace   string         `json:"fbtrace_id"`
	} `json:"error"`
	Meta struct {
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
		return channel.Outcome{}, unclear(resp.Status)
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
	return channel.Outcome{}, unclear(resp.Status)
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

// refusal decides by the error's code, not by the HTTP status, which varies for one code. Only a code that means "later" makes
// a 5xx repeatable: anything else may have been done.
func (a answer) refusal(resp channel.Response) error {
	if a.Error == nil || a.Error.Code == "" {
		return a.bare(resp)
	}
	c := classify(string(a.Error.Code))
	if resp.Status >= 500 && c.kind != fault.Throttled {
		c = class{fault.Unknown, channel.CodeUnclear}
	}
	e := fault.New(c.kind, c.code, "WhatsApp: %s", cmp.Or(a.Error.Data.Details, a.Error.Message, a.Error.Title, "error "+string(a.Error.Code)))
	e.Provider = string(a.Error.Code)
	if c.kind == fault.Throttled {
		e.After, e.Scope = wait(string(a.Error.Code), resp.Header), scopes[string(a.Error.Code)]
	}
	return e
}

// bare judges an answer without an error code, as 360dialog and what stands between give them.
func (a answer) bare(resp channel.Response) error {
	c := class{fault.Invalid, channel.CodeContentRejected}
	switch {
	case resp.Status == 429:
		c = class{fault.Throttled, channel.CodeRateLimited}
	case resp.Status == 401:
		c = class{fault.Denied, channel.CodeCredentials}
	case resp.Status == 403:
		c = class{fault.Denied, channel.CodePermission}
	case resp.Status >= 500 || resp.Status < 400:
		return unclear(resp.Status)
	}
	e := fault.New(c.kind, c.code, "WhatsApp: %s", cmp.Or(a.Meta.Developer, a.Meta.Older, "status "+strconv.Itoa(resp.Status)))
	e.Provider = strconv.Itoa(resp.Status)
	if c.kind == fault.Throttled {
		e.After = wait("", resp.Header)
	}
	return e
}

func unclear(status int) error {
	e := fault.New(fault.Unknown, channel.CodeUnclear, "WhatsApp answered with status %d and nothing that tells what became of the call", status)
	e.Provider = strconv.Itoa(status)
	return e
}

// wait is how long Meta wants us to hold back: its headers, or the documented pair rate of one message in 6 s.
func wait(code string, h channel.Header) time.Duration {
	if n, err := strconv.Atoi(h.Get("Retry-After")); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	var usage map[string][]struct {
		Minutes int `json:"estimated_time_to_regain_access"`
	}
	longest := 0
	if json.Unmarshal([]byte(h.Get("X-Business-Use-Case-Usage")), &usage) == nil {
		for _, us := range usage {
			for _, u := range us {
				longest = max(longest, u.Minutes)
			}
		}
	}
	if longest == 0 && code == "131056" {
		return 6 * time.Second
	}
	return time.Duration(longest) * time.Minute
}
