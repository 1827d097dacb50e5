package record

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Source is the service that says everything here.
const Source = "inbox"

// Open starts the first conversation of a thread, or the one that follows prev. carry is what goes on from prev. The
// conversation waits in the channel's queue from its first fact on.
func (t *Thread) Open(n int, carry Window, rules Rules, by event.Actor, why string, ref *event.Referral, at event.Time) *Conversation {
	c := &Conversation{
		ThreadID: t.ID, N: n, ContactID: t.ContactID, ChannelID: t.ChannelID, ChannelType: t.ChannelType, Kind: t.Kind, Post: t.Post,
		Peer: t.Peer, Aliases: t.Aliases, OUID: rules.OUID, QueueID: rules.QueueID, Blocked: t.Blocked, Status: Open,
		HolderEpoch: 1, Version: 1, rerouted: true, Window: carry, Reference: ref,
		LastMessageAt: at, OpenedAt: at, OpenedBy: by, UpdatedAt: at,
	}
	c.ID, c.Tenant = ConversationID(t.Tenant, t.ChannelID, t.ID, n), t.Tenant
	c.say(event.ConversationOpened, at, by, fact{happened: happened("conversation", "conversation_opened", ref, map[string]string{"by": why})})
	return c
}

// Follow says that conversation next goes on where this closed one ended. next is the record that the fact implies,
// with its own first fact in it, so that whoever applies this one inserts the same document (docs/models/facts.pml,
// FOLLOW=1).
func (c *Conversation) Follow(next string, document json.RawMessage, by event.Actor, at event.Time) {
	c.Next = next
	c.say(event.ConversationFollow, at, by, fact{carry: document})
}

// Receive takes a message of the customer.
func (c *Conversation) Receive(m *Message) {
	at, ref := m.CreatedAt, m.Content.Referral
	c.Inbound++
	m.Inbound = c.Inbound
	c.control(m.Standby, m.said(event.Time{}))
	said := c.Window.LastInboundAt
	if !m.Tap {
		said = m.said(said)
	}
	c.Window = Window{
		LastInboundAt: said, LastInboundID: m.ID, ReadToken: m.Content.ReadToken,
		Anchors: c.Window.Anchors, FreeUntil: c.Window.FreeUntil, Handles: c.Window.Handles,
	}
	c.Window.learn(m.Handle, at)
	if len(m.ExternalIDs) > 0 {
		c.Window.LastInboundRef = m.ExternalIDs[0]
	}
	if !c.Unresponded {
		c.Unresponded, c.WaitingSince = true, at
	}
	if ref != nil && c.Reference == nil {
		c.Reference = ref
	}
	c.add(m, event.Actor{Kind: "contact", ID: c.ContactID, Name: m.Sender.Name})
}

// keptWithdrawn is how many withdrawn messages a conversation remembers: what is older has been read long ago.
const keptWithdrawn = 256

// withdraw notes that the customer has deleted one of their messages, so that it is not unread any more. It reports whether that
// was news.
func (c *Conversation) withdraw(inbound int64) bool {
	if inbound == 0 || slices.Contains(c.Withdrawn, inbound) {
		return false
	}
	c.Withdrawn = append(c.Withdrawn[max(0, len(c.Withdrawn)-keptWithdrawn+1):], inbound)
	return true
}

// Unread is how many messages of the customer came after so many of them were read; deleted ones do not count.
func (c *Conversation) Unread(read int64) int64 {
	n := c.Inbound - read
	for _, w := range c.Withdrawn {
		if w > read {
			n--
		}
	}
	return max(n, 0)
}

// Send takes a message to the customer; it is queued and its first attempt is on the way.
func (c *Conversation) Send(m *Message, d Dispatch) {
	at := m.CreatedAt
	m.Status = event.Queued
	m.Attempts = []Attempt{{ID: AttemptID(c.Tenant, m.ID, 1), N: 1, Status: event.Queued, Places: d.Needs, CreatedAt: at}}
	c.answered(m, at)
	c.Use(d, m.Attempts[0].ID, at)
	d.reply = c.Window.take(at)
	c.add(m, d.By)
	c.Emit(event.TopicOutbound(c.ChannelType), event.Key(c.ChannelID, c.Peer), m.send(d))
}

