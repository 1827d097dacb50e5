// Package record is what the inbox keeps: threads, conversations, messages, contacts and their events, and what may happen to
// them. Changes are methods on the documents; each numbers itself and emits its fact, so that one document is one commit.
package record

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// The collections. Only inbox reads and writes them.
var (
	AliasSpec  = store.Spec{Name: "aliases"}
	ThreadSpec = store.Spec{Name: "threads", Indexes: []store.Index{
		{Name: "by_contact", Fields: []string{"tenant", "contact_id", "created_at"}},
		{Name: "by_username", Fields: []string{"channel_id", "username_key"}, Sparse: true},
	}}
	ConversationSpec = store.Spec{
		Name: "conversations", Facts: true, Lists: conversationLists, Indexes: []store.Index{{Name: "by_due", Fields: []string{"due_at"}, Sparse: true}},
		Superseded: []string{
			"by_status", "by_assignee", "by_queue", "by_agent", "by_channel", "by_type", "by_contact", "by_tag", "by_unresponded", "by_waiting",
		},
	}
	MessageSpec = store.Spec{Name: "messages", Facts: true, Indexes: []store.Index{
		{Name: "by_conversation", Fields: []string{"conversation_id", "seq"}},
		{Name: "by_contact", Fields: []string{"contact_id", "created_at"}},
		{Name: "by_external", Fields: []string{"channel_id", "external_ids[]"}},
	}}
	EventSpec = store.Spec{Name: "events", Indexes: []store.Index{
		{Name: "by_conversation", Fields: []string{"conversation_id", "seq"}},
		{Name: "by_contact", Fields: []string{"contact_id", "at"}},
	}}
	// KnownSpec keeps which contact an id of a provider's account belongs to, whatever becomes of the channels of the account.
	KnownSpec = store.Spec{Name: "known_people"}
	// MemberSpec keeps how members of groups are called whose messages do not say it.
	MemberSpec  = store.Spec{Name: "members", Expires: true}
	ContactSpec = store.Spec{Name: "contacts", Facts: true, Indexes: []store.Index{
		{Name: "by_time", Fields: []string{"tenant", "created_at"}},
		{Name: "by_email", Fields: []string{"tenant", "email", "created_at"}},
		{Name: "by_phone", Fields: []string{"tenant", "phone", "created_at"}},
	}}
	// ReadSpec keeps who has read how far: a document per user and conversation, so that reading is no change of the conversation.
	ReadSpec = store.Spec{Name: "reads", Facts: true}
	// ParkedSpec keeps what came before the message it is about (an edit, a reaction, a receipt of a native app's message).
	ParkedSpec = store.Spec{Name: "parked", Expires: true, Indexes: []store.Index{
		{Name: "by_target", Fields: []string{"channel_id", "target", "created_at"}},
		{Name: "by_due", Fields: []string{"due_at"}, Sparse: true},
	}}
)

// FileSpec keeps where the bytes of attachments are: of uploads, and of inbound media once it is fetched.
var FileSpec = store.Spec{Name: "files", Expires: true}

// OpeningSpec keeps which conversation a call without a message was answered with, by its idempotency key.
var OpeningSpec = store.Spec{Name: "openings", Expires: true}

// PlacementSpec keeps where a row of the timeline goes: decided once, however often its event comes.
var PlacementSpec = store.Spec{Name: "places", Expires: true}

// DecisionSpec keeps every decision of routing with its reasons and what became of it.
var DecisionSpec = store.Spec{Name: "decisions", Indexes: []store.Index{{Name: "by_conversation", Fields: []string{"conversation_id", "at"}}}}

// Specs lists all collections of the record.
var Specs = []store.Spec{AliasSpec, ThreadSpec, ConversationSpec, MessageSpec, EventSpec, ContactSpec, KnownSpec, MemberSpec, ReadSpec, ParkedSpec, FileSpec, OpeningSpec, PlacementSpec, DecisionSpec}

// Kinds of threads and conversations.
const (
	Messages = "messages"
	Comments = "comments"
)

// Statuses of a conversation.
const (
	Open    = "open"
	Snoozed = "snoozed"
	Closed  = "closed"
)

// Alias maps one id of a person on a channel (and post) to a thread: first seen wins. Its id is [AliasID].
type Alias struct {
	store.Meta
	ThreadID string `json:"thread_id"`
}

