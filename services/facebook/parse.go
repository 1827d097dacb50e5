package facebook

import (
	"encoding/json"
	"slices"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Parse reads a batch: everything in it that happened on the channel's Page. What has an unexpected shape touches nothing beside it.
func (Adapter) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	if in.Method == "GET" {
		return channel.HubChallenge(in.Query, ch.Secrets["verify_token"]), nil
	}
	var b batch
	err := json.Unmarshal(in.Body, &b)
	if err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	r := reader{page: ch.Settings.Text("page_id"), app: ch.Settings.Text("app_id")}
	if b.Object != "page" {
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
	page, app string // the channel's
	out       meta.Collected
}

func (r *reader) entry(e channel.Item[entry]) {
	if string(e.V.ID) != r.page {
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
		r.change(c)
	}
}

// happened is an item with whom it is about.
type happened struct {
	channel.Item[item]
	peer    string
	aliases []string
	standby bool
}

// item reads one thing that happened in a conversation. Of an echo the Page is the sender, of everything else the recipient: an item
// whose Page is another one is not taken.
func (r *reader) item(i channel.Item[item], standby bool) {
	v := &i.V
	who, page := v.Sender, v.Recipient
	if v.Message != nil && v.Message.Echo {
		who, page = v.Recipient, v.Sender
	}
	h := happened{Item: i, standby: standby}
	ids := []string{string(who.ID), refPeer(who.UserRef)}
	if v.Optin != nil {
		ids = append(ids, refPeer(v.Optin.UserRef))
	}
	for _, id := range ids {
		switch {
		case id == "" || id == h.peer || slices.Contains(h.aliases, id):
		case h.peer == "":
			h.peer = id
		default:
			h.aliases = append(h.aliases, id)
		}
	}
	switch {
	case page.ID != "" && string(page.ID) != r.page:
		r.out.Ignore(channel.OtherAccount, "")
	case r.accountNews(h):
	case h.peer == "":
		r.out.Ignore("no_sender", meta.Kind(i.Raw))
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

// refPrefix marks peers that are known by the reference of a plugin only.
const refPrefix = "user_ref:"

func refPeer(ref channel.Opaque) string {
	if ref == "" {
		return ""
	}
	return refPrefix + string(ref)
}

// begin is what all events of a conversation have in common.
func (h happened) begin(t event.Type, ref string) event.Inbound {
	return event.Inbound{Type: t, Ref: ref, Peer: h.peer, Aliases: h.aliases, ProviderAt: h.V.Timestamp.Time(), Standby: h.standby}
}

// at names an occurrence that has no id of its own: who, what and when.
func (h happened) at(what string) string {
	return what + ":" + h.peer + ":" + meta.StampText(h.V.Timestamp)
}
