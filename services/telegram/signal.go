package telegram

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// signal renders what is no message. Read exists only in the chats of business accounts: elsewhere there is nothing to call.
func signal(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	to := split(msg.Peer)
	var m method
	switch msg.Signal {
	case "typing_on":
		m.name = "sendChatAction"
		m.fields = to.fields(true)
		m.set("action", "typing")
	case "read":
		n := number(msg.InReplyTo)
		if to.business == "" || n == "" {
			return nil, nil
		}
		m.name = "readBusinessMessage"
		m.fields = to.fields(false)
		m.set("message_id", id(n))
	case "ack":
		return ack(ch, msg)
	}
	req := m.request(ch, tagSignal)
	req.Safe = true
	return []channel.Request{req}, nil
}

// ack answers a pressed button, whose id is the reply handle.
func ack(ch channel.Channel, msg event.Outbound) ([]channel.Request, error) {
	if msg.ReplyHandle == "" {
		return nil, fault.At("/reply_handle", "no_callback", "an acknowledgement needs the id of a pressed button")
	}
	if n := channel.Runes.Len(msg.Content.Text); n > 200 {
		return nil, fault.At("/text", channel.CodeTextTooLong, "the text of an acknowledgement has at most 200 characters, this one has %d", n)
	}
	m := method{name: "answerCallbackQuery"}
	m.set("callback_query_id", msg.ReplyHandle)
	m.set("text", msg.Content.Text)
	req := m.request(ch, tagSignal)
	req.Safe = true
	return []channel.Request{req}, nil
}
