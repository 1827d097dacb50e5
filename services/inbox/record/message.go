package record

import (
	"encoding/json"
	"slices"

	fastjson "github.com/go-json-experiment/json/v1"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// encode is the document as facts carry it, and as it is first stored.
func (m *Message) encode() json.RawMessage {
	bare := *m
	bare.Meta = store.Meta{ID: m.ID, Tenant: m.Tenant}
	b, err := fastjson.Marshal(&bare)
	if err != nil {
		panic(err) // our own structs always marshal; Raw was valid JSON when it came in
	}
	return b
}

// send puts the newest attempt on its way: the fact is the record that the channel's service acts on.
func (m *Message) send(d Dispatch) event.Event {
	a := m.Attempts[len(m.Attempts)-1]
	o := event.Outbound{
		MessageID: m.ID, ConversationID: m.ConversationID, ThreadID: m.ThreadID, AttemptID: a.ID, Attempt: a.N, ChannelID: m.ChannelID,
		ChannelType: m.ChannelType, Peer: d.Peer, Aliases: d.Aliases, Post: m.Post, Content: m.Content, InReplyTo: d.InReplyTo,
		By: d.By, SendBy: d.SendBy, WindowUntil: d.WindowUntil, Resume: m.resume(),
		ReplyHandle: d.reply.Token, ReplyUntil: d.reply.Until, CreatedAt: a.CreatedAt,
	}
	return event.New(event.DeriveID("evt", m.Tenant, a.ID, "send"), event.MessageSend, Source, m.Tenant, m.ID, a.CreatedAt, o)
}

// Dispatch is what an attempt needs besides the message.
type Dispatch struct {
	Peer      string
	Aliases   []string
	InReplyTo string // the provider's id of the newest inbound message
	By        event.Actor
	// SendBy ends its waiting, WindowUntil the time in which it may be sent; zero: neither.
	SendBy, WindowUntil event.Time
	// Needs is how many places it takes of those that the window counts by Rules.
	Needs int
	Rules channel.Window

	reply Handle // taken in the commit of the message; the zero Handle: none. Another attempt has none
}

// Edit replaces the content. An edit that is older than the one applied changes nothing.
func (m *Message) Edit(content event.Content, ref string, at event.Time) bool {
	if !m.DeletedAt.IsZero() || at.Before(m.EditedAt) || !m.fresh(ref) {
		return false
	}
	content.ReplyTo = m.Content.ReplyTo
	if len(content.Attachments) == 0 {
		content.Attachments = m.Content.Attachments
	}
	m.Content, m.EditedAt = content, at
	m.updated("edit", ref, event.Actor{Kind: "contact", ID: m.ContactID}, at)
	return true
}

// Delete empties the message; what it said is gone for good.
func (m *Message) Delete(ref string, by event.Actor, at event.Time) bool {
	if !m.DeletedAt.IsZero() || !m.fresh(ref) {
		return false
	}
	m.erase(at)
	m.updated("delete", ref, by, at)
	return true
}

// React sets or takes back one person's reaction; older ones than the one known change nothing.
func (m *Message) React(by, emoji, ref string, actor event.Actor, at event.Time) bool {
	i := slices.IndexFunc(m.Reactions, func(r Reacted) bool { return r.By == by })
	if (i >= 0 && at.Before(m.Reactions[i].At)) || !m.fresh(ref) {
		return false
	}
	r := Reacted{By: by, Emoji: emoji, At: at}
	if i >= 0 {
		m.Reactions[i] = r // an empty emoji stays as a mark: a late older reaction must not come back
	} else {
		m.Reactions = append(m.Reactions, r)
	}
	m.updated("reaction", ref, actor, at)
	return true
}

// Hide marks a comment as hidden from the public, or as shown again, by what was done at the provider. Unlike other occurrences this one may
// have the ref of an earlier one, as a comment can be hidden again: what it says already changes nothing.
func (m *Message) Hide(hidden bool, ref string, by event.Actor, at event.Time) bool {
	if m.Hidden == hidden || !m.DeletedAt.IsZero() {
		return false
	}
	m.Hidden = hidden
	what := event.ActionUnhide
	if hidden {
		what = event.ActionHide
	}
	m.updated(string(what), ref, by, at)
	return true
}

// keptRefs is how many occurrences a message remembers; who changes it more often may meet an old one again.
const keptRefs = 256

// fresh reports whether an occurrence is new, and remembers it: a provider's clock is too coarse to tell repeats by.
func (m *Message) fresh(ref string) bool {
	if slices.Contains(m.Refs, ref) {
		return false
	}
	m.Refs = append(m.Refs[max(0, len(m.Refs)-keptRefs+1):], ref)
	return true
}

// said is when the customer wrote, for the channel's window: by the provider's clock, which is the one that counts for it,
// unless that is ahead of ours; never before last.
func (m *Message) said(last event.Time) event.Time {
	at := m.CreatedAt
	if !m.ProviderAt.IsZero() && m.ProviderAt.Before(at) {
		at = m.ProviderAt
	}
	if at.Before(last) {
		return last
	}
	return at
}

// Has reports whether an attachment is one of the message's.
func (m *Message) Has(attachmentID string) bool {
	return slices.ContainsFunc(m.Content.Attachments, func(a event.Attachment) bool { return a.ID == attachmentID })
}

// Attach takes over what became of an attachment.
func (m *Message) Attach(a event.Attachment, at event.Time) bool {
	i := slices.IndexFunc(m.Content.Attachments, func(x event.Attachment) bool { return x.ID == a.ID })
	if i < 0 || m.Content.Attachments[i].State == a.State || m.Content.Attachments[i].State == event.Ready {
		return false
	}
	m.Content.Attachments[i] = a
	m.updated("attachment", a.ID+":"+string(a.State), event.Actor{Kind: "system"}, at)
	return true
}

// updated makes the change a fact. what and ref name the occurrence, so that a repeat is the same fact.
func (m *Message) updated(what, ref string, by event.Actor, at event.Time) {
	p := event.Conversation{
		ConversationID: m.ConversationID, ThreadID: m.ThreadID, ContactID: m.ContactID, ChannelID: m.ChannelID, ChannelType: m.ChannelType,
		Kind: Messages, Seq: m.Seq, At: at, By: by, Message: m.encode(), Happened: &event.Happened{Category: "message", Type: what},
	}
	if m.Post != nil {
		p.Kind = Comments
	}
	m.Emit(event.TopicConversations, m.ThreadID, event.New(
		event.DeriveID("evt", m.Tenant, m.ID, what, ref), event.MessageUpdated, Source, m.Tenant, m.ID, at, p))
}
