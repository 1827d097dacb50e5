package record

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Actions lists what the inbox does to messages through their channels. A channel type can claim these and no others.
var Actions = []event.ActionKind{event.ActionEdit, event.ActionUnsend, event.ActionHide, event.ActionUnhide, event.ActionPrivateReply}

// maxActions bounds what is kept of one message.
const maxActions = 100

// Action is something done to a message through its channel. It changes the message once the provider has done it.
type Action struct {
	ID          string               `json:"id"` // also of its attempt: there is one
	Kind        event.ActionKind     `json:"kind"`
	By          event.Actor          `json:"by"`
	Content     *event.Content       `json:"content,omitempty"` // an edit's, a private reply's; erased with the message's own
	Status      event.DeliveryStatus `json:"status"`            // queued; accepted, sent: done; failed; unknown
	Error       *event.Error         `json:"error,omitempty"`
	ExternalIDs []string             `json:"external_ids,omitempty"` // of the private reply
	Seq         int64                `json:"seq"`                    // the newest status fact that was taken over
	Digest      string               `json:"digest,omitempty"`       // of the call that asked for it
	CreatedAt   event.Time           `json:"created_at"`
	SettledAt   event.Time           `json:"settled_at,omitzero"`
}

// done reports whether the provider has done it.
func (a Action) done() bool { return farness(a.Status) >= farness(event.Accepted) }

