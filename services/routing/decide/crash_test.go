package decide

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/proof"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// crash lets a process take over and die at a point of the next record; another one takes over from it. It reports whether the process
// really died.
func (w *world) crash(at int64) bool {
	if w.read >= len(w.records) {
		return false
	}
	m := storetest.NewLife(at, nil)
	db := m.DB(w.db)
	applier := store.NewApplier(db, m.Publisher(w.out), slog.New(slog.DiscardHandler))
	d := *w.decider
	facts := store.Facts(applier)
	d.Agents, d.Presences = store.NewCollection[Agent](db, directory.Agents, facts), store.NewCollection[Presence](db, PresenceSpec, facts)
	d.Queues, d.Routed = store.NewCollection[Queue](db, directory.Queues, facts), store.NewCollection[Routed](db, RoutedSpec, facts)
	if h, _, err := d.Assign(w.ctx, bus.Assignment{Partition: 0}); err == nil {
		err = h(w.ctx, w.records[w.read])
		if err == nil {
			w.read++ // the offset is committed only after everything else
			_ = applier.Flush(w.ctx)
		}
	}
	w.must(w.applier.Sweep(w.ctx, -unansweredAfter)) // what the dead one left to be told
	w.owner = nil                                    // it goes on with nothing
	w.handover()
	return m.Gone()
}

// TestP9_P13_ACrashAtAnyStepOfADecisionLeavesHoldAndDecisionOrNeither kills the decider at every write and produce of a busy time:
// a conversation comes, is decided, is refused or taken over by a person, comes back and is closed.
func TestP9_P13_ACrashAtAnyStepOfADecisionLeavesHoldAndDecisionOrNeither(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, Specs...)
	n, crashes, records := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := newWorld(rt, t.Context(), db, 10_000+n)
		for range rapid.IntRange(3, 12).Draw(rt, "records") {
			switch rapid.SampledFrom([]string{"person", "person", "consume", "again", "presence"}).Draw(rt, "what") {
			case "person":
				w.person(w.conv[rapid.SampledFrom(slices.Sorted(maps.Keys(w.conv))).Draw(rt, "conversation")])
			case "consume":
				w.consume(false)
			case "again":
				w.consume(true)
			case "presence":
				w.appear(rapid.SampledFrom(w.agents).Draw(rt, "agent"), rapid.SampledFrom([]string{"idle", "offline"}).Draw(rt, "state"))
			}
			w.pump()
			if w.crash(rapid.Int64Range(1, 10).Draw(rt, "point")) {
				crashes++
			}
			w.pump()
		}
		w.settle()
		w.quiet()
		records += len(w.records)
	})
	if crashes == 0 {
		t.Error("nobody died: the test shows nothing")
	}
	proof.Report(t, proof.Figures{Events: records, Faults: crashes})
}

// interrupted lets something happen just before the first write of an agent's document.
type interrupted struct {
	store.DB
	first func()
}

func (d *interrupted) Batch(ctx context.Context, ops []store.Op) []error {
	if f := d.first; f != nil && ops[0].Collection == directory.Agents.Name {
		d.first = nil
		f()
	}
	return d.DB.Batch(ctx, ops)
}

// TestP9_TwoOwnersAtOnceKeepTheLimit lets a second owner give the agent's last place away after the first has found it free: that
// there is room is believed only from the read inside the Update.
func TestP9_TwoOwnersAtOnceKeepTheLimit(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, Specs...)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := newWorld(rt, t.Context(), db, 20_000+n)
		w.appear(w.agents[1], "offline") // one agent is there, with one or two places
		ids := slices.Sorted(maps.Keys(w.conv))
		for _, id := range ids[:w.limit-1] { // all places but one
			c := w.conv[id]
			c.epoch, c.state, c.holder = c.epoch+1, "held", w.agents[0]
			w.say(c)
		}
		for w.pump(); w.read < len(w.records); w.pump() {
			w.step()
		}
		for _, id := range ids[w.limit-1:] {
			w.conv[id].epoch++
			w.conv[id].state = "waiting"
		}
		mine, other := w.conv[ids[w.limit-1]], w.conv[ids[w.limit]]
		at := &interrupted{DB: db}
		d := *w.decider
		d.Agents = store.NewCollection[Agent](at, directory.Agents, store.Facts(store.NewApplier(at, w.out, slog.New(slog.DiscardHandler))))
		late, _, err := d.Assign(w.ctx, bus.Assignment{Partition: 0})
		w.must(err)
		w.say(mine)
		w.say(other)
		records := w.records[len(w.records)-2:]
		at.first = func() { w.must(w.owner(w.ctx, records[1])) }
		w.must(late(w.ctx, records[0]))
		w.read = len(w.records)
		a, err := w.decider.Agents.Get(w.ctx, w.agents[0])
		w.must(err)
		if len(a.Holds) != a.Limit {
			rt.Errorf("%d conversations, the limit is %d: %+v", len(a.Holds), a.Limit, a.Holds)
		}
	})
}
