package history

import (
	"context"
	"slices"
	"testing"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/send"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// explain shows what a failure leaves to be understood: the plan, and the send rows of answers without a fate.
func (l *life) explain(t *testing.T) {
	t.Helper()
	t.Logf("plan: people %+v\nagents %+v\nfaults %+v\nsteps of the clock %+v\nmoods %v",
		l.people, l.agents, l.plan.faults, l.plan.steps, l.moods)
	l.explainLost(t)
	messages := store.NewCollection[record.Message](l.db.DB, record.MessageSpec, store.Facts(nil))
	for text, id := range l.sent {
		m, err := messages.Get(context.Background(), id)
		if err != nil || m.Status != event.Queued && !slices.ContainsFunc(m.Attempts[0].Steps, func(s event.Step) bool { return s.Status.Rank() > m.Status.Rank() }) {
			continue
		}
		raw, err := l.db.Get(context.Background(), "attempts", m.Attempts[0].ID)
		t.Logf("%q is %s, %+v\nas delivery status has it (%v): %s", text, m.Status, m.Attempts, err, raw[0].JSON)
		for _, a := range m.Attempts {
			rows, err := send.Rows(context.Background(), l.db.DB, m.ChannelType, m.Tenant, a.ID, max(1, a.Parts))
			t.Logf("%q on %s, attempt %s: %d rows (%v)", text, m.ChannelType, a.ID, len(rows), err)
			for _, r := range rows {
				t.Logf("  %s waited %v, tries %d, partition %d offset %d, deadline %s, next %s, error %+v, %d pending", r.State, r.Waited, r.Tries, r.Partition, r.Offset, r.Deadline, r.NextAt, r.Error, len(r.Pending))
			}
		}
	}
}

// explainLost shows the dead letters, and where on Kafka the acknowledged messages are that the inbox does not have.
func (l *life) explainLost(t *testing.T) {
	t.Helper()
	b := l.broker.Open(t)
	letters, err := bus.DeadLetters(context.Background(), b, bus.Filter{}, 100)
	t.Logf("%d dead letters (%v)", len(letters), err)
	for _, m := range letters {
		t.Logf("  %s %s: %+v", m.Event.Type, m.Event.ID, *m.Dead)
	}
	messages := store.NewCollection[record.Message](l.db.DB, record.MessageSpec, store.Facts(nil))
	ends, err := b.Ends(context.Background(), event.TopicInbound)
	if err != nil {
		t.Logf("ends of %s: %v", event.TopicInbound, err)
		return
	}
	for partition, end := range ends {
		for next := int64(0); next < end; {
			page, err := b.ReadFrom(context.Background(), event.TopicInbound, partition, next, 200)
			if err != nil || len(page) == 0 {
				t.Logf("partition %d from %d of %d: %v", partition, next, end, err)
				break
			}
			for _, m := range page {
				next = m.Offset + 1
				l.explainRecord(t, messages, partition, m)
			}
		}
	}
}

// explainRecord shows a message on Kafka that is no document.
func (l *life) explainRecord(t *testing.T, messages *store.Collection[record.Message], partition int, m bus.Message) {
	t.Helper()
	in, err := event.Decode[event.Inbound](m.Event)
	if err != nil || m.Event.Type != event.MessageReceived {
		return
	}
	id := record.MessageID(m.Event.Tenant, in.ChannelID, in.Ref)
	if _, err := messages.Get(context.Background(), id); err != nil {
		t.Logf("  %s at %d/%d of key %s is no message %s: %v", in.Ref, partition, m.Offset, m.Key, id, err)
	}
}
