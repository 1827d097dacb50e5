package channeltest_test

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// toy is a small channel that keeps every rule, unless fault names the one that it breaks.
type toy struct{ fault string }

var calls atomic.Int64

func (a toy) breaks(rule string) bool { return a.fault == rule }

func (a toy) Info() channel.Info {
	i := channel.Info{
		Type: event.WebChat, Title: "Toy", Docs: "https://toy.example/docs",
		Settings: []channel.Field{{Key: "account", Label: "Account"}, {Key: "key", Label: "Key", Secret: true}, {Key: "more", Label: "More", Optional: true}},
		Account:  []string{"account"},
		Inbound:  channel.InboundRules{MaxBody: 1 << 20, Reactions: true},
		RuleSet: channel.RuleSet{
			Send: channel.SendRules{Types: []event.MessageType{event.Text}, Text: channel.Limit{Max: 10, Unit: channel.Runes},
				Actions: map[event.ActionKind]channel.ActionRule{
					event.ActionHide: {Repeatable: true}, event.ActionUnhide: {Repeatable: true},
					event.ActionPrivateReply: {For: channel.Duration(7 * 24 * time.Hour)},
				},
				Concurrency: 1, Timeout: channel.Duration(time.Second)},
		},
		Addresses: []channel.AddressForm{{Kind: channel.AddressID, Pattern: "[a-z0-9]+", Example: "the id of a chat"}},
	}
	switch {
	case a.breaks("claims an action"):
		i.Send.Actions[event.ActionUnsend] = channel.ActionRule{}
	case a.breaks("claims too much"):
		i.Inbound.Edits = true
	case a.breaks("takes no address"):
		i.Addresses[0].Pattern = ""
	case a.breaks("claims too little"):
		i.Inbound.Reactions = false
	case a.breaks("wants another setting"):
		i.Settings[2].Optional = false
	case a.breaks("asks without a way"):
		i.Inbound.Profiles = &channel.Rate{Per: "channel", N: 1, Every: channel.Duration(time.Second)}
	case a.breaks("variant of no channel"):
		i.Variants = []channel.Variant{{When: map[string]string{"more": "never"}, RuleSet: i.RuleSet}}
	case a.breaks("variant without rules"):
		i.Variants = []channel.Variant{{When: map[string]string{"more": "*"}}}
	case a.breaks("rate without setting"):
		i.Send.Rates = []channel.Rate{{Per: "peer", N: 1, Every: channel.Duration(time.Second), Setting: "speed"}}
	case a.breaks("unknown items"):
		i.Settings[2].Kind, i.Settings[2].Item = "list", "colour"
	case a.breaks("stale README"):
		i.Send.Concurrency = 2
	}
	return i
}

func (a toy) Verify(ch channel.Keyed, in channel.Inbound) error {
	live, body := ch.Secrets["key"], in.Body
	switch {
	case a.breaks("accepts everything"):
		return nil
	case a.breaks("signs nothing"):
		body = []byte("constant")
	case a.breaks("knows one secret"):
		live = live[:1]
	case a.breaks("takes an empty secret") && live[0] == "":
		return nil
	}
	return channel.HMACSHA256Hex(body, in.Header.Get("X-Sign"), "", live)
}

type toyCall struct {
	ID    string        `json:"id"`
	Chat  string        `json:"chat"`
	Text  string        `json:"text"`
	At    channel.Stamp `json:"at"`
	Reply string        `json:"reply"`
	React *struct {
		To    string `json:"to"`
		Emoji string `json:"emoji"`
	} `json:"react"`
}

