package record

import (
	"github.com/tributaryhq/tributary/pkg/event"
)

// The signals that the inbox sends to channels: best effort, without a message or a result. A channel type can claim these and no others.
const (
	TypingOn  = "typing_on"
	TypingOff = "typing_off"
	SeenAll   = "read" // the customer's messages up to the newest were read
	Ack       = "ack"  // the press of a button was taken: until then the customer's app waits for an answer
)

// Signals lists the signals that the inbox sends.
var Signals = []string{TypingOn, TypingOff, SeenAll, Ack}

// Signal returns the record that sends a signal to the conversation's channel.
func (c *Conversation) Signal(what string, by event.Actor, at event.Time) event.Record {
	return c.signalled(c.signal(what, by, at), c.ID, at.String())
}

// acknowledge sends the answer that a pressed button waits for, in the commit that takes the press.
func (c *Conversation) acknowledge(m *Message) {
	if !m.Content.Acknowledged() {
		return
	}
	o := c.signal(Ack, event.Actor{Kind: "system"}, m.CreatedAt)
	o.ReplyHandle = m.Content.Interaction.Ack
	r := c.signalled(o, m.ID, "")
	c.Emit(r.Topic, r.Key, r.Event)
}

func (c *Conversation) signal(what string, by event.Actor, at event.Time) event.Outbound {
	return event.Outbound{
		ConversationID: c.ID, ThreadID: c.ThreadID, ChannelID: c.ChannelID, ChannelType: c.ChannelType, Peer: c.Peer, Aliases: c.Aliases,
		Post: c.Post, Signal: what, InReplyTo: c.Window.LastInboundRef, ReadToken: c.Window.ReadToken,
		By: by, CreatedAt: at,
	}
}

// signalled wraps a signal; its event's id is derived from what it is about and the occurrence.
func (c *Conversation) signalled(o event.Outbound, about, occurrence string) event.Record {
	id := event.DeriveID("evt", c.Tenant, about, "signal", o.Signal, occurrence)
	return event.Record{
		Topic: event.TopicOutbound(c.ChannelType), Key: event.Key(c.ChannelID, c.Peer),
		Event: event.New(id, event.SignalSend, Source, c.Tenant, c.ID, o.CreatedAt, o),
	}
}
