package telegram

import (
	"encoding/json"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Parse reads one update. A message that has an unexpected shape becomes a placeholder; anything else of that kind is an
// error, to be replayed after a fix, because half a reaction or half a membership would say something wrong.
func (Adapter) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	var u update
	err := json.Unmarshal(in.Body, &u)
	if err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	r := reader{body: in.Body, bot: strings.TrimPrefix(ch.Settings.Text("bot_username"), "@"), update: string(u.ID), readable: err == nil}
	if r.update == "" {
		r.update = event.Hash(string(in.Body))
	}
	if r.messages(u); err != nil && len(r.out.Events) == 0 {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not an update: %w", err)
	}
	if err == nil {
		r.others(u)
	}
	if len(r.out.Events) == 0 && len(r.out.Ignored) == 0 {
		r.unknown()
	}
	return r.out, nil
}

// reader collects what one update says.
type reader struct {
	body     []byte
	bot      string // its username
	update   string
	readable bool
	out      channel.Parsed
}

// messages reads the kinds of update that hold a message.
func (r *reader) messages(u update) {
	for _, k := range [...]struct {
		key    string
		m      *message
		edited bool
	}{
		{"message", u.Message, false}, {"edited_message", u.EditedMessage, true},
		{"channel_post", u.ChannelPost, false}, {"edited_channel_post", u.EditedChannelPost, true},
		{"business_message", u.BusinessMessage, false}, {"edited_business_message", u.EditedBusiness, true},
		{"guest_message", u.GuestMessage, false},
	} {
		switch {
		case k.m == nil:
		case k.m.Chat.ID == "":
			r.out.Ignore("no_chat", "")
		case !k.edited && r.readable && r.service(k.m):
		default:
			r.message(k.m, k.key, k.edited)
		}
	}
}

// others reads the kinds of update that hold none.
func (r *reader) others(u update) {
	if u.Callback != nil {
		r.callback(u.Callback)
	}
	if u.Reaction != nil {
		r.reaction(u.Reaction)
	}
	if u.MyMember != nil {
		r.membership(u.MyMember, true)
	}
	if u.Member != nil {
		r.membership(u.Member, false)
	}
	if u.Connection != nil {
		r.connection(u.Connection)
	}
	if u.Deleted != nil {
		r.deleted(u.Deleted)
	}
}

// unknown counts an update that holds nothing for us, by its kind.
func (r *reader) unknown() {
	for key := range r.parts() {
		if key != "update_id" {
			r.out.Ignore("update", key)
		}
	}
	if len(r.out.Ignored) == 0 {
		r.out.Ignore("empty", "")
	}
}

func (r *reader) add(e event.Inbound) { r.out.Events = append(r.out.Events, e) }

// occurrence is the Ref of what has no id of its own: the update's number, which is the same in a redelivery but starts again
// at random after an idle week, and therefore the time before it.
func (r *reader) occurrence(date channel.Stamp) string {
	if date <= 0 {
		return r.update
	}
	return date.Time().Format("20060102150405") + ":" + r.update
}

// parts are the update's members as they came.
func (r *reader) parts() map[string]json.RawMessage {
	var parts map[string]json.RawMessage
	_ = json.Unmarshal(r.body, &parts) // it was read before
	return parts
}
