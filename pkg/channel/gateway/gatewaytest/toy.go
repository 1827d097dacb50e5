// Package gatewaytest has what the tests of the gateway share: a channel type of their own, a provider that does as it is told,
// and faults.
package gatewaytest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Toy is an adapter with a wire format of its own. Its webhooks are {"events": [event.Inbound …], "pieces": {"<ref>": event.Piece}}, signed with HMAC; its messages
// go to {api_base_url}/send, a text with lines of "--" in several parts; the first one to {api_base_url}/reply, if there is a reply handle.
// Its actions go to {api_base_url}/act: the text is what they say, and the provider's answer to what is done already is 208.
type Toy struct {
	Kind event.ChannelType
	Edit func(*channel.Info) // changes what Info says
}

// The values of [Channel].
const (
	Secret   = "s3cret-of-the-webhook"
	APIToken = "t0ken-of-the-api"
	Verify   = "v3rify-me"
)

// Channel is a configured toy channel.
func Channel(t event.ChannelType, id, tenant, apiBaseURL string) channel.Keyed {
	return channel.Keyed{
		Channel: channel.Channel{ID: id, Tenant: tenant, Type: t, Name: id, Enabled: true, Version: 1,
			Settings: channel.Settings{"account": "acct_" + id, "api_base_url": apiBaseURL}},
		Secrets: channel.Secrets{"secret": {Secret + id}, "api_token": {APIToken + id}, "verify_token": {Verify + id}},
	}
}

// Info implements channel.Adapter.
func (t Toy) Info() channel.Info {
	i := channel.Info{
		Type: t.Kind, Title: "Toy", Account: []string{"account"},
		Settings: []channel.Field{{Key: "account"}, {Key: "secret", Secret: true}, {Key: "api_token", Secret: true}, {Key: "verify_token", Secret: true, Names: true}},
		Inbound:  channel.InboundRules{MaxBody: 1 << 20, Retries: true, AppLevel: true, MaxMedia: 1 << 20, Redact: []string{"X-Toy-Pass"}},
		RuleSet: channel.RuleSet{Send: channel.SendRules{
			Types: []event.MessageType{event.Text, event.Image}, Text: channel.Limit{Max: 1000, Unit: channel.Runes}, Attachments: 3,
			Media:   map[event.MessageType]channel.MediaRule{event.Image: {MIME: []string{"image/png"}, MaxBytes: 1000}},
			Signals: []string{"typing_on"}, Actions: toyActions, Concurrency: 4, Timeout: channel.Duration(5 * time.Second),
		}},
		Addresses: []channel.AddressForm{{Kind: channel.AddressID, Pattern: ".+", Example: "any id"}},
	}
	if t.Edit != nil {
		t.Edit(&i)
	}
	return i
}

// toyActions: everything but a private reply has the same effect twice as once.
var toyActions = map[event.ActionKind]channel.ActionRule{
	event.ActionEdit: {Types: []event.MessageType{event.Text}, Repeatable: true}, event.ActionUnsend: {For: channel.Duration(time.Hour), Repeatable: true},
	event.ActionHide: {Repeatable: true}, event.ActionUnhide: {Repeatable: true}, event.ActionPrivateReply: {},
}

// Sign returns the header that proves a webhook of ch.
func Sign(ch channel.Keyed, body []byte) string {
	mac := hmac.New(sha256.New, []byte(ch.Secrets.Current("secret")))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Verify implements channel.Adapter.
func (t Toy) Verify(ch channel.Keyed, in channel.Inbound) error {
	if in.Pulled {
		return nil
	}
	if in.Method == "GET" {
		return channel.SameSecret(in.Query.Get("hub.verify_token"), ch.Secrets["verify_token"])
	}
	if strings.Contains(string(in.Body), "panic in verify") {
		panic("verify")
	}
	return channel.HMACSHA256Hex(in.Body, in.Header.Get("X-Toy-Signature"), "", ch.Secrets["secret"])
}

// call is the wire format of a webhook.
type call struct {
	Account []string                `json:"account"`
	Events  []event.Inbound         `json:"events"`
	Reply   string                  `json:"reply"`
	Pieces  map[string]*event.Piece `json:"pieces"` // by the ref of the message that is a part
}

// Named implements channel.AppLevel.
func (t Toy) Named(in channel.Inbound) (out []channel.Lookup) {
	if in.Method == "GET" {
		return []channel.Lookup{{Setting: "verify_token", Value: in.Query.Get("hub.verify_token")}}
	}
	var c call
	_ = json.Unmarshal(in.Body, &c)
	for _, account := range c.Account {
		out = append(out, channel.Lookup{Setting: "account", Value: account})
	}
	return out
}

// Parse implements channel.Adapter.
func (t Toy) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	if in.Method == "GET" {
		return channel.Parsed{Handshake: true, Reply: channel.Reply{Body: []byte(in.Query.Get("hub.challenge"))}}, nil
	}
	if strings.Contains(string(in.Body), "panic in parse") {
		panic("parse")
	}
	var c call
	if err := json.Unmarshal(in.Body, &c); err != nil {
		return channel.Parsed{}, fmt.Errorf("toy: %w", err)
	}
	p := channel.Parsed{Reply: channel.Reply{Body: []byte(c.Reply)}}
	for _, e := range c.Events {
		if e.ChannelID == "" || e.ChannelID == ch.ID { // an app-level call says whom an event is for
			inline(e)
			e.Piece = c.Pieces[e.Ref]
			p.Events = append(p.Events, e)
		} else {
			p.Ignore(channel.OtherAccount, "")
		}
	}
	if len(p.Events) == 0 && c.Reply == "" {
		p.Ignore("nothing", "")
	}
	return p, nil
}

