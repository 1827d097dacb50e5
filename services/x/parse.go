package x

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// challenge is what X sends to be signed: nothing else is, because who could have any text signed could sign webhooks.
var challenge = regexp.MustCompile(`^[A-Za-z0-9+/=_-]{1,256}$`)

// Parse reads one call of the X Activity API or of the Account Activity API. A GET is X's check that the URL is ours.
func (Adapter) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	if in.Method == "GET" {
		return check(ch, in.Query.Get("crc_token")), nil
	}
	var w webhook
	if err := json.Unmarshal(in.Body, &w); err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	r := reader{account: ch.Settings.Text("user_id"), body: in.Body}
	switch {
	case w.Data != nil:
		r.activity(w)
	case w.For != "" && string(w.For) != r.account:
		r.out.Ignore(channel.OtherAccount, "")
	case w.Events != nil && w.Events.Revoke.At != "":
		r.revoked(string(w.Events.Revoke.Source.User), w.Events.Revoke.At)
	case !r.all(w.happened):
		r.out.Ignore("event", "other")
	}
	return r.out, nil
}

// check answers X's challenge.
func check(ch channel.Keyed, token string) channel.Parsed {
	if !challenge.MatchString(token) {
		return channel.Parsed{Handshake: true, Reply: channel.Reply{Status: 400}}
	}
	mac := hmac.New(sha256.New, []byte(ch.Secrets.Current("consumer_secret")))
	mac.Write([]byte(token))
	body, _ := json.Marshal(map[string]string{"response_token": "sha256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))}) // texts always marshal
	return channel.Parsed{Handshake: true, Reply: channel.Reply{Status: 200, ContentType: "application/json", Body: body}}
}

// reader collects what one call says.
type reader struct {
	account string
	body    []byte
	out     channel.Parsed
}

// activity reads a call of the newer API. Whose it is its filter says, or else what is in it.
func (r *reader) activity(w webhook) {
	var p payload
	if err := json.Unmarshal(w.Data.Payload, &p); err != nil && !channel.Malformed(err) {
		r.out.Ignore("malformed", w.Data.Type)
		return
	}
	of := w.Data.Filter.User
	if of == "" {
		of = p.User
	}
	switch {
	case of != "" && string(of) != r.account:
		r.out.Ignore(channel.OtherAccount, "")
	case w.Data.Type == "oauth.revoke":
		r.revoked(string(p.User), p.At)
	case w.Data.Type == "chat.received" || w.Data.Type == "chat.sent":
		r.encrypted(p, w.Data.Payload)
	case !r.all(p.happened):
		r.out.Ignore("event", w.Data.Type)
	}
}

// all reads the arrays; false if there are none.
func (r *reader) all(h happened) bool {
	for _, m := range h.Messages {
		r.message(m, h.Users)
	}
	for _, t := range h.Typing {
		if v := t.V; v.Sender == "" || string(v.Sender) == r.account {
			r.out.Ignore("own_typing", "")
		} else {
			on := true
			r.add(event.Inbound{Type: event.ContactTyping, Ref: string(v.Sender) + ":" + stamp(v.Created), Peer: string(v.Sender), ProviderAt: v.Created.Time(), Typing: &on})
		}
	}
	for _, i := range h.Read {
		if v := i.V; v.Sender == "" || v.Last == "" || string(v.Sender) == r.account {
			r.out.Ignore("own_read", "")
		} else {
			r.add(event.Inbound{Type: event.ReceiptWatermark, Ref: string(v.Sender) + ":" + string(v.Last), Peer: string(v.Sender), ExternalID: string(v.Last),
				ProviderAt: v.Created.Time(), Receipt: &event.Receipt{Status: event.Read, UpTo: v.Created.Time()}})
		}
	}
	return len(h.Messages)+len(h.Typing)+len(h.Read) > 0
}

// revoked says that the account has taken the app's permission back: no call is taken any more.
func (r *reader) revoked(user, at string) {
	when, _ := time.Parse(time.RFC3339, at) // without a time the event has none
	if user != "" && user != r.account {
		r.out.Ignore(channel.OtherAccount, "")
		return
	}
	why := fault.New(fault.Denied, channel.CodeCredentials, "the account has taken the permission of the app back; authorise the app anew and enter the new access token")
	r.add(event.Inbound{Type: event.AccountChanged, Ref: r.account + ":" + at, ProviderAt: event.At(when), Account: &event.Account{What: "oauth.revoke", Error: why.Shown()}})
}

// encrypted is a message of an encrypted chat: that it came is all that can be told.
func (r *reader) encrypted(p payload, raw json.RawMessage) {
	if p.ID == "" || p.Sender == "" {
		r.out.Ignore("malformed", "chat")
		return
	}
	e := event.Inbound{Type: event.MessageReceived, Ref: string(p.ID), ExternalID: string(p.ID), Peer: string(p.Sender), ProviderAt: p.Created.Time(),
		Content: &event.Content{Type: event.Unsupported, Raw: raw}}
	if string(p.Sender) == r.account {
		e.Type = event.MessageEchoed
		if e.Peer = r.partner(string(p.Conversation)); e.Peer == "" {
			r.out.Ignore("no_recipient", "chat")
			return
		}
	}
	r.add(e)
}

// partner is who of a conversation of two ("1:2", "1-2") the account is not.
func (r *reader) partner(conversation string) string {
	for id := range strings.FieldsFuncSeq(conversation, between) {
		if id != r.account {
			return id
		}
	}
	return ""
}

func stamp(s channel.Stamp) string { return strconv.FormatInt(int64(s), 10) }

func (r *reader) add(e event.Inbound) { r.out.Events = append(r.out.Events, e) }
