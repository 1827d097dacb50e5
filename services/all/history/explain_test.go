package history

import (
	"context"
	"slices"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/send"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/chat"
)

// explain shows what a failure leaves to be understood: the plan, and the send rows of answers without a fate.
func (l *life) explain(t *testing.T) {
	t.Helper()
	t.Logf("plan: people %+v\nagents %+v\nfaults %+v\nsteps of the clock %+v\nmoods %v",
		l.people, l.agents, l.plan.faults, l.plan.steps, l.moods)
	messages := store.NewCollection[chat.Message](l.db.DB, chat.MessageSpec, store.Facts(nil))
	for text, id := range l.sent {
		m, err := messages.Get(context.Background(), id)
		if err != nil || m.Status != event.Queued && !slices.ContainsFunc(m.Attempts[0].Steps, func(s event.Step) bool { return s.Status.Rank() > m.Status.Rank() }) {
			continue
		}
		raw, err := l.db.Get(context.Background(), "attempts", m.Attempts[0].ID)
		t.Logf("%q is %s, %+v\nas delivery status has it (%v): %s", text, m.Status, m.Attempts, err, raw[0].JSON)
		for _, a := range m.Attempts {
			rows, err := send.Rows(context.Background(), l.db.DB, m.ChannelType, m.Tenant, a.ID)
			t.Logf("%q on %s, attempt %s: %d rows (%v)", text, m.ChannelType, a.ID, len(rows), err)
			for _, r := range rows {
				t.Logf("  %s waited %v, tries %d, partition %d offset %d, deadline %s, next %s, error %+v, %d pending", r.State, r.Waited, r.Tries, r.Partition, r.Offset, r.Deadline, r.NextAt, r.Error, len(r.Pending))
			}
		}
	}
}