// Thread is all that was ever said with one person on one channel; comments: under one post.
type Thread struct {
	store.Meta
	ChannelID   string            `json:"channel_id"`
	ChannelType event.ChannelType `json:"channel_type"`
	Kind        string            `json:"kind"`
	Post        *event.Post       `json:"post,omitempty"`
	Peer        string            `json:"peer"`    // the id to write to: the newest that the provider used
	Aliases     []string          `json:"aliases"` // every id known, oldest first
	ContactID   string            `json:"contact_id"`
	Into        string            `json:"into,omitempty"`         // the thread in which this one goes on, once both are known to be one person
	Blocked     bool              `json:"blocked,omitempty"`      // the contact is
	Anchors     channel.Anchors   `json:"anchors,omitempty"`      // what opened the window while no conversation was open
	FreeUntil   event.Time        `json:"free_until,omitzero"`    // of earlier versions: the end of what did
	Traits      Traits            `json:"traits,omitzero"`        // what is known of the peer
	Account     string            `json:"account,omitempty"`      // the provider's account under which the contact is known
	UsernameKey string            `json:"username_key,omitempty"` // the peer's username as it is looked up
	Unprojected bool              `json:"unprojected,omitempty"`  // the contact has not taken over Peer and Traits yet
	Tail        int               `json:"tail"`                   // a hint: the chain has at least this many conversations
	CreatedAt   event.Time        `json:"created_at"`
}

// Conversation is one open-to-close span of a thread. rev is for compare-and-set; Version moves only with what agents decide
// on: status, holder, queue, tags, priority, snooze.
type Conversation struct {
	store.Meta
	ThreadID    string            `json:"thread_id"`
	N           int               `json:"n"`
	Next        string            `json:"next,omitempty"` // the conversation that follows; once set this one stays closed
	Into        string            `json:"into,omitempty"` // the thread in which this one goes on; once set this one stays closed
	ContactID   string            `json:"contact_id"`
	ChannelID   string            `json:"channel_id"`
	ChannelType event.ChannelType `json:"channel_type"`
	Kind        string            `json:"kind"`
	Post        *event.Post       `json:"post,omitempty"`
	Peer        string            `json:"peer"`
	Aliases     []string          `json:"aliases,omitempty"`
	OUID        string            `json:"ou_id,omitempty"`

	Status       string     `json:"status"`
	AssigneeID   string     `json:"assignee_id,omitempty"`
	QueueID      string     `json:"queue_id,omitempty"`
	BotID        string     `json:"bot_id,omitempty"`
	BotActive    bool       `json:"bot_active,omitempty"`
	HolderEpoch  int64      `json:"holder_epoch"`      // moves with every change of what routing decides by
	Routed       string     `json:"routed,omitempty"`  // the decision that led to the present holder
	Decided      string     `json:"decided,omitempty"` // the last decision of routing that was applied
	LastAgentID  string     `json:"last_agent_id,omitempty"`
	Agents       []string   `json:"agents,omitempty"` // who took part
	Version      int64      `json:"version"`
	Tags         []string   `json:"tags,omitempty"`
	Priority     int        `json:"priority,omitempty"` // 0 none, 1 low … 4 urgent
	SnoozedUntil event.Time `json:"snoozed_until,omitzero"`
	rerouted     bool       // the epoch has moved since the last fact

	Seq             int64           `json:"seq"`
	Inbound         int64           `json:"inbound"`             // how many messages the customer wrote
	Withdrawn       []int64         `json:"withdrawn,omitempty"` // which of them the customer has deleted, the newest last
	Window          Window          `json:"window"`
	LastMessageID   string          `json:"last_message_id,omitempty"`
	LastMessageAt   event.Time      `json:"last_message_at"` // the opening's time before the first message
	Unresponded     bool            `json:"unresponded,omitempty"`
	Blocked         bool            `json:"blocked,omitempty"`   // the contact is
	Standby         bool            `json:"standby,omitempty"`   // another app of the channel's account has the conversation
	ControlAt       event.Time      `json:"control_at,omitzero"` // when that, or its end, was said last, by the provider's clock
	WaitingSince    event.Time      `json:"waiting_since,omitzero"`
	FirstResponseAt event.Time      `json:"first_response_at,omitzero"`
	Reference       *event.Referral `json:"reference,omitempty"`
	OpenedAt        event.Time      `json:"opened_at"`
	OpenedBy        event.Actor     `json:"opened_by"`
	ClosedAt        event.Time      `json:"closed_at,omitzero"`
	ClosedBy        *event.Actor    `json:"closed_by,omitempty"`
	Close           *CloseNote      `json:"close,omitempty"`
	UpdatedAt       event.Time      `json:"updated_at"`
	due.Timers
}

// Window is what decides whether the business may write: anchors, carried on from conversation to conversation of a thread.
type Window struct {
	LastInboundAt  event.Time      `json:"last_inbound_at,omitzero"`
	LastInboundID  string          `json:"last_inbound_id,omitempty"`  // our message
	LastInboundRef string          `json:"last_inbound_ref,omitempty"` // the provider's id of it
	ReadToken      string          `json:"read_token,omitempty"`       // what the provider wants back when it was read
	Anchors        channel.Anchors `json:"anchors,omitempty"`          // what opened the window; see [Window.opened]
	FreeUntil      event.Time      `json:"free_until,omitzero"`        // of earlier versions: a free entry point opened a longer window
	Handles        []Handle        `json:"handles,omitempty"`          // that the next messages may take, those that expire first in front
}

