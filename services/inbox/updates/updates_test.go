package updates_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/services/inbox/record"
	"github.com/tributaryhq/tributary/services/inbox/updates"
)

var (
	noon   = event.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	person = event.Actor{Kind: "user", ID: "usr_a"}
)

var (
	shared store.DB
	worlds atomic.Int64
)

// TestMain opens one store for all tests, and bounds what rapid tries; -rapid.checks=5000 tries more.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("30") // a number that is surely valid
	}
	dir, err := os.MkdirTemp("", "updates")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if shared, err = storetest.Open(context.Background(), dir); err != nil {
		panic(err)
	}
	defer func() { _ = shared.Close() }()
	if err := shared.Ensure(context.Background(), record.Specs...); err != nil {
		panic(err)
	}
	return m.Run()
}

type world struct {
	*testing.T
	*updates.Consumer
	log      storetest.Publisher
	id, conv string
	known    []string
	sent     []string
}

func newWorld(t *testing.T) *world {
	w := &world{T: t}
	w.id = fmt.Sprintf("t%d", worlds.Add(1))
	r := record.New(shared, &w.log, nil)
	w.Consumer = &updates.Consumer{
		Record: r, Now: func() time.Time { return noon.Time },
		Send: func(_ context.Context, id string, _ event.Decision) error { w.sent = append(w.sent, id); return nil },
		Known: func(_ context.Context, _, _ string, ids ...string) error {
			w.known = append(w.known, ids...)
			return nil
		},
	}
	th := &record.Thread{ChannelID: "ch_1", ChannelType: event.WhatsApp, Kind: record.Messages, Peer: "p"}
	th.ID, th.Tenant = "thr_1", w.id
	c := th.Open(1, record.Window{}, record.Rules{}, person, "user", nil, noon)
	w.conv = c.ID
	w.must(r.Conversations.Insert(t.Context(), c))
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) conversation() *record.Conversation {
	w.Helper()
	c, err := w.Record.Conversations.Get(w.Context(), w.conv)
	w.must(err)
	return c
}

func (w *world) change(f func(*record.Conversation)) {
	w.Helper()
	_, err := w.Record.Conversations.Update(w.Context(), w.conv, func(c *record.Conversation) error { f(c); return nil })
	w.must(err)
}

func (w *world) decide(d event.Decision) {
	w.Helper()
	d.ConversationID, d.ID = w.conv, d.ID+w.id
	w.must(w.Decision(w.Context(), bus.Message{Event: event.New("evt_"+d.ID, event.RoutingDecided, "routing", w.id, w.conv, noon, d)}))
}

// refusals are the decisions that routing heard were refused.
func (w *world) refusals() (ids []string) {
	w.Helper()
	w.must(w.Record.Applier.Flush(w.Context()))
	for _, e := range w.log.Topic(event.TopicRouting) {
		r, err := event.Decode[event.Refusal](e)
		w.must(err)
		ids = append(ids, strings.TrimSuffix(r.DecisionID, w.id))
	}
	return ids
}

func (w *world) outcome(id string) string {
	w.Helper()
	d, err := w.Record.Decisions.Get(w.Context(), id+w.id)
	w.must(err)
	return d.Outcome
}

func TestADecisionAtItsEpochIsApplied(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name   string
		before func(*record.Conversation)
		d      event.Decision
		ok     func(*record.Conversation) bool
	}{
		{"assign", nil, event.Decision{Epoch: 1, Action: "assign", AgentID: "agt_a", QueueID: "q"},
			func(c *record.Conversation) bool {
				return c.AssigneeID == "agt_a" && c.QueueID == "q" && c.HolderEpoch == 2
			}},
		{"queue", nil, event.Decision{Epoch: 1, Action: "queue", QueueID: "q"}, func(c *record.Conversation) bool { return c.QueueID == "q" && c.HolderEpoch == 2 }},
		{"bot", nil, event.Decision{Epoch: 1, Action: "bot", BotID: "b"}, func(c *record.Conversation) bool { return c.BotActive && c.BotID == "b" }},
		{"close", nil, event.Decision{Epoch: 1, Action: "close"}, func(c *record.Conversation) bool {
			return c.Status == record.Closed && strings.HasPrefix(c.Routed, "dec")
		}},
		{"unassign", func(c *record.Conversation) { c.Assign(record.Target{AgentID: "agt_a"}, person, "", noon) },
			event.Decision{Epoch: 2, Action: "unassign", AgentID: "agt_a", QueueID: "q"},
			func(c *record.Conversation) bool { return c.AssigneeID == "" && c.QueueID == "q" && c.HolderEpoch == 3 }},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if x.before != nil {
				w.change(x.before)
			}
			x.d.ID = "dec"
			w.decide(x.d)
			once := w.conversation()
			if !x.ok(once) || once.Routed != "dec"+w.id || w.outcome("dec") != "applied" {
				t.Errorf("%+v", once)
			}
			w.decide(x.d)
			if twice := w.conversation(); twice.Seq != once.Seq || len(w.refusals()) > 0 {
				t.Errorf("again: seq %d after %d, refused %v", twice.Seq, once.Seq, w.refusals())
			}
		})
	}
}

func TestADecisionThatIsTooLateIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change(func(c *record.Conversation) { c.Assign(record.Target{AgentID: "agt_b"}, person, "", noon) })
	late := event.Decision{ID: "late", Epoch: 1, Action: "assign", AgentID: "agt_a"}
	early := event.Decision{ID: "early", Epoch: 3, Action: "assign", AgentID: "agt_a"}
	odd := event.Decision{ID: "odd", Epoch: 2, Action: "assign", AgentID: "agt_a"} // it is held: there is nothing to assign
	wrong := event.Decision{ID: "wrong", Epoch: 2, Action: "unassign", AgentID: "agt_a"}
	for _, d := range []event.Decision{late, late, early, odd, wrong} {
		w.decide(d)
	}
	w.change(func(c *record.Conversation) { c.Standby = true })
	w.decide(event.Decision{ID: "elsewhere", Epoch: 2, Action: "bot", BotID: "bot_a"})
	if c := w.conversation(); c.AssigneeID != "agt_b" || c.HolderEpoch != 2 {
		t.Errorf("%+v", c)
	}
	if diff := cmp.Diff([]string{"late", "early", "odd", "wrong", "elsewhere"}, w.refusals()); diff != "" {
		t.Errorf("refused: %s", diff)
	}
	if w.outcome("late") != "refused" {
		t.Errorf("outcome %s", w.outcome("late"))
	}
}

func TestADecisionThatWasAppliedIsNotRefusedLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := event.Decision{ID: "dec", Epoch: 1, Action: "assign", AgentID: "agt_a"}
	w.decide(d)
	w.change(func(c *record.Conversation) { c.Assign(record.Target{AgentID: "agt_b"}, person, "", noon) })
	w.decide(d)
	if c := w.conversation(); c.AssigneeID != "agt_b" || len(w.refusals()) > 0 || w.outcome("dec") != "applied" {
		t.Errorf("%s holds it, refused %v", c.AssigneeID, w.refusals())
	}
}

func TestOddDecisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.decide(event.Decision{ID: "send", Action: "send"})
	if !slices.Equal(w.sent, []string{w.conv}) {
		t.Errorf("sent %v", w.sent)
	}
	handle := func(d any) error {
		return w.Decision(t.Context(), bus.Message{Event: event.New("evt", event.RoutingDecided, "routing", w.id, "", noon, d)})
	}
	w.must(handle(event.Decision{ID: "x", ConversationID: "cnv_gone", Epoch: 1, Action: "assign"}))
	for _, odd := range []any{event.Decision{ID: "dance", ConversationID: w.conv, Epoch: 1, Action: "dance"}, []string{}} {
		if err := handle(odd); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: %v, want poison", odd, err)
		}
	}
}

// message is one of ours with some attempts.
func (w *world) message(attempts int) *record.Message {
	w.Helper()
	m := &record.Message{Direction: record.Out, CreatedAt: noon}
	m.ID, m.Tenant, m.ChannelID = "msg_"+w.id, w.id, "ch_1"
	for n := 1; n <= attempts; n++ {
		m.Attempts = append(m.Attempts, record.Attempt{ID: record.AttemptID(w.id, m.ID, n), N: n, Status: event.Queued, CreatedAt: noon})
	}
	m.Status = event.Queued
	w.must(w.Record.Messages.Insert(w.Context(), m))
	return m
}