// inline takes files out of the call that begin with "inline:".
func inline(e event.Inbound) {
	if e.Content == nil {
		return
	}
	for i, a := range e.Content.Attachments {
		if text, ok := strings.CutPrefix(a.URL, "inline:"); ok {
			e.Content.Attachments[i].Bytes = []byte(text)
		}
	}
}

// Sending is the body of a call to the toy's provider.
type Sending struct {
	ID   string `json:"id"` // attempt and part
	To   string `json:"to"`
	Text string `json:"text"`
	With string `json:"with,omitempty"` // the reply handle

	Act    event.ActionKind `json:"act,omitempty"` // it is an action on the message Target
	Target string           `json:"target,omitempty"`
}

const (
	tagReply = "reply"
	tagAct   = "act"
)

// Render implements channel.Adapter.
func (t Toy) Render(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	if msg.Content.Text == "unrenderable" {
		return nil, fault.At("/text", "unrenderable", "the toy does not like it")
	}
	var out []channel.Request
	base := ch.Settings.Text("api_base_url")
	if msg.Signal != "" {
		return []channel.Request{{Method: "POST", URL: base + "/signal", Body: []byte(msg.Signal), Safe: true}}, nil
	}
	for n, text := range strings.Split(msg.Content.Text, "\n--\n") {
		s, path, tag := Sending{ID: msg.AttemptID + "/" + strconv.Itoa(n), To: msg.Peer, Text: text}, "/send", ""
		if a := msg.Action; a != nil {
			s.Act, s.Target, path, tag = a.Kind, a.Target.Part(n), "/act", tagAct
		}
		if n == 0 && msg.ReplyHandle != "" {
			s.With, path, tag = msg.ReplyHandle, "/reply", tagReply
		}
		b, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		out = append(out, channel.Request{
			Method: "POST", URL: base + path, Header: channel.Header{"Content-Type": {"application/json"}}, Body: b, Tag: tag,
		})
	}
	for _, a := range msg.Content.Attachments {
		out = append(out, channel.Request{Method: "POST", URL: base + "/upload", Tag: "upload", Safe: true,
			Form: []channel.Part{{Name: "id", Value: msg.AttemptID}, {Name: "file", Blob: a.Blob, File: a.Name, MIME: a.MIME}}})
	}
	return out, nil
}

// Sign implements channel.Adapter.
func (t Toy) Sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	h := req.Header.Clone()
	if h == nil {
		h = channel.Header{}
	}
	h.Set("Authorization", "Bearer "+ch.Secrets.Current("api_token")+ch.Token)
	req.Header = h
	return req, nil
}

// Settle implements channel.Adapter. 503 is the toy provider's documented way to say that it did nothing; 410 that a reply handle is stale,
// and that it did nothing: then the message is sent without (docs/models/outbound.pml, STALE).
func (t Toy) Settle(ch channel.Channel, msg event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	if resp.Status == 410 && req.Tag == tagReply {
		msg.ReplyHandle = ""
		parts, err := t.Render(ch, msg)
		if err != nil {
			return channel.Outcome{}, err
		}
		return channel.Outcome{Next: parts[:1]}, nil
	}
	switch resp.Status {
	case 208: // it is done already
		return channel.Outcome{Status: event.Accepted}, nil
	case 200:
		if req.Tag == tagAct && msg.Action.Kind != event.ActionPrivateReply {
			return channel.Outcome{Status: event.Accepted}, nil
		}
		return channel.Outcome{Refs: []string{string(resp.Body)}, Status: event.Accepted}, nil
	case 429:
		s, _ := strconv.ParseFloat(resp.Header.Get("Retry-After"), 64)
		scope := fault.Scope(resp.Header.Get("X-Scope"))
		return channel.Outcome{}, &fault.Error{
			Kind: fault.Throttled, Code: channel.CodeRateLimited, After: time.Duration(s * float64(time.Second)), Scope: scope,
		}
	case 503:
		return channel.Outcome{}, fault.New(fault.Unavailable, channel.CodeUnavailable, "not now")
	case 401:
		return channel.Outcome{}, fault.New(fault.Denied, channel.CodeCredentials, "who are you")
	case 400:
		return channel.Outcome{}, &fault.Error{Kind: fault.Invalid, Code: channel.CodeContentRejected, Provider: "400"}
	}
	return channel.Outcome{}, fault.New(fault.Unknown, channel.CodeUnclear, "status %d", resp.Status)
}
