package telegram

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// answer is what every call of the Bot API gives.
type answer struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int            `json:"retry_after"` // seconds
		MigrateTo  channel.Opaque `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// Settle reads the answer to a call. Telegram reports nothing later: what it took is sent.
func (Adapter) Settle(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	var a answer
	if err := json.Unmarshal(resp.Body, &a); err != nil && !channel.Malformed(err) || resp.Status >= 500 {
		return channel.Outcome{}, bare(resp)
	}
	switch {
	case acted(req, a):
		return channel.Outcome{Status: event.Sent}, nil
	case a.OK && resp.Status == 200 && req.Tag == tagSignal:
		return channel.Outcome{Status: event.Accepted}, nil
	case a.OK && resp.Status == 200:
		return sent(msg.Peer, req, a.Result)
	case a.Code >= 500:
		return channel.Outcome{}, unclear(a.Code)
	case a.Code == 0:
		return channel.Outcome{}, bare(resp)
	}
	if next, ok := again(ch, msg, req, a); ok {
		return next, nil
	}
	return channel.Outcome{}, a.refusal(resp)
}

// sent takes the numbers of the messages that came of a call: one, or those of an album. A scheduled one has none yet.
func sent(peer string, req channel.Request, result json.RawMessage) (channel.Outcome, error) {
	o := channel.Outcome{Status: event.Sent}
	if strings.HasSuffix(req.URL, "/"+reactionMethod) && string(result) == "true" {
		return o, nil
	}
	type message struct {
		ID   channel.Opaque `json:"message_id"`
		Chat chat           `json:"chat"`
	}
	ms := make([]message, 1)
	into := any(&ms[0])
	if len(result) > 0 && result[0] == '[' {
		into = &ms
	}
	if err := json.Unmarshal(result, into); err != nil {
		return channel.Outcome{}, unclear(200)
	}
	to := split(peer)
	for _, m := range ms {
		if m.ID == "" {
			return channel.Outcome{}, unclear(200)
		}
		if m.Chat.ID == "" {
			m.Chat.ID = channel.Opaque(to.chat)
		}
		if m.ID != "0" {
			o.Refs = append(o.Refs, chatOf(channel.Opaque(to.business), m.Chat.ID)+":"+string(m.ID))
		}
	}
	return o, nil
}

// again makes the call once more where Telegram says that nothing was sent and what would help.
func again(ch channel.Channel, msg event.Outbound, req channel.Request, a answer) (channel.Outcome, bool) {
	var o channel.Outcome
	var s partState
	if req.Tag != tagPart || !req.ReadState(&s) {
		return o, false
	}
	switch to := a.Parameters.MigrateTo; {
	case a.Code != 400 || s.Moved:
		return o, false
	case integer(string(to)):
		o.Peer = chatOf(channel.Opaque(split(msg.Peer).business), to)
		msg.Peer = o.Peer
		s.Moved = true
	case a.says("message to be replied not found", "replied message not found") && !s.Unquoted:
		s.Unquoted = true
	default:
		return o, false
	}
	msg.Content.ReplyTo = nil // its number means another message there, or none
	parts, err := plan(msg)
	if err != nil || s.Part < 0 || s.Part >= len(parts) {
		return o, false
	}
	o.Next = []channel.Request{parts[s.Part].part(ch, s)}
	return o, true
}

func (a answer) says(words ...string) bool {
	d := strings.ToLower(a.Description)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(d, w) })
}

// bare judges an answer that is none of the Bot API's: what stands between gave it.
func bare(resp channel.Response) error {
	switch {
	case resp.Status >= 500 || resp.Status < 400:
		return unclear(resp.Status)
	}
	return answer{Code: resp.Status, Description: "status " + strconv.Itoa(resp.Status)}.refusal(resp)
}

func unclear(status int) error {
	e := fault.New(fault.Unknown, channel.CodeUnclear, "Telegram answered with status %d and nothing that tells what became of the call", status)
	e.Provider = strconv.Itoa(status)
	return e
}

func (a answer) refusal(resp channel.Response) error {
	c := a.class()
	e := fault.New(c.kind, c.code, "Telegram: %s", a.Description)
	e.Provider = strconv.Itoa(a.Code)
	if c.kind == fault.Throttled {
		seconds := a.Parameters.RetryAfter
		if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
			seconds = max(seconds, n)
		}
		e.After = time.Duration(seconds) * time.Second
	}
	return e
}
