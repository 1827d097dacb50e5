package telegram

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// A peer is a chat's id: of a private chat that is the person's. Chats of a connected business account have the same ids as
// chats with the bot, so the connection's id stands before them, with a colon between. A message is known by its peer and its
// number in the chat.

func peerOf(business, chat channel.Opaque) string {
	if business == "" {
		return string(chat)
	}
	return string(business) + ":" + string(chat)
}

func (m *message) peer() string { return peerOf(m.Business, m.Chat.ID) }

func (m *message) key() string { return m.peer() + ":" + string(m.ID) }

// split takes a peer apart.
func split(peer string) (business, chat string) {
	if i := strings.LastIndexByte(peer, ':'); i >= 0 {
		return peer[:i], peer[i+1:]
	}
	return "", peer
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

func name(first, last string) string { return strings.TrimSpace(first + " " + last) }
