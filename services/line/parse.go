package line

import (
	"encoding/json"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Parse reads one call: any number of events, of different people. LINE's own check of the URL has none. An event that has an
// unexpected shape touches none beside it.
func (Adapter) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	var w webhook
	if err := json.Unmarshal(in.Body, &w); err != nil {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not a webhook of LINE: %w", err)
	}
	r := reader{ch: ch.Channel, at: in.At}
	if ours := ch.Settings.Text("destination"); w.Destination != "" && string(w.Destination) != ours {
		for range max(1, len(w.Events)) {
			r.out.Ignore("other_destination", "")
		}
		return r.out, nil
	}
	for _, e := range w.Events {
		r.event(e)
	}
	return r.out, nil
}

// reader collects what one call says.
type reader struct {
	ch  channel.Channel
	at  time.Time
	out channel.Parsed
}

// plain are the kinds of event that change nothing for a conversation.
var plain = map[string]bool{
	"accountLink": true, "videoPlayComplete": true, "membership": true, "delivery": true, "things": true,
}

// account are the kinds of event that concern the account itself.
var account = map[string]bool{"module": true, "activated": true, "deactivated": true, "botSuspended": true, "botResumed": true}

func (r *reader) event(i channel.Item[lineEvent]) {
	e := i.V
	switch {
	case i.Err != nil && (e.Type != "message" || e.Source.peer() == ""):
		r.out.Ignore("malformed", e.Type)
	case account[e.Type]:
		r.add(event.Inbound{Type: event.AccountChanged, Ref: ref(i), ProviderAt: e.Timestamp.Time(), Account: &event.Account{What: e.Type}})
	case plain[e.Type]:
		r.out.Ignore("event", e.Type)
	case e.Source.peer() == "":
		r.out.Ignore("no_source", "")
	case e.Type == "message":
		r.message(i)
	case e.Type == "messageEdited":
		r.edited(i)
	default:
		r.other(i)
	}
}

// other reads the kinds of event that carry no message.
func (r *reader) other(i channel.Item[lineEvent]) {
	e := i.V
	switch {
	case e.Type == "unsend" && e.Unsend != nil && e.Unsend.Message != "":
		out := r.begin(event.MessageDeleted, i)
		out.Target, out.ExternalID = string(e.Unsend.Message), string(e.Unsend.Message)
		r.add(out)
	case e.Type == "postback" && e.Postback != nil:
		r.postback(i)
	case e.Type == "beacon" && e.Beacon != nil:
		out := r.begin(event.ContactReferred, i)
		out.Referral = &event.Referral{Source: "beacon", SourceID: e.Beacon.Device, Code: e.Beacon.Message, Body: e.Beacon.Kind}
		r.add(out)
	case !r.membership(i):
		r.out.Ignore("event", e.Type)
	}
}

// membership reads who came and who went. It is false for other events.
func (r *reader) membership(i channel.Item[lineEvent]) bool {
	e := i.V
	switch {
	case e.Type == "follow" && e.Follow != nil && e.Follow.Unblocked:
		r.member(i, "", "unblocked")
	case e.Type == "follow":
		r.member(i, "", "followed")
	case e.Type == "unfollow": // the user blocked the account
		r.member(i, "", "blocked")
	case e.Type == "join":
		r.member(i, "", "joined")
	case e.Type == "leave":
		r.member(i, "", "left")
	case e.Type == "memberJoined" && e.Joined != nil:
		r.members(i, e.Joined.Members, "joined")
	case e.Type == "memberLeft" && e.Left != nil:
		r.members(i, e.Left.Members, "left")
	default:
		return false
	}
	return true
}

func (r *reader) members(i channel.Item[lineEvent], who []source, state string) {
	for _, m := range who {
		if m.User == "" {
			r.out.Ignore("no_member", "")
			continue
		}
		r.member(i, string(m.User), state)
	}
}

// member says how somebody stands to the account, or our account to a group.
func (r *reader) member(i channel.Item[lineEvent], user, state string) {
	out := r.begin(event.ContactMembership, i)
	out.Membership = &event.Membership{State: state}
	if out.Sender = nil; user != "" {
		out.Ref += ":" + user
		out.Sender = &event.Profile{Author: user}
	}
	r.add(out)
}

// postback reads a pressed button, a picked date, or a switch of the rich menu. It has no message id: the event's own stands in.
func (r *reader) postback(i channel.Item[lineEvent]) {
	p := i.V.Postback
	out := r.begin(event.MessageReceived, i)
	out.ExternalID = out.Ref
	out.Content = &event.Content{Type: event.InteractType, Interaction: &event.Interaction{Kind: "postback", ID: p.Data, Payload: p.Data, Data: p.Params}}
	r.add(out)
}

// begin is what all events of people have in common.
func (r *reader) begin(t event.Type, i channel.Item[lineEvent]) event.Inbound {
	e := i.V
	out := event.Inbound{
		Type: t, Ref: ref(i), Peer: e.Source.peer(), ProviderAt: e.Timestamp.Time(), Standby: e.Mode == "standby", Sender: e.Source.author(),
	}
	if t == event.MessageReceived && e.ReplyToken != "" && !out.Standby {
		out.ReplyHandle = &event.ReplyHandle{Token: e.ReplyToken, Until: event.At(r.at.Add(replyFor)), Uses: 1}
	}
	return out
}

// replyFor is how long a reply token can be relied on after the webhook
// (https://developers.line.biz/en/reference/messaging-api/#send-reply-message).
const replyFor = time.Minute

// ref is the event's own id, which a redelivery repeats.
func ref(i channel.Item[lineEvent]) string {
	if i.V.ID != "" {
		return string(i.V.ID)
	}
	return event.Hash(string(i.Raw))
}

// peer is the chat: a group's and a room's messages belong together, whoever wrote them.
func (s source) peer() string {
	switch s.Type {
	case "group":
		return string(s.Group)
	case "room":
		return string(s.Room)
	case "user":
		return string(s.User)
	}
	return ""
}

// author is who of a group or room did it, where LINE says so.
func (s source) author() *event.Profile {
	if s.Type == "user" || s.User == "" {
		return nil
	}
	return &event.Profile{Author: string(s.User)}
}

func (r *reader) add(e event.Inbound) { r.out.Events = append(r.out.Events, e) }
