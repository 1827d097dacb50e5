package decide

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Copier passes on to a tenant's decider what may wake it: every change of a conversation that moved its epoch, with epoch and
// holder, never a bare "left" (R2), and every change of a channel or a user. A copy that comes twice, or late, is no news to
// the decider.
type Copier struct{ To bus.Producer }

// Copied are the types of facts among which [Copier.Handle] looks for moved epochs.
var Copied = []event.Type{
	event.ConversationOpened, event.ConversationReopen, event.ConversationClosed, event.ConversationHolder,
	event.ConversationChanged, event.ConversationNoted,
}

// reroutes reports whether the epoch moved with a fact. Facts of versions that did not say so moved it by their type.
func reroutes(typ event.Type, p event.Conversation) bool {
	switch typ {
	case event.ConversationOpened, event.ConversationReopen, event.ConversationClosed, event.ConversationHolder:
		return true
	}
	return p.Rerouted
}

// Handle implements bus.Handler for the events of tributary.conversations that are [Copied].
func (c Copier) Handle(ctx context.Context, m bus.Message) error {
	p, err := event.Decode[event.Conversation](m.Event)
	if err != nil {
		return fault.New(fault.Invalid, "bad_event", "%w", err)
	}
	if !reroutes(m.Event.Type, p) {
		return nil
	}
	e := event.New(event.DeriveID("evt", m.Event.ID, "holder"), event.RoutingHolder, Source, m.Event.Tenant, p.ConversationID, p.At, p.Holder)
	return c.To.Publish(ctx, event.Record{Topic: event.TopicRouting, Key: m.Event.Tenant, Event: e})
}

// Configured implements bus.Handler for tributary.config: a channel's policy says where its conversations wait, and a user who
// is disabled or deleted is no agent any more.
func (c Copier) Configured(ctx context.Context, m bus.Message) error {
	changed, err := event.Decode[event.Config](m.Event)
	if err != nil {
		return fault.New(fault.Invalid, "bad_event", "%w", err)
	}
	var e event.Event
	switch changed.Entity {
	case directory.EntityChannel:
		e = dueEvent(m.Event.Tenant, m.Event.Time, event.Due{ChannelID: changed.ID, Version: changed.Version})
	case directory.EntityUser:
		e = Changed(m.Event.Tenant, directory.AgentOf(changed.ID), "user", m.Event.Time)
	default:
		return nil
	}
	return c.To.Publish(ctx, event.Record{Topic: event.TopicRouting, Key: m.Event.Tenant, Event: e})
}
