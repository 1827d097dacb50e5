package decide

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// stage is a decider of one tenant with one queue, on a real store.
type stage struct {
	*testing.T
	*Decider
	out     *storetest.Publisher
	applier *store.Applier
}

func newStage(t *testing.T) *stage {
	db := storetest.New(t, Specs...)
	s := &stage{T: t, out: &storetest.Publisher{}}
	s.applier = store.NewApplier(db, s.out, slog.New(slog.DiscardHandler))
	facts := store.Facts(s.applier)
	s.Decider = &Decider{
		Agents: store.NewCollection[Agent](db, directory.Agents, facts), Presences: store.NewCollection[Presence](db, PresenceSpec, facts),
		Queues: store.NewCollection[Queue](db, directory.Queues, facts), Routed: store.NewCollection[Routed](db, RoutedSpec, facts),
		Directory: policies{"q_1"}, To: s.out, Now: time.Now, Log: slog.New(slog.DiscardHandler), Repairs: NewRepairs(),
		Partition: func(context.Context, string) (int, error) { return 0, nil },
	}
	q := &Queue{Name: "all", CreatedAt: s.at()}
	q.ID, q.Tenant = "q_1", "t"
	s.ok(s.Queues.Insert(t.Context(), q))
	a := NewAgent("t", "agt_1", s.at())
	a.QueueIDs = []string{q.ID}
	s.ok(s.Agents.Insert(t.Context(), a))
	_, err := s.Appear(t.Context(), "t", a.ID, "idle", "", time.Hour)
	s.ok(err)
	return s
}

func (s *stage) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stage) owner() *owner {
	return &owner{Decider: s.Decider, tenants: map[string]*tenant{}}
}

// wait makes the document of a conversation that waits in a queue.
func (s *stage) wait(id, queue string, known bool) {
	s.Helper()
	p := &Routed{ThreadID: "thr_" + id, ChannelID: "ch_1", Epoch: 1, State: event.Waiting, QueueID: queue, QueueKnown: known, WaitingSince: s.at()}
	p.ID, p.Tenant = id, "t"
	p.stamp()
	s.ok(s.Routed.Insert(s.Context(), p))
}

// decisions are those of an action that were published so far, repetitions included.
func (s *stage) decisions(action string) (out []event.Decision) {
	s.Helper()
	s.ok(s.applier.Flush(s.Context()))
	for _, r := range s.out.Records() {
		if r.Topic != event.TopicAssignments {
			continue
		}
		d, err := event.Decode[event.Decision](r.Event)
		s.ok(err)
		if d.Action == action {
			out = append(out, d)
		}
	}
	return out
}

func TestWhatWaitsInADeletedQueueIsMovedInParts(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const n = 2*slice + 50
	for i := range n {
		s.wait(fmt.Sprintf("cnv_%d", i), "q_deleted", true)
	}
	o := s.owner()
	next := dueEvent("t", s.at(), event.Due{QueueID: "q_deleted", Version: 2})
	for part := 1; ; part++ {
		s.ok(o.handle(t.Context(), bus.Message{Event: next}))
		if got := len(s.decisions("queue")); got != min(part*slice, n) {
			t.Fatalf("after part %d %d conversations are moved, want %d", part, got, min(part*slice, n))
		}
		more := slices.DeleteFunc(s.out.Topic(event.TopicRouting), func(e event.Event) bool { return e.Type != event.RoutingDue })
		if len(more) < part {
			break
		}
		next = more[part-1]
	}
	if got := s.decisions("queue"); len(got) != n || got[0].QueueID != "q_1" {
		t.Errorf("%d conversations were moved, want %d, the first to the channel's queue: %+v", len(got), n, got[0])
	}
}

func TestAnUnansweredQueueDecisionIsPublishedAgainUntilANewerFact(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	clock := time.Now()
	s.Now = func() time.Time { return clock }
	o := s.owner()
	h := event.Holder{ConversationID: "cnv_1", ThreadID: "thr_1", ChannelID: "ch_1", Epoch: 1, State: event.Waiting}
	s.ok(o.moved(t.Context(), o.of("t"), h))
	if got := s.decisions("queue"); len(got) != 1 || got[0].QueueID != "q_1" || got[0].Epoch != 1 {
		t.Fatalf("%+v, want the channel's queue at epoch 1", got)
	}
	s.ok(s.Repeat(t.Context()))
	clock = clock.Add(unansweredAfter + time.Second)
	s.ok(s.Repeat(t.Context()))
	if got := s.decisions("queue"); len(got) != 2 || got[0].ID != got[1].ID {
		t.Fatalf("%+v, want the same decision once more", got)
	}
	h.Epoch, h.QueueID = 2, "q_1"
	s.ok(o.moved(t.Context(), o.of("t"), h))
	clock = clock.Add(unansweredAfter + time.Second)
	s.ok(s.Repeat(t.Context()))
	if got := s.decisions("queue"); len(got) != 2 {
		t.Errorf("%+v, want nothing more after the answer", got)
	}
}

// Documents of the first version carry the channel's queue, the conversation in the inbox carries none.
func TestP14_AQueueThatOnlyRoutingKnewIsToldToInboxOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ok(s.Agents.Delete(t.Context(), "agt_1"))
	s.wait("cnv_old", "q_1", false)
	s.wait("cnv_new", "q_1", true)
	for range 2 {
		s.ok(s.owner().rebuild(t.Context()))
	}
	if got := s.decisions("queue"); len(got) != 1 || got[0].ConversationID != "cnv_old" || got[0].QueueID != "q_1" {
		t.Errorf("%+v, want one decision for cnv_old", got)
	}
}

func TestThePeriodicLookFindsWhatNoRecordMadeKnown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	o := s.owner()
	s.ok(o.rebuild(t.Context()))
	s.wait("cnv_1", "q_1", true)
	next, err := o.inspect(t.Context(), "")
	s.ok(err)
	if got := s.decisions("assign"); next != "" || len(got) != 1 || got[0].AgentID != "agt_1" {
		t.Errorf("%q %+v, want cnv_1 given to the agent who is there", next, got)
	}
}
