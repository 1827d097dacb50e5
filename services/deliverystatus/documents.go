package deliverystatus

import (
	"slices"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// The collections (docs/models/receipts.pml: S, A and W).
var (
	receiptSpec = store.Spec{Name: "receipts", Expires: true}
	attemptSpec = store.Spec{Name: "attempts", Facts: true, Expires: true, Indexes: []store.Index{
		{Name: "by_waits_for", Fields: []string{"waits_for", "at"}, Has: "waits_for"},
		{Name: "by_message", Fields: []string{"message_id", "n"}},
		{Name: "by_status", Fields: []string{"tenant", "channel_id", "status", "at"}},
	}, Superseded: []string{"unread"}}
	watermarkSpec = store.Spec{Name: "watermarks"}
	collections   = []store.Spec{receiptSpec, attemptSpec, watermarkSpec, redrivenSpec}
)

// receipt is all that is known about one provider id: S.
type receipt struct {
	store.Meta
	ChannelID  string       `json:"channel_id"`
	ExternalID string       `json:"external_id"`
	Steps      []event.Step `json:"steps,omitempty"`
	Link       *link        `json:"link,omitempty"`
}

// link says which part of which attempt a provider id is.
type link struct {
	AttemptID string     `json:"attempt_id"`
	Part      int        `json:"part"`
	At        event.Time `json:"at"` // when the provider took it: what a watermark's time is compared with
}

// take adds a step and reports whether it is news. A step is known by its status.
func (r *receipt) take(s event.Step) bool {
	if slices.ContainsFunc(r.Steps, func(h event.Step) bool { return h.Status == s.Status }) {
		return false
	}
	r.Steps = append(r.Steps, s)
	return true
}

// attempt is one attempt to send a message: A.
type attempt struct {
	store.Meta
	MessageID      string               `json:"message_id,omitempty"` // empty until a send result has told
	ConversationID string               `json:"conversation_id,omitempty"`
	ThreadID       string               `json:"thread_id,omitempty"`
	N              int                  `json:"n,omitempty"`
	Action         event.ActionKind     `json:"action,omitempty"` // it is this action on the message: no watermark is about it, and no count
	ChannelID      string               `json:"channel_id,omitempty"`
	Peer           string               `json:"peer,omitempty"`
	Parts          int                  `json:"parts,omitempty"`
	Skipped        []int                `json:"skipped,omitempty"` // parts that an earlier attempt brought: nothing of them comes here
	Units          []unit               `json:"units,omitempty"`
	Status         event.DeliveryStatus `json:"status"`
	Told           int                  `json:"told"` // how many of Order were told as facts
	Order          []told               `json:"order,omitempty"`
	WaitsFor       string               `json:"waits_for,omitempty"` // channel and peer whose read watermark would still be news
	At             event.Time           `json:"at,omitzero"`
	Trace          string               `json:"trace,omitempty"` // the span of the send, as a traceparent: receipts are told in its trace
}

// unit is one thing the provider has an id for: a part, or an item of a part that became several (an album).
type unit struct {
	Part       int          `json:"part"`
	ExternalID string       `json:"external_id,omitempty"`
	Steps      []event.Step `json:"steps,omitempty"`
	At         event.Time   `json:"at,omitzero"`
}

// told is a step in the order in which we learned of it, with the attempt's status after it.
type told struct {
	Unit   int                  `json:"unit"`
	Step   int                  `json:"step"`
	Status event.DeliveryStatus `json:"status"`
}

// find returns the unit of a part with an id; the part's first unit takes the id it did not have. Without an id (a
// result of unknown outcome) it is the part's first unit: a receipt may have brought its id before.
func (a *attempt) find(part int, externalID string) int {
	free := -1
	for i, u := range a.Units {
		switch {
		case u.Part != part:
		case u.ExternalID == externalID || externalID == "":
			return i
		case u.ExternalID == "":
			free = i
		}
	}
	if free >= 0 && externalID != "" {
		a.Units[free].ExternalID = externalID
		return free
	}
	a.Units = append(a.Units, unit{Part: part, ExternalID: externalID})
	return len(a.Units) - 1
}

// add takes a step of a unit and reports whether it was news. A step is known by (unit, status).
func (a *attempt) add(i int, s event.Step) bool {
	u := &a.Units[i]
	if slices.ContainsFunc(u.Steps, func(h event.Step) bool { return h.Status == s.Status }) {
		return false
	}
	s.Part, s.ExternalID = u.Part, u.ExternalID
	u.Steps = append(u.Steps, s)
	if a.MessageID != "" {
		a.note(i, len(u.Steps)-1)
	}
	return true
}

func (a *attempt) note(unit, step int) {
	if now := a.fold(); now.Rank() > a.Status.Rank() {
		a.Status = now
	}
	a.Order = append(a.Order, told{Unit: unit, Step: step, Status: a.Status})
}

// identify takes over from a send result what the attempt is. Steps that came before it are noted now: until then it
// was not known how many parts there are.
func (a *attempt) identify(r event.SendResult) bool {
	if a.MessageID != "" {
		return false
	}
	a.MessageID, a.ConversationID, a.ThreadID, a.N = r.MessageID, r.ConversationID, r.ThreadID, r.Attempt
	a.Peer, a.Parts, a.Skipped, a.At, a.Action = r.Peer, max(r.Parts, 1), r.Skipped, r.At, r.Action
	if a.Action == "" { // the index that counts messages is by channel
		a.ChannelID = r.ChannelID
	}
	for i, u := range a.Units {
		for j := range u.Steps {
			a.note(i, j)
		}
	}
	return true
}

// fold is the status of the whole: queued until every part of the attempt was heard of, so that nothing of an attempt that failed is
// under way; then, with one unit, the highest of its steps; with several, delivered or read once every unit is, else failed once
// any failed, else the lowest (docs/models/receipts.pml, R4).
func (a *attempt) fold() event.DeliveryStatus {
	lowest, failed, heard := event.Read, false, map[int]bool{}
	for _, u := range a.Units {
		heard[u.Part] = true
		top := event.Queued
		for _, s := range u.Steps {
			if s.Status.Rank() > top.Rank() {
				top = s.Status
			}
			failed = failed || s.Status == event.Failed
		}
		if top.Rank() < lowest.Rank() {
			lowest = top
		}
	}
	switch {
	case len(heard) < a.Parts-len(a.Skipped):
		return event.Queued
	case lowest.Rank() >= event.Delivered.Rank():
		return lowest
	case failed:
		return event.Failed
	}
	return lowest
}

// tell makes facts of the steps that nobody was told yet. Before the first send result there is no message to tell them
// of.
func (a *attempt) tell(at event.Time) {
	a.WaitsFor = ""
	if a.MessageID == "" {
		return
	}
	if a.Action == "" && (a.Status.Rank() < event.Read.Rank() || !a.allRead()) {
		a.WaitsFor = event.Key(a.ChannelID, a.Peer)
	}
	for ; a.Told < len(a.Order); a.Told++ {
		o := a.Order[a.Told]
		seq := int64(a.Told + 1)
		s := event.Status{
			MessageID: a.MessageID, ConversationID: a.ConversationID, ThreadID: a.ThreadID, AttemptID: a.ID, Attempt: a.N,
			Status: o.Status, Step: a.Units[o.Unit].Steps[o.Step], Parts: a.Parts, ExternalIDs: a.externalIDs(), Action: a.Action, Seq: seq,
		}
		a.EmitWithin(a.Trace, event.TopicMessageStatus, a.ThreadID, event.New(
			event.DeriveID("evt", a.Tenant, a.ID, strconv.FormatInt(seq, 10)), event.StatusChanged, source, a.Tenant, a.MessageID, at, s))
	}
}

func (a *attempt) allRead() bool {
	return !slices.ContainsFunc(a.Units, func(u unit) bool {
		return !slices.ContainsFunc(u.Steps, func(s event.Step) bool { return s.Status == event.Read })
	})
}

func (a *attempt) externalIDs() (ids []string) {
	for _, u := range a.Units {
		if u.ExternalID != "" {
			ids = append(ids, u.ExternalID)
		}
	}
	return ids
}

// watermark is how far a peer has got: W.
type watermark struct {
	store.Meta
	Read      event.Time `json:"read,omitzero"`
	Delivered event.Time `json:"delivered,omitzero"`
}

// raise moves the mark and reports whether it moved.
func (w *watermark) raise(status event.DeliveryStatus, to event.Time) bool {
	mark := &w.Delivered
	if status == event.Read {
		mark = &w.Read
	}
	if !mark.Before(to) {
		return false
	}
	*mark = to
	return true
}

func receiptID(tenant, channelID, externalID string) string {
	return event.DeriveID("rcp", tenant, channelID, externalID)
}

func watermarkID(tenant, channelID, peer string) string {
	return event.DeriveID("wm", tenant, channelID, peer)
}
