package send

import (
	"context"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
)

// A message for a channel with a connection can only be sent by the owner of the partition in which the channel's key lies: its home. A
// record or row can lie elsewhere if it was written before the channel had a connection, or by a producer of an earlier version. It is
// handed on by a record of the same content with the channel's key (rules FORWARD, HANDON).

// homes implements dispatch.Homes.
type homes struct{ *Worker }

// Own implements dispatch.Homes.
func (h homes) Own(partition int) func() { return h.Sessions.Own(partition) }

// Elsewhere implements dispatch.Homes.
func (h homes) Elsewhere(ctx context.Context, id string, partition int) bool {
	ch, err := h.Channels.Channel(ctx, id)
	if err != nil {
		return false
	}
	elsewhere, err := h.elsewhere(ctx, ch.Channel, partition)
	return err == nil && elsewhere
}

// HandOn implements dispatch.Homes.
func (h homes) HandOn(row *Row, t *dispatch.Task[*Row]) event.Record {
	msg, typ := *row.Outbound, event.MessageSend
	if msg.Action != nil {
		typ = event.ActionSend
	}
	id := event.DeriveID("evt", row.Tenant, msg.AttemptID, string(typ), "handed on")
	return h.homeward(t.Scope, row.Key, event.New(id, typ, h.Source, row.Tenant, msg.MessageID, event.At(h.Now()), msg))
}

// elsewhere reports whether a message for the channel can only be called by the owner of another partition.
func (w *Worker) elsewhere(ctx context.Context, ch channel.Channel, partition int) (bool, error) {
	home, ok, err := w.Sessions.Home(ctx, ch)
	if err != nil {
		return false, dispatch.Away(err)
	}
	return ok && home != partition, nil
}

// homeward is a record that lies at its channel's home.
func (w *Worker) homeward(channel, lane string, e event.Event) event.Record {
	return event.Record{Topic: event.TopicOutbound(w.info.Type), Key: event.Key(channel), Lane: lane, Event: e}
}

// forward hands a record on to the home of its channel, and reports whether it did. A record of which a row exists is done here: only
// who reads this record ends that row, should its caller be gone (rule OWNROW).
func (o *owner) forward(ctx context.Context, m bus.Message, r rendering) (bool, error) {
	if o.Sessions == nil || r.refusal != nil {
		return false, nil //nolint:nilerr // what is refused is refused here, and has a row that says why
	}
	elsewhere, err := o.elsewhere(ctx, r.ch.Channel, o.dispatch.At.Partition)
	if err != nil || !elsewhere {
		return false, err
	}
	if m.Event.Type != event.SignalSend {
		rows, err := Rows(ctx, o.DB, o.info.Type, m.Event.Tenant, r.source.AttemptID, max(len(r.parts), 1))
		if err != nil || len(rows) > 0 {
			return false, err
		}
	}
	return true, o.dispatch.Publish(ctx, o.homeward(r.ch.ID, m.Lane, m.Event))
}