// Dispatch is what an attempt needs to know of the conversation.
func (c *Conversation) Dispatch(by event.Actor, sendBy event.Time) Dispatch {
	return Dispatch{Peer: c.Peer, Aliases: c.Aliases, InReplyTo: c.Window.LastInboundRef, By: by, SendBy: sendBy}
}

// Echo takes a message that the business sent from another client of the account.
func (c *Conversation) Echo(m *Message) {
	if m.Standby { // one that is not tells nothing: other apps may write while this one has the conversation
		c.control(true, m.said(event.Time{}))
	}
	c.answered(m, m.CreatedAt)
	c.add(m, event.Actor{Kind: "user", Name: m.Sender.Name})
}

// Annotate takes a note of the team. It never becomes the last message.
func (c *Conversation) Annotate(m *Message, by event.Actor) {
	c.number(m)
	c.say(event.MessageCreated, m.CreatedAt, by, fact{message: m})
}

func (c *Conversation) answered(m *Message, at event.Time) {
	if m.Sender.Type == "system" || m.Content.Type == event.ReactionType {
		return // neither an automatic answer nor a reaction answers the customer
	}
	c.Unresponded, c.WaitingSince = false, event.Time{}
	if c.FirstResponseAt.IsZero() && c.Inbound > 0 {
		c.FirstResponseAt = at
	}
}

func (c *Conversation) add(m *Message, by event.Actor) {
	c.number(m)
	c.LastMessageID, c.LastMessageAt = m.ID, m.CreatedAt
	c.say(event.MessageCreated, m.CreatedAt, by, fact{message: m})
}

func (c *Conversation) number(m *Message) {
	m.Tenant, m.ConversationID, m.ThreadID, m.ContactID = c.Tenant, c.ID, c.ThreadID, c.ContactID
	m.ChannelID, m.ChannelType, m.Post = c.ChannelID, c.ChannelType, c.Post
	m.Seq = c.Seq + 1
	m.CreatedAt = later(c.UpdatedAt, m.CreatedAt)
}

// later is the later of two times: those in a conversation never fall, whatever happens to the clock, so that what is
// newest by its number is newest by its time.
func later(a, b event.Time) event.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Shut closes the conversation. unassign frees the holder, as S3 has it; the last agent stays known. routed names the
// decision, if routing made it.
func (c *Conversation) Shut(by event.Actor, note *CloseNote, unassign bool, why, routed string, at event.Time) error {
	if c.Status == Closed {
		return fault.New(fault.Conflict, "conversation_closed", "the conversation is closed already")
	}
	c.Status, c.ClosedAt, c.ClosedBy, c.Close = Closed, at, &by, note
	c.SnoozedUntil = event.Time{}
	c.StopTimer(snoozeTimer)
	c.BotActive = false
	if unassign {
		c.AssigneeID = ""
	}
	c.moved(routed)
	c.say(event.ConversationClosed, at, by, fact{happened: happened("conversation", "conversation_closed", nil, map[string]any{"reason": why, "note": note})})
	return nil
}

// Reopen opens a closed conversation again, unless another one follows it.
func (c *Conversation) Reopen(by event.Actor, why string, at event.Time) error {
	switch {
	case c.Status != Closed:
		return fault.New(fault.Conflict, "conversation_open", "the conversation is open")
	case c.Next != "" || c.Into != "":
		return fault.New(fault.Conflict, "conflict", "the thread goes on in %s", cmp.Or(c.Next, c.Into))
	}
	c.Status, c.ClosedAt, c.ClosedBy, c.Close = Open, event.Time{}, nil, nil
	if c.AssigneeID == "" && c.WaitingSince.IsZero() {
		c.WaitingSince = at
	}
	c.moved("")
	c.say(event.ConversationReopen, at, by, fact{happened: happened("conversation", "conversation_reopened", nil, map[string]string{"by": why})})
	return nil
}

// Target is who is to hold a conversation: at most one of the three; none takes it away from whoever has it.
type Target struct {
	AgentID, AgentName string
	QueueID, BotID     string
}

