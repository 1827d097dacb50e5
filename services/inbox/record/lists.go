package record

import (
	"slices"

	"github.com/tributaryhq/tributary/pkg/store"
)

// ListOrders are what orders lists of conversations: the last message, and since when somebody waits.
const (
	ByLastMessage = "last_message_at"
	ByWaiting     = "waiting_since"
)

// conversationLists declares the lists of conversations. A change of what [Conversation.Tokens] returns is a new version.
var conversationLists = &store.Lists{Orders: []string{ByLastMessage, ByWaiting}, Version: 1}

// Listed are the collections whose documents stand in lists.
func Listed(db store.DB) []store.Relister {
	return []store.Relister{store.NewCollection[Conversation](db, ConversationSpec)}
}

// Scope is who sees a conversation. Each scope of a conversation has it in one list by its [State].
type Scope string

// Scopes that are no single queue, agent or unit.
const (
	Everyone Scope = "*"
	Free     Scope = "free" // no holder, no queue, not closed: every agent may take it
)

// OfQueue is the scope of those who have the queue.
func OfQueue(id string) Scope { return Scope("q:" + id) }

// OfAgent is the scope of the holder; of a closed conversation that of all who took part.
func OfAgent(id string) Scope { return Scope("a:" + id) }

// OfUnit is the scope of an organization unit.
func OfUnit(id string) Scope { return Scope("u:" + id) }

// State parts the conversations of a scope into lists. A conversation is in exactly one of the first five, and in Waits beside it.
type State string

// States.
const (
	Unassigned State = "un" // open, no assignee
	Assigned   State = "as" // open
	Asleep     State = "sn"
	Ended      State = "cl"
	Barred     State = "bl" // the contact is blocked, whatever the status is
	Waits      State = "ur" // open, not blocked, and the customer's last message is not answered
)

// listState is the list of each scope that the conversation is in.
func (c *Conversation) listState() State {
	switch {
	case c.Blocked:
		return Barred
	case c.Status == Closed:
		return Ended
	case c.Status == Snoozed:
		return Asleep
	case c.AssigneeID != "":
		return Assigned
	}
	return Unassigned
}

// IsFree reports whether no agent and no queue has the conversation, and it is not closed.
func (c *Conversation) IsFree() bool {
	return c.AssigneeID == "" && c.QueueID == "" && c.Status != Closed
}

// Tokens implements store.Listed: a list for each scope that sees the conversation, and for each thing that people filter by. A list
// belongs to a kind. What follows the last slash of a scope's list is one of the states, and what precedes the first colon is ours, so
// that ids and tags may be any text.
func (c *Conversation) Tokens() []string {
	state := c.listState()
	var out []string
	for _, scope := range c.scopes() {
		out = append(out, ScopeList(c.Kind, scope, state))
		if c.Unresponded && c.Status == Open && !c.Blocked {
			out = append(out, ScopeList(c.Kind, scope, Waits))
		}
	}
	out = append(out, ChannelList(c.Kind, c.ChannelID), TypeList(c.Kind, string(c.ChannelType)), ContactList(c.Kind, c.ContactID))
	for _, tag := range c.Tags {
		out = append(out, TagList(c.Kind, tag))
	}
	return out
}

func (c *Conversation) scopes() []Scope {
	scopes := []Scope{Everyone}
	if c.QueueID != "" {
		scopes = append(scopes, OfQueue(c.QueueID))
	}
	if c.AssigneeID != "" {
		scopes = append(scopes, OfAgent(c.AssigneeID))
	}
	if c.Status == Closed {
		for _, agent := range c.Agents {
			if agent != c.AssigneeID {
				scopes = append(scopes, OfAgent(agent))
			}
		}
	}
	if c.IsFree() {
		scopes = append(scopes, Free)
	}
	if c.OUID != "" {
		scopes = append(scopes, OfUnit(c.OUID))
	}
	return scopes
}

// ScopeList is the list of a scope's conversations in a state.
func ScopeList(kind string, scope Scope, state State) string {
	return kind + "|" + string(scope) + "/" + string(state)
}

// ScopeLists are those of all scopes and all states.
func ScopeLists(kind string, scopes []Scope, states []State) []string {
	lists := make([]string, 0, len(scopes)*len(states))
	for _, scope := range scopes {
		for _, state := range states {
			lists = append(lists, ScopeList(kind, scope, state))
		}
	}
	return slices.Clip(lists)
}

// ChannelList is the list of a channel's conversations, in any state.
func ChannelList(kind, id string) string { return kind + "|ch:" + id }

// TypeList is the list of the conversations on channels of a type, those on deleted channels among them.
func TypeList(kind, channelType string) string { return kind + "|ty:" + channelType }

// ContactList is the list of a contact's conversations.
func ContactList(kind, id string) string { return kind + "|ct:" + id }

// TagList is the list of the conversations that have a tag.
func TagList(kind, tag string) string { return kind + "|tag:" + tag }
