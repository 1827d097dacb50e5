package instagram

import (
	"encoding/json"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Parse reads a batch: everything in it that happened on the channel's account. What has an unexpected shape touches nothing beside it.
func (Adapter) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	if in.Method == "GET" {
		return channel.HubChallenge(in.Query, ch.Secrets["verify_token"]), nil
	}
	var b batch
	err := json.Unmarshal(in.Body, &b)
	if err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	r := reader{account: ch.Settings.Text("account_id"), app: ch.Settings.Text("app_id")}
	if b.Object != "instagram" {
		r.out.Ignore("object", b.Object)
		return r.out.Parsed, nil
	}
	for _, e := range b.Entry {
		r.entry(e)
	}
	if err != nil {
		r.out.Ignore("malformed", "")
	}
	return r.out.Parsed, nil
}

// reader collects what one batch says to one channel.
type reader struct {
	account, app string // the channel's
	out          meta.Collected
}

func (r *reader) entry(e channel.Item[entry]) {
	if string(e.V.ID) != r.account {
		r.out.Ignore(channel.OtherAccount, "")
		return
	}
	if e.Err != nil {
		r.out.Ignore("malformed", "entry")
	}
	for _, i := range e.V.Messaging {
		r.item(i, false)
	}
	for _, i := range e.V.Standby {
		r.item(i, true)
	}
	for _, c := range e.V.Changes {
		if c.Err != nil {
			r.out.Ignore("malformed", c.V.Field)
			continue
		}
		r.change(c.V, e.V.Time)
	}
	if e.V.Field != "" {
		r.change(e.V.change, e.V.Time)
	}
}

// inConversations are the fields whose changes have the shape of items.
var inConversations = map[string]bool{
	"messages": true, "messaging_postbacks": true, "messaging_seen": true, "message_reactions": true, "messaging_referral": true,
	"message_edit": true, "messaging_handover": true, "messaging_handovers": true, "standby": true,
}

// change reads what comes as the change of a field.
func (r *reader) change(c change, at channel.Stamp) {
	switch {
	case inConversations[c.Field]:
		var i channel.Item[item]
		_ = i.UnmarshalJSON(c.Value) // never fails: what is wrong stands in the item
		r.item(i, c.Field == "standby")
	case c.Field == "comments" || c.Field == "live_comments":
		r.comment(c.Value, at)
	case c.Field == "mentions":
		r.mention(c.Value, at)
	default:
		r.out.Ignore("field", c.Field)
	}
}

// happened is an item with whom it is about.
type happened struct {
	channel.Item[item]
	peer    string
	own     bool // the account did it, elsewhere
	standby bool
}

// item reads one thing that happened in a conversation, which is with whoever of the two is not the account.
func (r *reader) item(i channel.Item[item], standby bool) {
	v := &i.V
	h := happened{Item: i, standby: standby, own: string(v.Sender.ID) == r.account}
	if v.Message != nil {
		h.own = v.Message.Echo
	}
	other := []channel.Opaque{v.Sender.ID, v.Recipient.ID}
	if h.own {
		other[0], other[1] = other[1], other[0]
	}
	for _, id := range other {
		if h.peer == "" && string(id) != r.account {
			h.peer = string(id)
		}
	}
	switch {
	case len(v.Roles) > 0:
		a := event.Account{What: "app_roles", Detail: strings.Join(v.Roles[r.app], " ")}
		r.out.Add(event.Inbound{Type: event.AccountChanged, Ref: a.What + ":" + meta.StampText(v.Timestamp) + ":" + event.Hash(string(h.Raw)), ProviderAt: v.Timestamp.Time(), Account: &a})
	case v.Message != nil && v.Message.Self:
		r.out.Ignore("self", "")
	case h.peer == "":
		r.out.Ignore("no_sender", meta.Kind(i.Raw))
	case v.Message != nil && v.Message.Deleted:
		r.deleted(h)
	case v.Message != nil:
		r.message(h)
	case v.Postback != nil:
		r.postback(h)
	case i.Err != nil:
		r.out.Ignore("malformed", meta.Kind(i.Raw))
	default:
		r.other(h)
	}
}

// begin is what all events of a conversation have in common.
func (h happened) begin(t event.Type, ref string) event.Inbound {
	return event.Inbound{Type: t, Ref: ref, Peer: h.peer, ProviderAt: h.V.Timestamp.Time(), Standby: h.standby}
}

// about is an event that changes a message.
func (h happened) about(t event.Type, ref string, mid channel.Opaque) event.Inbound {
	e := h.begin(t, ref)
	e.Target, e.ExternalID, e.Echo = string(mid), string(mid), h.own
	return e
}

// at names an occurrence that has no id of its own: who, what and when.
func (h happened) at(what string) string {
	return what + ":" + h.peer + ":" + meta.StampText(h.V.Timestamp)
}

// other reads the items that carry no message.
func (r *reader) other(h happened) {
	v := &h.V
	switch {
	case v.Reaction != nil && v.Reaction.MID != "":
		who := meta.First(string(v.Sender.ID), h.peer)
		e := h.about(event.MessageReacted, string(v.Reaction.MID)+":"+who+":"+meta.StampText(v.Timestamp)+":"+v.Reaction.Action, v.Reaction.MID)
		e.Reaction = meta.Reacted(e.Target, v.Reaction.Emoji, v.Reaction.Word, v.Reaction.Action == "unreact")
		if !h.own && e.Reaction.Action == "add" {
			e.OpensWindow = channel.ByMessage
		}
		r.out.Add(e)
	case v.Edit != nil && v.Edit.MID != "":
		e := h.about(event.MessageEdited, string(v.Edit.MID)+"#"+meta.First(string(v.Edit.Nth), event.Hash(v.Edit.Text)), v.Edit.MID)
		e.Content = &event.Content{Type: event.Text, Text: v.Edit.Text}
		r.out.Add(e)
	case v.Read != nil:
		r.read(h)
	case v.Referral != nil:
		e := h.begin(event.ContactReferred, h.at("referral"))
		e.Referral, e.OpensWindow = v.Referral.Event(), channel.ByMessage
		r.out.Add(e)
	case v.Passed != nil:
		r.moved(h, "pass_thread_control", string(v.Passed.Owner) != r.app)
	case v.Taken != nil:
		r.moved(h, "take_thread_control", string(v.Taken.Owner) != r.app)
	case v.Asked != nil: // it stays where it is
		r.moved(h, "request_thread_control", h.standby)
	default:
		r.out.Ignore("event", meta.Kind(h.Raw))
	}
}

// read reads that a message was seen, and so everything that was sent before it. What the account itself has seen is no receipt.
func (r *reader) read(h happened) {
	switch mid := string(h.V.Read.MID); {
	case h.own:
		r.out.Ignore("own_seen", "")
	case mid == "":
		r.out.Ignore("status", "read")
	default:
		e := h.begin(event.ReceiptWatermark, h.peer+":read:"+mid)
		e.ExternalID, e.Receipt = mid, &event.Receipt{Status: event.Read}
		r.out.Add(e)
	}
}

// moved says that another app got, took or asked for the conversation, or gave it to this one, and whether another one has it now.
func (r *reader) moved(h happened, how string, elsewhere bool) {
	e := h.begin(event.ThreadControlMoved, h.at(how))
	e.Standby, e.Raw = elsewhere, h.Raw
	r.out.Add(e)
}
