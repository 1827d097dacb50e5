// Package updates takes over what others decide about conversations: routing's decisions and delivery status' steps.
package updates

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Consumer handles records of tributary.assignments and tributary.message-status.
type Consumer struct {
	Record *record.Store
	Now    func() time.Time
	// Send queues a message that routing wants sent; nil error means that it is in, or that it cannot be sent for good.
	Send func(ctx context.Context, conversationID string, d event.Decision) error
	// Known is told of provider ids that messages of a channel have got: something may wait for them.
	Known func(ctx context.Context, tenant, channelID string, externalIDs ...string) error
}

// Status implements bus.Handler for tributary.message-status.
func (u *Consumer) Status(ctx context.Context, m bus.Message) error {
	s, err := event.Decode[event.Status](m.Event)
	if err != nil {
		return fault.New(fault.Invalid, "bad_event", "%w", err)
	}
	at := event.At(u.Now())
	doc, err := u.Record.Messages.Update(ctx, s.MessageID, func(doc *record.Message) error {
		if !doc.Settle(s, at) {
			return store.Unchanged
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) { // it was there before it was sent, so it never will be again
		return fault.New(fault.Invalid, "bad_event", "status of a message that is not there: %s", s.MessageID)
	}
	if err != nil {
		return store.Fault(err)
	}
	// What follows is also done for a repeat: the first may have died here.
	if s.Action != "" {
		return store.Fault(u.Record.Acted(ctx, doc, s.AttemptID))
	}
	if err := u.Record.Settled(ctx, doc, s.AttemptID); err != nil {
		return store.Fault(err)
	}
	if len(s.ExternalIDs) == 0 {
		return nil
	}
	return store.Fault(u.Known(ctx, doc.Tenant, doc.ChannelID, s.ExternalIDs...))
}

// Decision implements bus.Handler for tributary.assignments. A decision counts only if nobody has touched the
// conversation since the epoch it rests on; else it is refused. One that comes again after it was applied is not
// (docs/models/routing.pml, R4).
func (u *Consumer) Decision(ctx context.Context, m bus.Message) error {
	d, err := event.Decode[event.Decision](m.Event)
	if err != nil {
		return fault.New(fault.Invalid, "bad_event", "%w", err)
	}
	if d.Action == "send" {
		return u.Send(ctx, d.ConversationID, d)
	}
	at, outcome := event.At(u.Now()), ""
	c, err := u.Record.Conversations.Update(ctx, d.ConversationID, func(c *record.Conversation) error {
		outcome = "applied"
		if c.HolderEpoch == d.Epoch && applicable(c, d) {
			return apply(c, d, at)
		}
		before, err := u.applied(ctx, c, d)
		if err != nil {
			return err
		}
		if before {
			return store.Unchanged
		}
		outcome = "refused"
		refuse(c, d, at)
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted with its contact
	}
	if err != nil {
		return store.Fault(err)
	}
	return store.Fault(u.keepDecision(ctx, c.Tenant, d, outcome))
}

// applied reports whether a decision was applied before, also if somebody has changed the holder since: the
// conversation knows its last one, even if whoever applied it died, or has not come yet, before it kept the decision.
func (u *Consumer) applied(ctx context.Context, c *record.Conversation, d event.Decision) (bool, error) {
	if c.Decided == d.ID {
		return true, nil
	}
	doc, err := u.Record.Decisions.Get(ctx, d.ID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && doc.Outcome == "applied", err
}

// keepDecision stores the decision for people. One that is met again keeps its first outcome.
func (u *Consumer) keepDecision(ctx context.Context, tenant string, d event.Decision, outcome string) error {
	doc := &record.Decision{
		ConversationID: d.ConversationID, Epoch: d.Epoch, Action: d.Action, AgentID: d.AgentID, QueueID: d.QueueID, BotID: d.BotID,
		Reasons: d.Reasons, Outcome: outcome, At: d.At,
	}
	doc.ID, doc.Tenant = d.ID, tenant
	if err := u.Record.Decisions.Insert(ctx, doc); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil
}

// applicable reports whether the state allows what is decided; with the epoch unchanged it does, unless the decision is
// odd.
func applicable(c *record.Conversation, d event.Decision) bool {
	switch d.Action {
	case "assign":
		return c.State() == event.Waiting
	case "unassign":
		return c.State() == event.Held && c.AssigneeID == d.AgentID
	case "bot":
		return c.Status != record.Closed && c.AdmitsBot() == nil
	}
	return c.Status != record.Closed
}

func apply(c *record.Conversation, d event.Decision, at event.Time) error {
	by, seq := event.Actor{Kind: "automation", ID: "routing"}, c.Seq
	switch d.Action {
	case "assign":
		c.Assign(record.Target{AgentID: d.AgentID, AgentName: d.AgentName, QueueID: d.QueueID}, by, d.ID, at)
	case "unassign", "queue":
		c.Assign(record.Target{QueueID: d.QueueID}, by, d.ID, at)
	case "bot":
		c.Assign(record.Target{BotID: d.BotID}, by, d.ID, at)
	case "close":
		return c.Shut(by, nil, true, "routing", d.ID, at)
	default:
		return fault.New(fault.Invalid, "bad_event", "unknown action %q", d.Action)
	}
	if c.Seq == seq {
		return store.Unchanged // it is as routing wants it
	}
	return nil
}

// refuse tells routing, by a fact of the conversation, that the decision was too late.
func refuse(c *record.Conversation, d event.Decision, at event.Time) {
	r := event.Refusal{
		DecisionID: d.ID, ConversationID: c.ID, ThreadID: c.ThreadID, Epoch: d.Epoch, AgentID: d.AgentID,
		Reason: fmt.Sprintf("the epoch is %d, the state %s", c.HolderEpoch, c.State()),
	}
	c.Emit(event.TopicRouting, c.Tenant, event.New(
		event.DeriveID("evt", c.Tenant, d.ID, "refused"), event.AssignmentRefused, record.Source, c.Tenant, c.ID, at, r))
}