func (w *world) step(m *record.Message, attempt int, seq int64, of, step event.DeliveryStatus, ids ...string) error {
	s := event.Status{
		MessageID: m.ID, AttemptID: record.AttemptID(w.id, m.ID, attempt), Attempt: attempt, Seq: seq, Status: of, ExternalIDs: ids,
		Step: event.Step{Status: step, At: noon, Source: "receipt"},
	}
	return w.Status(w.Context(), bus.Message{Event: event.New("evt", event.StatusChanged, "deliverystatus", w.id, m.ID, noon, s)})
}

func (w *world) read(m *record.Message) *record.Message {
	w.Helper()
	m, err := w.Record.Messages.Get(w.Context(), m.ID)
	w.must(err)
	return m
}

func TestP6_AStatusOnlyMovesForward(t *testing.T) {
	t.Parallel()
	statuses := []event.DeliveryStatus{event.Unsure, event.Accepted, event.Sent, event.Failed, event.Delivered, event.Read}
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := w.message(2)
		highest, steps, last := map[int]event.DeliveryStatus{1: event.Queued, 2: event.Queued}, map[int]int{}, map[int]int64{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			n := rapid.IntRange(1, 2).Draw(rt, "attempt")
			s := rapid.SampledFrom(statuses).Draw(rt, "status")
			if s.Rank() > highest[n].Rank() {
				highest[n] = s
			}
			last[n]++
			steps[n]++
			for range rapid.IntRange(1, 2).Draw(rt, "deliveries") {
				if err := w.step(m, n, last[n], highest[n], s); err != nil {
					rt.Fatal(err)
				}
			}
			if seen := rapid.Int64Range(1, last[n]).Draw(rt, "an old one again"); w.step(m, n, seen, event.Queued, s) != nil {
				rt.Fatal("an old one")
			}
			want := highest[2]
			if first := highest[1]; first.Rank() >= event.Delivered.Rank() && first.Rank() > want.Rank() {
				want = first
			}
			if got := w.read(m); got.Status != want || len(got.Attempts[0].Steps) != steps[1] || len(got.Attempts[1].Steps) != steps[2] ||
				got.Attempts[0].Status != highest[1] || got.Attempts[1].Status != highest[2] {
				rt.Fatalf("shown %s, want %s; attempts %+v", got.Status, want, got.Attempts)
			}
		}
		w.must(w.Record.Messages.Delete(t.Context(), m.ID))
	})
}

func TestProviderIDsAreLearnedAndTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.message(1)
	for range 2 { // the first may have died before it told
		w.must(w.step(m, 1, 1, event.Sent, event.Sent, "x1", "x2"))
	}
	if got := w.read(m); !slices.Equal(got.ExternalIDs, []string{"x1", "x2"}) || !slices.Equal(got.Attempts[0].ExternalIDs, got.ExternalIDs) {
		t.Errorf("%v", got.ExternalIDs)
	}
	if !slices.Equal(w.known, []string{"x1", "x2", "x1", "x2"}) {
		t.Errorf("told %v", w.known)
	}
	w.must(w.Record.Applier.Flush(t.Context()))
	if n := len(w.log.Topic(event.TopicConversations)); n != 2 { // opened, updated
		t.Errorf("%d facts", n)
	}
}

func TestOddStatuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.message(1)
	w.must(w.step(m, 7, 1, event.Sent, event.Sent)) // of an attempt that is not ours
	nobody := *m
	nobody.ID = "msg_nobody"
	if err := w.step(&nobody, 1, 1, event.Sent, event.Sent); !fault.Is(err, fault.Invalid) {
		t.Errorf("of no message: %v, want poison", err)
	}
	if err := w.Status(t.Context(), bus.Message{Event: event.Event{Data: []byte(`[]`)}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("not decodable: %v, want poison", err)
	}
	w.Known = func(context.Context, string, string, ...string) error { return store.Away(errors.New("away")) }
	if err := w.step(m, 1, 1, event.Sent, event.Sent, "x"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the store is away: %v", err)
	}
}
