package telegram

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// A peer is a chat's id: of a private chat that is the person's. Chats of a connected business account have the same ids as
// chats with the bot, so the connection's id stands before them, with a colon between. A topic of a forum is a conversation of its
// own: its number stands behind the chat's id, with a slash between; the topic General has none. A message is known by its chat and its
// number there, which no other topic of the chat has: reactions and receipts come without a topic.

func chatOf(business, chat channel.Opaque) string {
	if business == "" {
		return string(chat)
	}
	return string(business) + ":" + string(chat)
}

func (m *message) chat() string { return chatOf(m.Business, m.Chat.ID) }

func (m *message) peer() string {
	if !m.IsTopic || m.Topic == "" { // without the mark the number is that of a thread of replies
		return m.chat()
	}
	return m.chat() + "/" + string(m.Topic)
}

func (m *message) key() string { return m.chat() + ":" + string(m.ID) }

// address is a peer taken apart.
type address struct{ business, chat, topic string }

func split(peer string) (a address) {
	a.chat = peer
	if i := strings.LastIndexByte(peer, ':'); i >= 0 {
		a.business, a.chat = peer[:i], peer[i+1:]
	}
	a.chat, a.topic, _ = strings.Cut(a.chat, "/")
	return a
}

// fields are those by which a call names the address, in the order of Telegram's documentation. topics is false for the methods that
// take no topic.
func (a address) fields(topics bool) (out []field) {
	if a.business != "" {
		out = append(out, field{"business_connection_id", a.business})
	}
	out = append(out, field{"chat_id", id(a.chat)})
	if a.topic != "" && topics {
		out = append(out, field{"message_thread_id", id(a.topic)})
	}
	return out
}

// number is the number of a message in its chat, from the id that we gave it; "" for ids of other things.
func number(key string) string {
	i := strings.LastIndexByte(key, ':')
	if i < 0 || !integer(key[i+1:]) {
		return ""
	}
	return key[i+1:]
}

func integer(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && len(s) < 20 && strings.Trim(s, "0123456789") == ""
}

// sender is who wrote: in a private chat the peer itself; elsewhere an author, who may write as a channel.
func sender(c chat, u *user, as *chat) *event.Profile {
	var p event.Profile
	switch {
	case as != nil:
		p = event.Profile{Name: as.Title, Username: as.Username, Author: string(as.ID)}
	case u != nil:
		p = event.Profile{Name: name(u.FirstName, u.LastName), Username: u.Username, Locale: u.Language, Author: string(u.ID)}
	}
	if c.Type == "private" || p.Author == string(c.ID) {
		p.Author = ""
	}
	if p == (event.Profile{}) {
		return nil
	}
	return &p
}

// profile is what is known of the chat itself: of the person of a private one, else of the group or channel.
func (c chat) profile() *event.Profile {
	p := event.Profile{Name: name(c.FirstName, c.LastName), Username: c.Username}
	if c.Type != "private" && c.Type != "" {
		p.Name, p.Group = c.Title, true
	}
	if p == (event.Profile{}) {
		return nil
	}
	return &p
}

// named sets who did it, and what is known of the peer where that is somebody else.
func named(e *event.Inbound, c chat, u *user, as *chat) {
	if e.Sender = sender(c, u, as); e.Sender == nil || e.Sender.Author != "" || c.Type != "private" {
		e.Profile = c.profile()
	}
}

func name(first, last string) string { return strings.TrimSpace(first + " " + last) }
