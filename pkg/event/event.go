// Package event is the contract between services: every fact they tell each other, and nothing else.
//
// On Kafka an [Event] is a CloudEvents 1.0 record in binary mode: the attributes are headers (ce_id, ce_type, …), the value
// is Data as JSON. Once released a type keeps its meaning and a payload only grows (promise P14); schema/v1 holds the frozen
// JSON Schemas. Ids are derived, so a redelivered webhook or a repeated publish is the same event.
package event

import (
	"encoding/json"
	"fmt"

	fastjson "github.com/go-json-experiment/json/v1" // encoding/json's semantics, a third of its time: payloads are read often
)

// Event is one fact in its envelope.
type Event struct {
	ID      string          `json:"id"`                // derived; the same fact has the same id however often it is told
	Type    Type            `json:"type"`              // decides what Data holds
	Source  string          `json:"source"`            // the service that says it, e.g. "whatsapp"
	Tenant  string          `json:"tenant"`            // CloudEvents extension attribute
	Subject string          `json:"subject,omitempty"` // the id of what it is about: a channel, thread, conversation, message …
	Time    Time            `json:"time"`              // when it was said, not when it happened
	Data    json.RawMessage `json:"data"`
}

// New puts data into an envelope. It panics if data cannot be JSON, which is a mistake in the code that no input can cause.
func New(id string, typ Type, source, tenant, subject string, at Time, data any) Event {
	b, err := fastjson.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("event %s: %v", typ, err))
	}
	return Event{ID: id, Type: typ, Source: source, Tenant: tenant, Subject: subject, Time: at, Data: b}
}

// Decode reads the payload of e.
func Decode[T any](e Event) (T, error) {
	var v T
	if err := fastjson.Unmarshal(e.Data, &v); err != nil {
		return v, fmt.Errorf("event %s of type %s: %w", e.ID, e.Type, err)
	}
	return v, nil
}

// Record is an event on its way to a topic.
type Record struct {
	Topic string
	Key   string // chooses the partition; no correctness rests on two events sharing one
	Lane  string // consumers handle events of one lane in order, and of different lanes at once; empty: the key
	Event Event
	// Trace is the span that the record was made in, as a traceparent, if that is not the publisher's: who publishes it later is not the cause.
	Trace string `json:",omitempty"`
}

// Type names what happened.
type Type string

// What a channel says on [TopicInbound]; the payload is an [Inbound].
const (
	MessageReceived    Type = "message.received"    // a customer wrote
	MessageEchoed      Type = "message.echoed"      // the business wrote from another client of the same account
	MessageEdited      Type = "message.edited"      // Target now has the content Message
	MessageDeleted     Type = "message.deleted"     // Target was taken back
	MessageReacted     Type = "message.reacted"     // Reaction on Target; without emoji: taken back
	MessageHidden      Type = "message.hidden"      // Target, a comment, was hidden from the public at the provider, or is shown again
	ContactTyping      Type = "contact.typing"      // not stored
	ContactReferred    Type = "contact.referred"    // an ad or a link led here, without a message
	ContactMembership  Type = "contact.membership"  // followed, unfollowed, blocked, unblocked, joined, left
	ContactIdentified  Type = "contact.identified"  // the person's id changed, other ids of them are known, or their profile was looked up
	ContactConsented   Type = "contact.consented"   // marketing opt-in or opt-out
	ContactPageViewed  Type = "contact.page_viewed" // web chat: the visitor went to another page
	AccountChanged     Type = "account.changed"     // template, quality or limits of the channel's account
	ThreadControlMoved Type = "thread.control"      // another app took or gave the conversation
	AttachmentReady    Type = "attachment.ready"    // payload [Attached]
	AttachmentFailed   Type = "attachment.failed"   // payload [Attached]
)

// On [TopicReceipts].
const (
	ReceiptReceived  Type = "receipt.received"  // payload [Inbound] with Receipt: one message, one step
	ReceiptWatermark Type = "receipt.watermark" // payload [Inbound] with Receipt: everything up to a time or an id
	SendSettled      Type = "send.settled"      // payload [SendResult]
)

// On the other topics.
const (
	WebhookReceived     Type = "webhook.received"    // TopicWebhooks, payload [Webhook]
	MediaWanted         Type = "media.wanted"        // TopicMedia, payload [WantedMedia]
	MessageSend         Type = "message.send"        // TopicOutbound, payload [Outbound]
	ActionSend          Type = "action.send"         // TopicOutbound, payload [Outbound] with Action: done to a message, with a result as a message has it
	SignalSend          Type = "signal.send"         // TopicOutbound, payload [Outbound] with Signal: typing or read, best effort
	StatusChanged       Type = "message.status"      // TopicMessageStatus, payload [Status]
	ConversationOpened  Type = "conversation.opened" // TopicConversations, payload [Conversation]
	ConversationReopen  Type = "conversation.reopened"
	ConversationClosed  Type = "conversation.closed"
	ConversationFollow  Type = "conversation.followed" // the next conversation of the thread follows this one
	ConversationHolder  Type = "conversation.holder"   // status, holder or queue changed: holder_epoch moved
	ConversationChanged Type = "conversation.changed"  // tags, priority, snooze and everything else people see
	ConversationNoted   Type = "conversation.event"    // payload [Conversation] with Happened: a row of the timeline
	MessageCreated      Type = "message.created"       // payload [Conversation] with Message
	MessageUpdated      Type = "message.updated"       // payload [Conversation] with Message
	RoutingHolder       Type = "routing.holder"        // TopicRouting, payload [Holder]
	AgentChanged        Type = "agent.changed"         // TopicRouting, payload [Agent]
	RoutingDue          Type = "routing.due"           // TopicRouting, payload [Due]
	AssignmentRefused   Type = "assignment.refused"    // TopicRouting, payload [Refusal]
	RoutingDecided      Type = "routing.decided"       // TopicAssignments, payload [Decision]
	StreamEvent         Type = "stream.event"          // TopicStream, payload [Stream]
	ConfigChanged       Type = "config.changed"        // TopicConfig, payload [Config]
)