func (a toy) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	if z, err := gzip.NewReader(bytes.NewReader(in.Body)); err == nil && a.breaks("expands what is compressed") {
		in.Body, _ = io.ReadAll(z)
	}
	var c toyCall
	err := json.Unmarshal(in.Body, &c)
	if err != nil && a.breaks("panics") {
		panic(err)
	}
	if err != nil || c.Chat == "" || c.ID == "" {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "unreadable")
	}
	e := event.Inbound{Type: event.MessageReceived, Ref: c.Chat + ":" + c.ID, ExternalID: c.ID, Peer: c.Chat, ProviderAt: c.At.Time(),
		Content: &event.Content{Type: event.Text, Text: c.Text}}
	if c.React != nil {
		e.Type, e.Content, e.Target, e.Reaction = event.MessageReacted, nil, c.React.To, &event.Reaction{Target: c.React.To, Emoji: c.React.Emoji}
	}
	if c.Reply != "" && !a.breaks("gives no handle") {
		e.ReplyHandle = &event.ReplyHandle{Token: c.Reply, Until: event.At(in.At.Add(time.Minute)), Uses: 1}
	}
	switch {
	case a.breaks("gives an endless handle") && e.ReplyHandle != nil:
		e.ReplyHandle.Until = event.Time{}
	case a.breaks("repeats ids across chats"):
		e.Ref = c.ID
	case a.breaks("merges reactions") && c.React != nil:
		e.Ref = c.Chat + ":" + c.React.To
	case a.breaks("leaks a secret") && e.Content != nil:
		e.Content.Text += ch.Secrets.Current("key")
	case a.breaks("has a state") && e.Content != nil:
		e.Content.Text += strings.Repeat("!", int(calls.Add(1)))
	case a.breaks("changes its input"):
		in.Body[0] = ' '
	case a.breaks("says something else") && e.Content != nil:
		e.Content.Text = "other"
	case a.breaks("forgets the peer"):
		e.Peer = ""
	case a.breaks("repeats a ref"):
		return channel.Parsed{Events: []event.Inbound{e, e}}, nil
	}
	return channel.Parsed{Events: []event.Inbound{e}}, nil
}

func (a toy) Render(_ channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	if msg.ReplyHandle != "" {
		return []channel.Request{{Method: "POST", URL: "https://toy.example/{key}/reply/" + msg.ReplyHandle, Body: []byte(msg.Content.Text)}}, nil
	}
	if act := msg.Action; act != nil {
		url := "https://toy.example/{key}/" + string(act.Kind) + "/" + act.Target.Part(0)
		return []channel.Request{{Method: "POST", URL: url, Body: []byte(msg.Content.Text)}}, nil
	}
	req := channel.Request{Method: "POST", URL: "https://toy.example/{key}/send", Body: []byte(msg.Content.Text)}
	switch {
	case a.breaks("keeps notes in a tag"):
		req.Tag = "send 0"
	case a.breaks("keeps notes as text"):
		req.State = json.RawMessage("part 0")
	}
	return []channel.Request{req}, nil
}

func (a toy) Sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	if !a.breaks("leaves a place") {
		req.URL = strings.Replace(req.URL, "{key}", ch.Secrets.Current("key"), 1)
	}
	return req, nil
}

func (a toy) Settle(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	if resp.Status == 410 && strings.Contains(req.URL, "/reply/") {
		msg.ReplyHandle = ""
		next, err := a.Render(ch, msg)
		return channel.Outcome{Next: next}, err
	}
	switch {
	case resp.Status == 200 && string(resp.Body) == `{"success":false}` && a.breaks("takes a no for a yes"):
	case resp.Status >= 500 && a.breaks("repeats a 5xx"):
		return channel.Outcome{}, fault.New(fault.Unavailable, channel.CodeUnavailable, "later")
	case resp.Status >= 500, resp.Status < 300 && !strings.HasPrefix(string(resp.Body), "id=") && !a.breaks("believes any answer"):
		return channel.Outcome{}, fault.New(fault.Unknown, channel.CodeUnclear, "unclear")
	case resp.Status >= 300:
		return channel.Outcome{}, fault.New(fault.Invalid, channel.CodeContentRejected, "refused")
	}
	return channel.Outcome{Status: event.Sent, Refs: []string{strings.TrimPrefix(string(resp.Body), "id=")}}, nil
}

func toySign(ch channel.Keyed, in channel.Inbound) string {
	mac := hmac.New(sha256.New, []byte(ch.Secrets.Current("key")))
	if os.Getenv(faultEnv) == "signs nothing" {
		mac.Write([]byte("constant"))
	} else {
		mac.Write(in.Body)
	}
	return hex.EncodeToString(mac.Sum(nil))
}