// CloseNote says why a conversation was closed. Category has at most 128 characters, Summary 512.
type CloseNote struct {
	Category string `json:"category,omitempty"`
	Summary  string `json:"summary,omitempty"`
}

// Directions of a message.
const (
	In   = "inbound"
	Out  = "outbound"
	Note = "note"
)

// Message is what somebody said.
type Message struct {
	store.Meta
	ConversationID string               `json:"conversation_id"`
	ThreadID       string               `json:"thread_id"`
	ContactID      string               `json:"contact_id"`
	ChannelID      string               `json:"channel_id"`
	ChannelType    event.ChannelType    `json:"channel_type"`
	Seq            int64                `json:"seq"`
	Inbound        int64                `json:"inbound,omitempty"` // which of the customer's messages in the conversation it is: 1, 2 …
	Direction      string               `json:"direction"`
	Content        event.Content        `json:"content"`
	Sender         Sender               `json:"sender"`
	Via            Via                  `json:"via"`
	ExternalIDs    []string             `json:"external_ids,omitempty"`
	Ref            string               `json:"ref,omitempty"` // inbound and echo: the occurrence it came from
	Status         event.DeliveryStatus `json:"status,omitempty"`
	Attempts       []Attempt            `json:"attempts,omitempty"` // of the whole life, oldest first
	Actions        []Action             `json:"actions,omitempty"`  // what was done to it through its channel, oldest first
	Hidden         bool                 `json:"hidden,omitempty"`   // a comment: the public does not see it
	Reactions      []Reacted            `json:"reactions,omitempty"`
	Mentions       []string             `json:"mentions,omitempty"` // notes: users
	Post           *event.Post          `json:"post,omitempty"`
	Digest         string               `json:"digest,omitempty"`
	EditedAt       event.Time           `json:"edited_at,omitzero"`
	Refs           []string             `json:"refs,omitempty"` // occurrences of edits, deletions and reactions that were taken over
	DeletedAt      event.Time           `json:"deleted_at,omitzero"`
	ProviderAt     event.Time           `json:"provider_at,omitzero"`
	Handle         *event.ReplyHandle   `json:"-"` // inbound, until it is in: what the window gets with it
	Tap            bool                 `json:"-"` // inbound, until it is in: it opens no window as messages do
	Standby        bool                 `json:"-"` // inbound and echo, until it is in: another app has the conversation
	CreatedAt      event.Time           `json:"created_at"`
}

// Sender is who said it.
type Sender struct {
	Type   string `json:"type"` // contact, agent, bot, system, app, native_app
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
	Author string `json:"author,omitempty"` // in a group: who of it, in the provider's terms
}

// Via says how a message came to be sent: user, api, automation, bot, echo, away_message …
type Via struct {
	Kind  string `json:"kind"`
	Label string `json:"label,omitempty"`
}

// Attempt is one try to send a message, as delivery status tells it.
type Attempt struct {
	ID          string               `json:"id"`
	N           int                  `json:"n"`
	Status      event.DeliveryStatus `json:"status"`
	Seq         int64                `json:"seq"` // the newest status fact that was taken over
	ExternalIDs []string             `json:"external_ids,omitempty"`
	Steps       []event.Step         `json:"steps,omitempty"`
	Parts       int                  `json:"parts,omitempty"`         // into how many the message was rendered; zero: not known
	Skipped     []int                `json:"skipped_parts,omitempty"` // those that are not sent again, as an earlier attempt brought them
	Places      int                  `json:"places,omitempty"`        // how many it took of those that the channel's window counts
	CreatedAt   event.Time           `json:"created_at"`
}

// Reacted is one person's reaction to a message.
type Reacted struct {
	By    string     `json:"by"` // the contact, or in groups who of it in the provider's terms
	Emoji string     `json:"emoji"`
	At    event.Time `json:"at"`
}

// Row is a row of the timeline that is no message; its id begins with evt_.
type Row struct {
	store.Meta
	ContactID      string          `json:"contact_id"`
	ConversationID string          `json:"conversation_id,omitempty"` // empty: it belongs to the contact
	ThreadID       string          `json:"thread_id,omitempty"`
	Seq            int64           `json:"seq,omitempty"`
	Category       string          `json:"category"`
	Type           string          `json:"type"`
	Actor          event.Actor     `json:"actor"`
	Reference      *event.Referral `json:"reference,omitempty"`
	Data           json.RawMessage `json:"data,omitempty"`
	At             event.Time      `json:"at"`
}

