package send

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// A message for a channel with a connection can only be sent by the owner of the partition in which the channel's key lies: its home. A
// record or row can lie elsewhere if it was written before the channel had a connection, or by a producer of an earlier version. It is
// handed on by a record of the same content with the channel's key (rules FORWARD, HANDON).

// elsewhere reports whether a message for the channel can only be called by the owner of another partition.
func (o *owner) elsewhere(ctx context.Context, ch channel.Channel) (bool, error) {
	home, ok, err := o.Sessions.Home(ctx, ch)
	if err != nil {
		return false, away(err)
	}
	return ok && home != o.at.Partition, nil
}

// home reports whether the channel's messages can be called from here. While that cannot be found out, they wait here.
func (o *owner) home(id string) bool {
	if o.Sessions == nil {
		return true
	}
	ch, err := o.Channels.Channel(o.ctx, id)
	if err != nil {
		return true
	}
	elsewhere, err := o.elsewhere(o.ctx, ch.Channel)
	return err != nil || !elsewhere
}

// forward hands a record on to the home of its channel, and reports whether it did. A record of which a row exists is done here: only
// who reads this record ends that row, should its caller be gone (rule OWNROW).
func (o *owner) forward(ctx context.Context, m bus.Message, msg event.Outbound, r rendering) (bool, error) {
	if o.Sessions == nil || r.refusal != nil {
		return false, nil //nolint:nilerr // what is refused is refused here, and has a row that says why
	}
	elsewhere, err := o.elsewhere(ctx, r.ch.Channel)
	if err != nil || !elsewhere {
		return false, err
	}
	if m.Event.Type != event.SignalSend {
		rows, err := Rows(ctx, o.DB, o.info.Type, m.Event.Tenant, msg.AttemptID, max(len(r.parts), 1))
		if err != nil || len(rows) > 0 {
			return false, err
		}
	}
	return true, o.insist(ctx, func() error { return o.publish(ctx, []event.Record{o.homeward(r, m.Lane, m.Event)}) })
}

// homeward is a record that lies at its channel's home.
func (o *owner) homeward(r rendering, lane string, e event.Event) event.Record {
	return event.Record{Topic: event.TopicOutbound(o.info.Type), Key: event.Key(r.ch.ID), Lane: lane, Event: e}
}

// handAgain is how soon a row that was handed on is looked at again, and handed on again if it still waits.
const handAgain = 30 * time.Second

// handOn lets the owner of the home of a waiting row call it: its record comes there, so that the row is adopted (rule ADOPT). The row
// stays this partition's: its owners look whether it has ended, and hand it on again should who adopted it be gone.
func (d *drained) handOn(ctx context.Context) error {
	msg := d.about.msg
	typ := event.MessageSend
	if msg.Action != nil {
		typ = event.ActionSend
	}
	id := event.DeriveID("evt", d.row.Tenant, msg.AttemptID, string(typ), "handed on")
	e := event.New(id, typ, d.Source, d.row.Tenant, msg.MessageID, event.At(d.Now()), msg)
	if err := d.publish(ctx, []event.Record{d.homeward(d.rendering, d.row.Key, e)}); err != nil {
		return err
	}
	d.left = d.refOf(d.row)
	d.left.due = time.Now().Add(handAgain)
	return nil
}
