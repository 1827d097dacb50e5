package event

import "encoding/json"

// Conversation is a fact about one conversation: the payload of everything on [TopicConversations]. Seq is the fact's place
// in the conversation: gapless and final, shared by messages and events. Consumers skip a seq they have seen.
type Conversation struct {
	ConversationID string          `json:"conversation_id"`
	ThreadID       string          `json:"thread_id"`
	N              int             `json:"n"` // place in the thread's chain: 1, 2 …
	ContactID      string          `json:"contact_id"`
	ChannelID      string          `json:"channel_id"`
	ChannelType    ChannelType     `json:"channel_type"`
	Peer           string          `json:"peer"`
	Kind           string          `json:"kind"` // messages or comments
	Seq            int64           `json:"seq"`
	At             Time            `json:"at"`
	By             Actor           `json:"by"`
	Holder         Holder          `json:"holder"`             // as of this fact
	Rerouted       bool            `json:"rerouted,omitempty"` // the holder's epoch moved with this fact
	OUID           string          `json:"ou_id,omitempty"`
	Message        json.RawMessage `json:"message,omitempty"`  // inbox's message document: created, updated
	Happened       *Happened       `json:"happened,omitempty"` // a row of the timeline: what happened
	Carry          json.RawMessage `json:"carry,omitempty"`    // followed: what the next conversation starts from (window, counts)
}

// Happened is a row of a contact's events.
type Happened struct {
	ID        string          `json:"id"` // evt_…
	Category  string          `json:"category"`
	Type      string          `json:"type"`
	Reference *Referral       `json:"reference,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
}

// The states of a conversation in the eyes of routing.
const (
	Waiting = "waiting" // open without a holder
	Held    = "held"    // open, an agent has it
	Asleep  = "asleep"  // snoozed: it waits in no queue and takes no agent's place until it wakes
	Out     = "out"     // closed, with a bot, or with another app of the provider's account
)

// Holder is who has a conversation at an epoch: the payload of [RoutingHolder]. The epoch moves with every change of what
// routing decides by: status, holder, queue, priority, snooze; every such change is passed on, never a bare "left".
type Holder struct {
	ConversationID string      `json:"conversation_id"`
	ThreadID       string      `json:"thread_id"`
	ChannelID      string      `json:"channel_id"`
	ChannelType    ChannelType `json:"channel_type"`
	ContactID      string      `json:"contact_id"`
	Peer           string      `json:"peer,omitempty"`
	Epoch          int64       `json:"epoch"`
	State          string      `json:"state"` // waiting, held, asleep or out
	AgentID        string      `json:"agent_id,omitempty"`
	QueueID        string      `json:"queue_id,omitempty"`
	BotID          string      `json:"bot_id,omitempty"`
	Routed         string      `json:"routed,omitempty"` // the decision that led here, if one did
	Priority       int         `json:"priority,omitempty"`
	WaitingSince   Time        `json:"waiting_since,omitzero"`
	OUID           string      `json:"ou_id,omitempty"`
}

// Agent says that an agent's presence or limits may have changed; the decider reads the document.
type Agent struct {
	AgentID string `json:"agent_id"`
	Change  string `json:"change"` // presence, limit, queues
}

// Due asks the decider to look again at what waits under a queue or a channel whose settings changed: the payload of
// [RoutingDue]. One of QueueID and ChannelID is set.
type Due struct {
	QueueID   string `json:"queue_id,omitempty"`
	ChannelID string `json:"channel_id,omitempty"`
	Version   int64  `json:"version,omitempty"` // of the settings; an older value is not used
	After     string `json:"after,omitempty"`   // where to go on: what waits is looked at in parts
}

// Decision is what routing wants: the payload of [RoutingDecided]. Inbox applies it only if the epoch is unchanged.
type Decision struct {
	ID             string   `json:"id"` // derived from conversation, epoch and target
	ConversationID string   `json:"conversation_id"`
	ThreadID       string   `json:"thread_id"`
	Epoch          int64    `json:"epoch"`
	Action         string   `json:"action"` // assign, unassign, queue, bot, send, close
	AgentID        string   `json:"agent_id,omitempty"`
	AgentName      string   `json:"agent_name,omitempty"`
	QueueID        string   `json:"queue_id,omitempty"`
	BotID          string   `json:"bot_id,omitempty"`
	Content        *Content `json:"content,omitempty"` // send
	Reasons        []Reason `json:"reasons"`
	At             Time     `json:"at"`
}

// Reason is one line of why a decision fell as it did.
type Reason struct {
	Code    string `json:"code"` // least_loaded, longest_idle, at_limit, wrong_skill, offline …
	AgentID string `json:"agent_id,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// Refusal says that inbox did not apply a decision.
type Refusal struct {
	DecisionID     string `json:"decision_id"`
	ConversationID string `json:"conversation_id"`
	ThreadID       string `json:"thread_id"`
	Epoch          int64  `json:"epoch"` // the epoch the decision was made at
	AgentID        string `json:"agent_id,omitempty"`
	Reason         string `json:"reason"`
}

// Stream is a thin event for agent apps, with what is needed to decide who may see it.
type Stream struct {
	Type           string          `json:"type"` // the event name on the wire, e.g. message.created
	ConversationID string          `json:"conversation_id,omitempty"`
	ContactID      string          `json:"contact_id,omitempty"`
	Assignee       string          `json:"assignee,omitempty"`
	Was            string          `json:"was,omitempty"`       // the assignee before: loses sight with conversation.gone
	WasQueue       string          `json:"was_queue,omitempty"` // the queue before: its team loses sight, too
	QueueID        string          `json:"queue_id,omitempty"`
	OUID           string          `json:"ou_id,omitempty"`
	Data           json.RawMessage `json:"data"`
}

// Config names a changed configuration entity; readers fetch the value from the store.
type Config struct {
	Entity  string `json:"entity"` // channel, queue, agent, bot, calendar, tenant, api_key, user
	ID      string `json:"id"`
	Version int64  `json:"version"`
	Deleted bool   `json:"deleted,omitempty"`
}