// Known is an id of a person in a provider's account; its own id is derived from both.
type Known struct {
	store.Meta
	ContactID string `json:"contact_id"`
}

// Member is somebody of a channel's groups; the document's id is derived from channel and author.
type Member struct {
	store.Meta
	Name string `json:"name"`
}

// Contact is a person.
type Contact struct {
	store.Meta
	Name       string         `json:"name"`
	Named      bool           `json:"named,omitempty"`     // of earlier versions: Edited holds the name
	Edited     []string       `json:"edited,omitempty"`    // fields that a person has set: no provider overwrites them
	Projected  bool           `json:"projected,omitempty"` // by the projector; contacts of earlier versions were not
	Email      string         `json:"email,omitempty"`
	Phone      string         `json:"phone,omitempty"`
	AvatarURL  string         `json:"avatar_url,omitempty"`
	Identities []Identity     `json:"identities"`
	Custom     map[string]any `json:"custom_fields,omitempty"`
	OriginID   string         `json:"origin_channel_id"`
	OUID       string         `json:"ou_id,omitempty"`
	Blocked    bool           `json:"blocked,omitempty"`
	Reach      string         `json:"unreachable,omitempty"` // of earlier versions: the identities hold it
	OptedOut   bool           `json:"opted_out,omitempty"`   // of marketing
	OptedAt    event.Time     `json:"opted_at,omitzero"`     // when that was said
	MergedInto string         `json:"merged_into,omitempty"`
	Tags       []string       `json:"tags,omitempty"`
	Digest     string         `json:"digest,omitempty"`
	CreatedAt  event.Time     `json:"created_at"`
	UpdatedAt  event.Time     `json:"updated_at"`
}

// Identity is one way to reach a contact, as the projector has it from the thread.
type Identity struct {
	ChannelID   string            `json:"channel_id"`
	ChannelType event.ChannelType `json:"channel_type"`
	Peer        string            `json:"peer"`
	Display     string            `json:"display,omitempty"`
	Username    string            `json:"username,omitempty"`
	Phone       string            `json:"phone,omitempty"`
	Group       bool              `json:"group,omitempty"`
	Unreachable string            `json:"unreachable,omitempty"` // blocked, left, unfollowed, gone or opted_out; empty: can be written to
	ThreadID    string            `json:"thread_id"`
}

// Read says how far a user has read a conversation.
type Read struct {
	store.Meta
	UserID         string     `json:"user_id"`
	ConversationID string     `json:"conversation_id"`
	Seq            int64      `json:"seq"`
	Inbound        int64      `json:"inbound"` // of the conversation at that point: unread is what came since
	At             event.Time `json:"at"`
}

// Parked is something about a message that is not there yet.
type Parked struct {
	store.Meta
	ChannelID string          `json:"channel_id"`
	Target    string          `json:"target"` // the provider's id of the message
	Event     event.Inbound   `json:"event"`
	Attached  *event.Attached `json:"attached,omitempty"` // instead of an event: what became of a file
	DueAt     event.Time      `json:"due_at,omitzero"`    // an echo: when it is a message of the native app after all
	CreatedAt event.Time      `json:"created_at"`
}

// File is an attachment whose bytes we have; its id is the attachment's.
type File struct {
	store.Meta
	Conversations []string          `json:"conversations,omitempty"` // who may see one of them may see it
	UploadedBy    string            `json:"uploaded_by,omitempty"`   // until it is sent, only its owner may
	Type          event.MessageType `json:"type"`
	MIME          string            `json:"mime"`
	Name          string            `json:"name,omitempty"`
	Size          int64             `json:"size"`
	SHA256        string            `json:"sha256"`
	Blob          string            `json:"blob"`
	URL           string            `json:"url,omitempty"` // of a file that stays at the provider, in place of Blob: where it is shown until the document ends
	CreatedAt     event.Time        `json:"created_at"`
	event.Shape
}

// Opening is a call that asked for a conversation; its id is derived from the idempotency key.
type Opening struct {
	store.Meta
	ConversationID string `json:"conversation_id"`
	Digest         string `json:"digest"` // of the call's body
}

// Placement is where a row goes; its id is the row's.
type Placement struct {
	store.Meta
	ConversationID string `json:"conversation_id,omitempty"` // empty: it is the contact's
}

// Decision is what routing decided about a conversation; its id is the decision's.
type Decision struct {
	store.Meta
	ConversationID string         `json:"conversation_id"`
	Epoch          int64          `json:"epoch"`
	Action         string         `json:"action"`
	AgentID        string         `json:"agent_id,omitempty"`
	QueueID        string         `json:"queue_id,omitempty"`
	BotID          string         `json:"bot_id,omitempty"`
	Reasons        []event.Reason `json:"reasons"`
	Outcome        string         `json:"outcome"` // applied or refused
	At             event.Time     `json:"at"`
}
