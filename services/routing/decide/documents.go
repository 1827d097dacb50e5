// Package decide is routing's decider: who gets which conversation. A tenant has one decider at a time, the owner of
// its partition of tributary.routing; the rules are those of docs/models/routing.pml (R1–R13) and, for queues,
// docs/models/routing2.pml (R14, R20, R22).
package decide

import (
	"cmp"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Source is the service that says everything here.
const Source = "routing"

// The collections. Those of agents and queues are declared in package directory, by which other services read them.
var (
	PresenceSpec = store.Spec{Name: "presences", Facts: true, Indexes: []store.Index{{Name: "by_lease", Fields: []string{"lease_ends"}, Sparse: true}}}
	SkillSpec    = store.Spec{Name: "skills", Indexes: []store.Index{{Name: "by_tenant", Fields: []string{"tenant", "name"}}}}
	RoutedSpec   = store.Spec{Name: "routed_conversations", Facts: true, Indexes: []store.Index{
		{Name: "intended", Fields: []string{"intended_since"}, Sparse: true},
		{Name: "undecided", Fields: []string{"undecided_since"}, Sparse: true},
		{Name: "by_queue", Fields: []string{"tenant", "state", "queue_id", "waiting_since"}},
	}}
	Specs = []store.Spec{directory.Agents, PresenceSpec, directory.Queues, SkillSpec, RoutedSpec}
)

// The kinds of holds.
const (
	Offered = "offered" // decided, inbox has not said yet whether it applied
	Held    = "held"
)

// Hold is a conversation that counts against an agent's limit.
type Hold struct {
	ConversationID string          `json:"conversation_id"`
	Epoch          int64           `json:"epoch"`
	Kind           string          `json:"kind"`
	Decision       *event.Decision `json:"decision,omitempty"` // offered: to say it again
	Since          event.Time      `json:"since"`
}

// Agent is what routing knows of an agent. A decision is a hold in this document, in the same write as the decision's
// fact.
type Agent struct {
	store.Meta
	Limit        int        `json:"limit"` // conversations at once; 0: none are routed to this agent
	QueueIDs     []string   `json:"queue_ids"`
	Skills       []string   `json:"skills"`
	Holds        []Hold     `json:"holds"`
	Holding      []string   `json:"holding"`                // the conversations of Holds, for the index
	OfferedSince event.Time `json:"offered_since,omitzero"` // the oldest offer that is unanswered
	IdleSince    event.Time `json:"idle_since,omitzero"`    // since when nothing is held; ties go to the longest idle
	Version      int64      `json:"version"`
	CreatedAt    event.Time `json:"created_at"`
}

// DefaultLimit is how many conversations an agent gets at once unless told otherwise.
const DefaultLimit = 5

// NewAgent returns the document of an agent that routing meets for the first time.
func NewAgent(tenant, id string, at event.Time) *Agent {
	a := &Agent{Limit: DefaultLimit, QueueIDs: []string{}, Skills: []string{}, Holds: []Hold{}, Holding: []string{}, IdleSince: at, CreatedAt: at}
	a.ID, a.Tenant = id, tenant
	return a
}

func (a *Agent) hold(conversationID string) *Hold {
	i := slices.IndexFunc(a.Holds, func(h Hold) bool { return h.ConversationID == conversationID })
	if i < 0 {
		return nil
	}
	return &a.Holds[i]
}

// load is how many conversations count, one apart.
func (a *Agent) load(except string) int {
	n := len(a.Holds)
	if a.hold(except) != nil {
		n--
	}
	return n
}

// put sets a hold.
func (a *Agent) put(h Hold, at event.Time) {
	if old := a.hold(h.ConversationID); old != nil {
		*old = h
	} else {
		a.Holds = append(a.Holds, h)
	}
	a.tidy(at)
}

// drop frees a hold.
func (a *Agent) drop(conversationID string, at event.Time) {
	a.Holds = slices.DeleteFunc(a.Holds, func(h Hold) bool { return h.ConversationID == conversationID })
	a.tidy(at)
}

func (a *Agent) tidy(at event.Time) {
	a.Holding, a.OfferedSince = []string{}, event.Time{}
	for _, h := range a.Holds {
		a.Holding = append(a.Holding, h.ConversationID)
		if h.Kind == Offered && (a.OfferedSince.IsZero() || h.Since.Before(a.OfferedSince)) {
			a.OfferedSince = h.Since
		}
	}
	switch {
	case len(a.Holds) > 0:
		a.IdleSince = event.Time{}
	case a.IdleSince.IsZero():
		a.IdleSince = at
	}
}

// serves reports whether the agent is of a queue: a member, or in possession of every skill it asks for.
func (a *Agent) serves(q *Queue) bool {
	if slices.Contains(a.QueueIDs, q.ID) {
		return true
	}
	return len(q.Skills) > 0 && !slices.ContainsFunc(q.Skills, func(s string) bool { return !slices.Contains(a.Skills, s) })
}

// Presence is whether an agent is there. It is a document with a lease: whoever does not renew it is offline, and an
// empty Redis expires nobody.
type Presence struct {
	store.Meta
	State     string     `json:"state"` // idle, busy, rest or offline
	Reason    string     `json:"reason,omitempty"`
	Since     event.Time `json:"since"`
	LeaseEnds event.Time `json:"lease_ends,omitzero"` // unset while offline
	// LeaseSeconds is how long the lease was when it was renewed last; 0 in documents of the first version.
	LeaseSeconds int64 `json:"lease_seconds,omitempty"`
}

// There reports whether the presence counts: its lease is not over.
func (p *Presence) There(at event.Time) bool { return p.State != "offline" && !p.over(at) }

// over reports whether the lease has ended. One that ends later than it may was written before the clock was set back.
func (p *Presence) over(at event.Time) bool {
	return due.Passed(p.LeaseEnds, at, cmp.Or(time.Duration(p.LeaseSeconds)*time.Second, MaxLease))
}

// Queue is a skill queue.
type Queue struct {
	store.Meta
	Name      string     `json:"name"`
	OUID      string     `json:"ou_id,omitempty"`
	Skills    []string   `json:"skills"`
	Version   int64      `json:"version"`
	Digest    string     `json:"digest,omitempty"`
	Deleted   bool       `json:"deleted,omitempty"`
	CreatedAt event.Time `json:"created_at"`
}

// Skill is something an agent may be able to do.
type Skill struct {
	store.Meta
	Name      string     `json:"name"`
	CreatedAt event.Time `json:"created_at"`
}

// Routed is a conversation as routing knows it, by the newest fact that was taken over. It only moves forward, also after
// closing (R5).
type Routed struct {
	store.Meta
	ThreadID     string            `json:"thread_id"`
	ChannelID    string            `json:"channel_id"`
	ChannelType  event.ChannelType `json:"channel_type"`
	Epoch        int64             `json:"epoch"`
	State        string            `json:"state"` // an event.Holder's
	AgentID      string            `json:"agent_id,omitempty"`
	QueueID      string            `json:"queue_id,omitempty"` // that the conversation waits in, as the conversation says
	Priority     int               `json:"priority,omitempty"`
	WaitingSince event.Time        `json:"waiting_since,omitzero"`
	OUID         string            `json:"ou_id,omitempty"`

	UndecidedSince event.Time `json:"undecided_since,omitzero"` // WaitingSince of what is undecided, for the index

	// Intent is a decision about the queue at this epoch that inbox has not answered. It hides the conversation until
	// the fact comes that answers it.
	Intent        *event.Decision `json:"intent,omitempty"`
	IntendedSince event.Time      `json:"intended_since,omitzero"` // when it was published last, for the index
	QueueKnown    bool            `json:"queue_known,omitempty"`   // false: QueueID may be the channel's, the conversation carries none
}

// undecided reports whether an agent is to be found for it. What waits in no queue stays unassigned until a person
// takes it.
func (p *Routed) undecided() bool {
	return p.State == event.Waiting && p.QueueID != "" && p.Intent == nil
}

// follow takes over a newer fact of the conversation.
func (p *Routed) follow(h event.Holder, at event.Time) {
	p.ThreadID, p.ChannelID, p.ChannelType = h.ThreadID, h.ChannelID, h.ChannelType
	p.Epoch, p.State, p.AgentID, p.QueueID, p.QueueKnown = h.Epoch, h.State, h.AgentID, h.QueueID, true
	p.Priority, p.WaitingSince, p.OUID = h.Priority, h.WaitingSince, h.OUID
	if p.State == event.Waiting && p.WaitingSince.IsZero() {
		p.WaitingSince = at
	}
	p.Intent, p.IntendedSince = nil, event.Time{}
	p.stamp()
}

// stamp sets what the index of the undecided is made of.
func (p *Routed) stamp() {
	p.UndecidedSince = event.Time{}
	if p.undecided() {
		p.UndecidedSince = p.WaitingSince
	}
}