// Assign changes the holder. routed names the decision, if routing made it. Who holds it already keeps it without a
// change.
func (c *Conversation) Assign(to Target, by event.Actor, routed string, at event.Time) {
	if c.holds(to) {
		return
	}
	was, wasQueue := c.AssigneeID, c.QueueID
	typ := "assigned"
	switch {
	case to.AgentID != "":
		c.AssigneeID, c.BotActive = to.AgentID, false
		c.LastAgentID = to.AgentID
		if !slices.Contains(c.Agents, to.AgentID) {
			c.Agents = append(c.Agents, to.AgentID)
		}
		if to.QueueID != "" {
			c.QueueID = to.QueueID
		}
	case to.BotID != "":
		c.AssigneeID, c.BotID, c.BotActive, typ = "", to.BotID, true, "bot_on"
	case to.QueueID != "":
		c.AssigneeID, c.QueueID, c.BotActive, typ = "", to.QueueID, false, "queued"
	default:
		c.AssigneeID, c.QueueID, c.BotActive, typ = "", "", false, "unassigned"
	}
	if c.AssigneeID == "" && c.WaitingSince.IsZero() {
		c.WaitingSince = at
	}
	c.moved(routed)
	c.say(event.ConversationHolder, at, by, fact{happened: happened("assignment", typ, nil, map[string]string{
		"agent_id": to.AgentID, "agent_name": to.AgentName, "queue_id": to.QueueID, "bot_id": to.BotID, "was": was, "was_queue": wasQueue, "decision": routed,
	})})
}

func (c *Conversation) holds(to Target) bool {
	switch {
	case to.AgentID != "":
		return c.AssigneeID == to.AgentID && !c.BotActive
	case to.BotID != "":
		return c.BotActive && c.BotID == to.BotID
	}
	return c.AssigneeID == "" && !c.BotActive && c.QueueID == to.QueueID
}

// moved marks a change of status, holder or queue; routed names the decision that made it, if routing did.
func (c *Conversation) moved(routed string) {
	c.reroute()
	c.Routed = routed
	if routed != "" {
		c.Decided = routed
	}
}

// reroute moves the epoch, so that routing decides anew by what has changed, and a decision under way is refused.
func (c *Conversation) reroute() {
	c.HolderEpoch++
	c.Version++
	c.rerouted = true
}

// block takes over whether the contact is blocked. What a blocked contact wrote is given to no agent.
func (c *Conversation) block(blocked bool, by event.Actor, at event.Time) {
	if c.Blocked == blocked {
		return
	}
	typ := "contact_unblocked"
	if blocked {
		typ = "contact_blocked"
	}
	c.Blocked = blocked
	c.reroute()
	c.Note("contact", typ, by, nil, nil, at)
}

// control takes over who has the conversation at the provider: this app or, on standby, another one, to which routing and bots leave it. What
// is older than what is known changes nothing.
func (c *Conversation) control(standby bool, at event.Time) {
	switch {
	case !standby && c.ControlAt.IsZero():
		return // no other app was heard of
	case at.Before(c.ControlAt) || standby && at.Before(c.Window.LastInboundAt):
		return
	}
	c.ControlAt = at
	if c.Standby == standby {
		return
	}
	c.Standby = standby
	if standby {
		c.BotActive = false
	} else if c.AssigneeID == "" && c.WaitingSince.IsZero() {
		c.WaitingSince = at
	}
	c.reroute()
}

// AdmitsBot refuses a bot where another app has the conversation: two machines would answer.
func (c *Conversation) AdmitsBot() error {
	if c.Standby {
		return fault.New(fault.Conflict, "conversation_elsewhere", "another app of the channel's account has the conversation; a bot may have it once it is passed to this app")
	}
	return nil
}

// Tag replaces the tags.
func (c *Conversation) Tag(tags []string, by event.Actor, at event.Time) {
	if slices.Equal(c.Tags, tags) {
		return
	}
	c.Tags = tags
	c.Version++
	c.say(event.ConversationChanged, at, by, fact{happened: happened("conversation", "tags_changed", nil, map[string]any{"tags": tags})})
}

// PriorityChanged is the type of the row for another priority, whose data has the rank.
const PriorityChanged = "priority_changed"

// Prioritize sets the priority: 0 none, 1 low, 2 normal, 3 high, 4 urgent.
func (c *Conversation) Prioritize(p int, by event.Actor, at event.Time) {
	if c.Priority == p {
		return
	}
	c.Priority = p
	c.reroute()
	c.say(event.ConversationChanged, at, by, fact{happened: happened("conversation", PriorityChanged, nil, map[string]int{"priority": p})})
}

