package decide

import (
	"context"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// slice is how many conversations one record of type [event.RoutingDue] looks at; the next record goes on behind them,
// so that what happens meanwhile is decided in between.
const slice = 200

// rightQueue returns the queue that a waiting conversation belongs in, empty if none, and whether it waits there: its
// own, or the channel's if it has none or its own was deleted. A reference to a queue that is gone counts as none.
func (o *owner) rightQueue(ctx context.Context, tenantID string, h event.Holder) (queue string, right bool, err error) {
	if h.State != event.Waiting {
		return h.QueueID, true, nil
	}
	if ok, err := o.exists(ctx, tenantID, h.QueueID); ok || err != nil {
		return h.QueueID, true, err
	}
	queue, err = o.channelQueue(ctx, tenantID, h.ChannelID)
	return queue, queue == h.QueueID, err
}

// channelQueue returns the queue that the channel's policy names, empty if there is none.
func (o *owner) channelQueue(ctx context.Context, tenantID, channelID string) (string, error) {
	ch, err := o.Directory.Channel(ctx, channelID)
	if fault.Is(err, fault.Gone) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	queueID := ch.Policy.QueueID
	if ok, err := o.exists(ctx, tenantID, queueID); !ok || err != nil {
		return "", err
	}
	return queueID, nil
}

func (o *owner) exists(ctx context.Context, tenantID, queueID string) (bool, error) {
	if queueID == "" {
		return false, nil
	}
	_, err := o.Directory.Queue(ctx, tenantID, queueID)
	if fault.Is(err, fault.Gone) {
		return false, nil
	}
	return err == nil, err
}

// intend decides that a conversation goes into a queue, or into none. The decision and its fact are one write of the
// conversation's document (R20); inbox answers with a fact at a newer epoch, whether it applies or refuses (R14, R22).
func (o *owner) intend(p *Routed, queueID string) {
	p.Intent = o.queueDecision(p, queueID)
	p.IntendedSince = p.Intent.At
	p.stamp()
	p.Emit(event.TopicAssignments, p.ThreadID, decided(p.Tenant, p.Intent))
}

func (o *owner) queueDecision(p *Routed, queueID string) *event.Decision {
	return &event.Decision{
		ID:             event.DeriveID("dec", p.Tenant, p.ID, strconv.FormatInt(p.Epoch, 10), "queue", queueID),
		ConversationID: p.ID, ThreadID: p.ThreadID, Epoch: p.Epoch, Action: "queue", QueueID: queueID, At: o.at(),
		Reasons: []event.Reason{{Code: "channel_queue", Detail: queueID}},
	}
}

// tellQueue makes inbox record the queue of a conversation that waits since a version in which only routing knew it.
// The conversation stays in its line: a decision for an agent that inbox meets later is refused and made again.
func (o *owner) tellQueue(ctx context.Context, place *Routed) (*Routed, error) {
	return o.Routed.Update(ctx, place.ID, func(p *Routed) error {
		if p.QueueKnown || !p.undecided() {
			return store.Unchanged
		}
		p.QueueKnown = true
		p.Emit(event.TopicAssignments, p.ThreadID, decided(p.Tenant, o.queueDecision(p, p.QueueID)))
		return nil
	})
}

// due moves what waits under a queue that was deleted, or without a queue on a channel, to where it belongs now. What
// only became possible, such as another agent who has a queue's skills, is found by the look that follows each record.
func (o *owner) due(ctx context.Context, t *tenant, d event.Due) error {
	q := store.Query{
		Where: []store.Eq{{Field: "tenant", Value: t.id}, {Field: "state", Value: event.Waiting}, {Field: "queue_id"}},
		Order: "waiting_since", Limit: slice, Cursor: d.After,
	}
	switch {
	case d.ChannelID != "":
		o.Directory.Changed(event.Config{Entity: directory.EntityChannel, ID: d.ChannelID, Version: d.Version})
		if queue, err := o.channelQueue(ctx, t.id, d.ChannelID); queue == "" || err != nil {
			return err
		}
	case d.QueueID != "":
		o.Directory.Changed(event.Config{Entity: directory.EntityQueue, ID: d.QueueID, Version: d.Version})
		if there, err := o.exists(ctx, t.id, d.QueueID); there || err != nil {
			return err
		}
		q.Where[2].Value = d.QueueID
	default:
		return nil
	}
	places, next, _, err := o.Routed.Query(ctx, q)
	if err != nil {
		return err
	}
	for _, p := range places {
		if d.ChannelID != "" && p.ChannelID != d.ChannelID {
			continue
		}
		if err := o.correct(ctx, t, p.ID); err != nil {
			return err
		}
	}
	if next == "" {
		return nil
	}
	d.After = next
	return o.To.Publish(ctx, event.Record{Topic: event.TopicRouting, Key: t.id, Event: dueEvent(t.id, o.at(), d)})
}

// correct moves one waiting conversation into the queue it belongs in, unless it is there or on its way.
func (o *owner) correct(ctx context.Context, t *tenant, id string) error {
	place, err := o.Routed.Update(ctx, id, func(p *Routed) error {
		h := event.Holder{State: p.State, QueueID: p.QueueID, ChannelID: p.ChannelID}
		queue, right, err := o.rightQueue(ctx, t.id, h)
		if err != nil {
			return err
		}
		if right || p.Intent != nil {
			return store.Unchanged
		}
		o.intend(p, queue)
		return nil
	})
	if err != nil {
		return err
	}
	return o.takeOver(ctx, t, place)
}

// Due is the record that makes the decider look at what waits under a queue whose settings changed.
func (d *Decider) Due(q *Queue) event.Event {
	return dueEvent(q.Tenant, d.at(), event.Due{QueueID: q.ID, Version: q.Version})
}

func dueEvent(tenantID string, at event.Time, d event.Due) event.Event {
	subject := d.QueueID + d.ChannelID
	id := event.DeriveID("evt", tenantID, "due", subject, strconv.FormatInt(d.Version, 10), d.After)
	return event.New(id, event.RoutingDue, Source, tenantID, subject, at, d)
}