// Action returns the action with an id; nil if the message has none.
func (m *Message) Action(id string) *Action {
	i := slices.IndexFunc(m.Actions, func(a Action) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	return &m.Actions[i]
}

// Act queues an action: the fact is the record that the channel's service acts on. It refuses what the state of the message does not allow,
// and what admit refuses of that record.
func (m *Message) Act(a Action, d Dispatch, at event.Time, admit func(event.Outbound) error) error {
	if err := m.allows(a.Kind); err != nil {
		return err
	}
	a.Status, a.CreatedAt = event.Queued, at
	o := m.acting(a, d)
	if err := admit(o); err != nil {
		return err
	}
	m.Actions = append(m.Actions, a)
	m.updated("action", a.ID, a.By, at)
	m.Emit(event.TopicOutbound(m.ChannelType), event.Key(m.ChannelID, d.Peer), event.New(
		event.DeriveID("evt", m.Tenant, a.ID, "send"), event.ActionSend, Source, m.Tenant, m.ID, at, o))
	return nil
}

// acting is the record of an action, as the channel's service gets it.
func (m *Message) acting(a Action, d Dispatch) event.Outbound {
	content := event.Content{Type: m.Content.Type}
	if a.Content != nil {
		content = *a.Content
	}
	return event.Outbound{
		MessageID: m.ID, ConversationID: m.ConversationID, ThreadID: m.ThreadID, AttemptID: a.ID, Attempt: 1, ChannelID: m.ChannelID,
		ChannelType: m.ChannelType, Peer: d.Peer, Aliases: d.Aliases, Post: m.Post, Content: content, By: d.By, SendBy: d.SendBy,
		Action: &event.Action{Kind: a.Kind, Target: m.target()}, CreatedAt: a.CreatedAt,
	}
}

// allows refuses an action of a message that is not there (any more) at the provider, that is not of the kind the action is for, or to
// which the same is being done.
func (m *Message) allows(kind event.ActionKind) error {
	ours := kind == event.ActionEdit || kind == event.ActionUnsend
	busy := func(k event.ActionKind) bool {
		return slices.ContainsFunc(m.Actions, func(a Action) bool { return a.Kind == k && a.Status == event.Queued })
	}
	switch {
	case ours && m.Direction != Out:
		return fault.New(fault.Invalid, "action_not_for_message", "only a message of ours that was sent from here can be edited or taken back")
	case !ours && (m.Direction != In || m.Post == nil):
		return fault.New(fault.Invalid, "action_not_for_message", "only a customer's comment can be hidden, shown or answered privately; this is a message")
	case !m.DeletedAt.IsZero() || busy(event.ActionUnsend):
		return fault.New(fault.Conflict, "message_deleted", "the message is taken back, or about to be; send another one")
	case ours && m.Status == event.Queued:
		return fault.New(fault.Conflict, "message_not_sent", "the message is still on its way to the provider; try again when its status is sent")
	case len(m.ExternalIDs) == 0 || kind == event.ActionEdit && farness(m.Status) < farness(event.Accepted):
		return fault.New(fault.Conflict, "message_not_sent", "the provider does not have the whole message, its status is %q; send it again, or a new one", m.Status)
	case kind != event.ActionEdit && busy(kind):
		return fault.New(fault.Conflict, "action_under_way", "%s is under way already; wait for its result", kind)
	case len(m.Actions) >= maxActions:
		return fault.New(fault.Conflict, "too_many_actions", "at most %d actions are kept of a message; send a new one", maxActions)
	}
	return nil
}

// target is the message as the provider has it. Of one without attempts, a customer's, that is its one part.
func (m *Message) target() event.Target {
	t := event.Target{Type: m.Content.Type, At: m.CreatedAt, Of: m.parts()}
	if m.Content.Interactive != nil {
		t.Interactive = m.Content.Interactive.Kind
	}
	ids := map[int][]string{}
	for _, a := range m.Attempts {
		for _, s := range a.Steps {
			if s.ExternalID != "" && !slices.Contains(ids[s.Part], s.ExternalID) {
				ids[s.Part] = append(ids[s.Part], s.ExternalID)
			}
		}
	}
	if len(m.Attempts) == 0 {
		ids[0] = m.ExternalIDs
	}
	for part, of := range ids {
		t.Parts = append(t.Parts, event.TargetPart{Part: part, ExternalIDs: of})
	}
	slices.SortFunc(t.Parts, func(a, b event.TargetPart) int { return cmp.Compare(a.Part, b.Part) })
	return t
}

// settleAction takes over a step of an action. It reports whether there was anything new in it.
func (m *Message) settleAction(s event.Status, at event.Time) bool {
	a := m.Action(s.AttemptID)
	if a == nil || s.Seq <= a.Seq {
		return false
	}
	was := a.done()
	a.Seq = s.Seq
	if s.Status.Rank() > a.Status.Rank() {
		a.Status, a.SettledAt = s.Status, s.Step.At
	}
	if s.Step.Error != nil {
		a.Error = s.Step.Error
	}
	for _, id := range s.ExternalIDs {
		if !slices.Contains(a.ExternalIDs, id) {
			a.ExternalIDs = append(a.ExternalIDs, id)
		}
	}
	what := "action"
	if a.done() && !was {
		a.Error = nil // of an unknown outcome that has become known
		what = m.effect(*a)
	}
	m.updated(what, s.AttemptID+":"+strconv.FormatInt(s.Seq, 10), a.By, at)
	return true
}

// effect makes what the provider has done part of the message, and returns the kind of update. Results may come in another order than that
// of the actions, which is the order in which the provider has done them: what a later one has set stays.
func (m *Message) effect(a Action) string {
	i := slices.IndexFunc(m.Actions, func(x Action) bool { return x.ID == a.ID })
	overtaken := func(kinds ...event.ActionKind) bool {
		return slices.ContainsFunc(m.Actions[i+1:], func(x Action) bool { return slices.Contains(kinds, x.Kind) && x.done() })
	}
	switch a.Kind {
	case event.ActionEdit:
		if m.DeletedAt.IsZero() && !overtaken(event.ActionEdit) {
			m.Content, m.EditedAt = *a.Content, a.SettledAt
		}
		return "edit"
	case event.ActionUnsend:
		m.erase(a.SettledAt)
		return "delete"
	case event.ActionHide, event.ActionUnhide:
		if !overtaken(event.ActionHide, event.ActionUnhide) {
			m.Hidden = a.Kind == event.ActionHide
		}
		return string(a.Kind)
	}
	return "action"
}

// erase empties the message for good, and what its actions would have made of it.
func (m *Message) erase(at event.Time) {
	if m.DeletedAt.IsZero() {
		m.DeletedAt = at
	}
	m.Content = event.Content{Type: m.Content.Type}
	for i := range m.Actions {
		m.Actions[i].Content = nil
	}
}

// endings are the types of timeline rows for what was done.
var endings = map[event.ActionKind]string{
	event.ActionEdit: "message_edited", event.ActionUnsend: "message_unsent", event.ActionHide: "message_hidden",
	event.ActionUnhide: "message_unhidden", event.ActionPrivateReply: "private_reply_sent",
}

// Acted puts a row into the timeline for an action that has come to an end: what was done, or that it was not. It may be called again.
func (r *Store) Acted(ctx context.Context, m *Message, actionID string) error {
	a := m.Action(actionID)
	if a == nil || a.Status == event.Queued {
		return nil
	}
	t, err := r.Threads.Get(ctx, m.ThreadID)
	if err != nil {
		return err
	}
	data := map[string]any{"message_id": m.ID, "action_id": a.ID, "kind": a.Kind, "status": a.Status}
	h := Happening{Category: "message", Type: endings[a.Kind], By: a.By, Data: data, Ref: a.ID, At: a.SettledAt}
	if !a.done() {
		h.Type = "action_failed"
		if a.Error != nil {
			data["code"] = a.Error.Code
		}
	}
	return r.Happened(ctx, t, h)
}