// Snooze hides the conversation until a time; a zero time ends that. While it is asleep it waits in no queue and takes
// no agent's place.
func (c *Conversation) Snooze(until event.Time, by event.Actor, at event.Time) error {
	typ := "snoozed"
	switch {
	case c.Status == Closed:
		return fault.New(fault.Conflict, "conversation_closed", "the conversation is closed")
	case until.IsZero() && c.Status != Snoozed:
		return nil
	case until.IsZero():
		c.Status, typ = Open, "unsnoozed"
		c.SnoozedUntil = event.Time{}
		c.StopTimer(snoozeTimer)
	default:
		c.Status = Snoozed
		c.SnoozedUntil = until
		c.StartTimer(snoozeTimer, until, "")
	}
	c.reroute()
	c.say(event.ConversationChanged, at, by, fact{happened: happened("snooze", typ, nil, map[string]event.Time{"until": until})})
	return nil
}

// Note puts a row into the timeline.
func (c *Conversation) Note(category, typ string, by event.Actor, ref *event.Referral, data any, at event.Time) {
	c.say(event.ConversationNoted, at, by, fact{happened: happened(category, typ, ref, data)})
}

// State is how routing sees the holder.
func (c *Conversation) State() string {
	switch {
	case c.Status == Closed || c.BotActive || c.Blocked:
		return event.Out
	case c.Status == Snoozed:
		return event.Asleep
	case c.AssigneeID != "":
		return event.Held
	case c.Standby:
		return event.Out
	}
	return event.Waiting
}

// Handler is who has it, in the words of the API: human, bot, queue or none.
func (c *Conversation) Handler() string {
	switch {
	case c.AssigneeID != "":
		return "human"
	case c.BotActive:
		return "bot"
	case c.QueueID != "" && c.Status != Closed:
		return "queue"
	}
	return "none"
}

type fact struct {
	message  *Message
	happened *event.Happened
	carry    json.RawMessage
}

func happened(category, typ string, ref *event.Referral, data any) *event.Happened {
	b, err := json.Marshal(data)
	if err != nil {
		panic(err) // our own maps and structs always marshal
	}
	return &event.Happened{Category: category, Type: typ, Reference: ref, Data: b}
}

// say numbers what happened and makes it a fact.
func (c *Conversation) say(typ event.Type, at event.Time, by event.Actor, f fact) {
	c.Seq++
	at = later(c.UpdatedAt, at)
	c.UpdatedAt = at
	p := event.Conversation{
		ConversationID: c.ID, ThreadID: c.ThreadID, N: c.N, ContactID: c.ContactID, ChannelID: c.ChannelID, ChannelType: c.ChannelType,
		Peer: c.Peer, Kind: c.Kind, Seq: c.Seq, At: at, By: by, OUID: c.OUID, Holder: c.holder(), Happened: f.happened, Carry: f.carry,
		Rerouted: c.rerouted,
	}
	c.rerouted = false
	if f.happened != nil && f.happened.ID == "" {
		f.happened.ID = RowID(c.Tenant, c.ID, c.Seq)
	}
	if f.message != nil {
		p.Message = f.message.encode()
	}
	c.Emit(event.TopicConversations, c.ThreadID, event.New(
		event.DeriveID("evt", c.Tenant, c.ID, strconv.FormatInt(c.Seq, 10), string(typ)), typ, Source, c.Tenant, c.ID, at, p))
}

func (c *Conversation) holder() event.Holder {
	return event.Holder{
		ConversationID: c.ID, ThreadID: c.ThreadID, ChannelID: c.ChannelID, ChannelType: c.ChannelType, ContactID: c.ContactID, Peer: c.Peer,
		Epoch: c.HolderEpoch, State: c.State(), AgentID: c.AssigneeID, QueueID: c.QueueID, BotID: c.BotID, Routed: c.Routed,
		Priority: c.Priority, WaitingSince: c.WaitingSince, OUID: c.OUID,
	}
}

// ReopenAfter decides what an inbound message does to a closed conversation, by the channel's setting: true reopens it.
func (c *Conversation) ReopenAfter(setting string, hours int, at event.Time) bool {
	switch {
	case c.Next != "" || c.Into != "":
		return false
	case setting == channel.ReopenAlways:
		return true
	case setting == channel.ReopenWithin:
		return at.Sub(c.ClosedAt.Time) <= time.Duration(hours)*time.Hour
	}
	return false
}
