package telegram

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/event"
)

// service reads messages that Telegram itself writes into a chat. It is false for messages of people.
func (r *reader) service(m *message) bool {
	switch {
	case len(m.Members) > 0:
		for i := range m.Members {
			r.member(m, &m.Members[i], "joined")
		}
	case m.Left != nil:
		r.member(m, m.Left, "left")
	case m.MigrateTo != "":
		r.moved(m, string(m.Chat.ID), string(m.MigrateTo))
	case m.MigrateFrom != "":
		r.moved(m, string(m.MigrateFrom), string(m.Chat.ID))
	default:
		return false
	}
	return true
}

// member says that somebody came or went. Our own coming and going is told by my_chat_member.
func (r *reader) member(m *message, u *user, state string) {
	if u.IsBot && u.Username == r.bot {
		r.out.Ignore("own_membership", "")
		return
	}
	e := event.Inbound{Type: event.ContactMembership, Ref: r.occurrence(m.Date) + ":" + string(u.ID), ExternalID: m.key(), Peer: m.peer(),
		ProviderAt: m.Date.Time(), Membership: &event.Membership{State: state}}
	named(&e, m.Chat, u, nil)
	r.add(e)
}

// moved says that a group became a supergroup: a new chat id, and new numbers for its messages.
func (r *reader) moved(m *message, old, now string) {
	other := now
	if m.chat() == now {
		other = old
	}
	r.add(event.Inbound{Type: event.ContactIdentified, Ref: r.occurrence(m.Date), ExternalID: m.key(), Peer: m.peer(), Aliases: []string{other},
		ProviderAt: m.Date.Time(), Profile: m.Chat.profile(), Identity: &event.Identity{Old: []string{old}, New: []string{now}, Reason: "group_upgraded"}})
}

// notices are parts by which a service message is known that changes nothing for us but can be shown.
var notices = []string{"new_chat_title", "new_chat_photo", "delete_chat_photo", "group_chat_created", "supergroup_chat_created",
	"channel_chat_created", "pinned_message", "message_auto_delete_timer_changed", "successful_payment", "refunded_payment",
	"forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened", "video_chat_started", "video_chat_ended",
	"write_access_allowed", "connected_website", "boost_added", "chat_background_set"}

// leftover is what a message becomes that has none of the parts we know: a notice of Telegram, or a placeholder.
func (m *message) leftover(part json.RawMessage) *event.Content {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(part, &fields) // it was read before
	for _, n := range notices {
		if _, ok := fields[n]; ok {
			return &event.Content{Type: event.SystemType, Text: m.NewTitle, Raw: part}
		}
	}
	text := m.Text + m.Caption
	for _, t := range []*titled{m.Poll, m.Game, m.Invoice, m.Checklist} {
		if t != nil {
			text += t.Title + t.Question
		}
	}
	return &event.Content{Type: event.Unsupported, Text: text, Raw: part}
}
