package decide

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Copier passes every change of a conversation's status, holder or queue on to its tenant's decider, with epoch and holder,
// never a bare "left" (R2). A copy that comes twice, or late, is no news to the decider.
type Copier struct{ To bus.Producer }

// Copied are the events that change who holds a conversation.
var Copied = []event.Type{event.ConversationOpened, event.ConversationReopen, event.ConversationClosed, event.ConversationHolder}

// Handle implements bus.Handler for the events of tributary.conversations that are [Copied].
func (c Copier) Handle(ctx context.Context, m bus.Message) error {
	p, err := event.Decode[event.Conversation](m.Event)
	if err != nil {
		return fault.New(fault.Invalid, "bad_event", "%w", err)
	}
	e := event.New(event.DeriveID("evt", m.Event.ID, "holder"), event.RoutingHolder, Source, m.Event.Tenant, p.ConversationID, p.At, p.Holder)
	return c.To.Publish(ctx, event.Record{Topic: event.TopicRouting, Key: m.Event.Tenant, Event: e})
}
