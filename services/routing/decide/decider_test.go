package decide

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// policies is a directory in which every channel has one queue, which is the only one there is, and every user is
// there.
type policies struct{ queue string }

func (p policies) Channel(context.Context, string) (channel.Keyed, error) {
	return channel.Keyed{Channel: channel.Channel{Policy: channel.Policy{QueueID: p.queue}}}, nil
}

func (p policies) Queue(_ context.Context, tenant, id string) (directory.Named, error) {
	if id != p.queue {
		return directory.Named{}, fault.New(fault.Gone, "not_found", "there is no queue %s", id)
	}
	return directory.Named{ID: id, Tenant: tenant}, nil
}

func (policies) User(context.Context, string, string) (directory.User, error) {
	return directory.User{}, nil
}

func (policies) Changed(event.Config) {}

// world is inbox, people and the topics, as docs/models/routing.pml has them: the decider is the real one, on a real
// store.
type world struct {
	t         *rapid.T
	ctx       context.Context
	db        store.DB
	tenant    string
	clock     time.Time
	out       *storetest.Publisher
	applier   *store.Applier
	decider   *Decider
	seen      int // decisions taken from out
	conv      map[string]*conversation
	records   []bus.Message // tributary.routing, in order
	read      int           // by the present owner
	decisions []event.Decision
	owner     bus.Handler
	old       bus.Handler // of a generation that does not know yet that it is over
	limit     int
	agents    []string
}

type conversation struct {
	id     string
	epoch  int64
	state  string // waiting, held, asleep, out
	queue  string
	holder string
	routed string
}

func newWorld(t *rapid.T, ctx context.Context, db store.DB, n int) *world {
	w := &world{t: t, ctx: ctx, db: db, tenant: fmt.Sprintf("t%d", n), clock: time.Now(), out: &storetest.Publisher{}, conv: map[string]*conversation{}}
	w.applier = store.NewApplier(db, w.out, slog.New(slog.DiscardHandler))
	facts := store.Facts(w.applier)
	w.decider = &Decider{
		Agents: store.NewCollection[Agent](db, directory.Agents, facts), Presences: store.NewCollection[Presence](db, PresenceSpec, facts),
		Queues: store.NewCollection[Queue](db, directory.Queues, facts), Routed: store.NewCollection[Routed](db, RoutedSpec, facts),
		Directory: policies{"q_" + w.tenant}, To: w.out, Repairs: NewRepairs(), Now: func() time.Time { return w.clock }, Log: slog.New(slog.DiscardHandler),
		Partition: func(_ context.Context, tenant string) (int, error) {
			if tenant == w.tenant {
				return 0, nil
			}
			return 1, nil
		},
	}
	w.limit = rapid.IntRange(1, 2).Draw(t, "limit")
	q := &Queue{Name: "all", CreatedAt: w.decider.at()}
	q.ID, q.Tenant = "q_"+w.tenant, w.tenant
	w.must(w.decider.Queues.Insert(ctx, q))
	for i := range 2 {
		id := fmt.Sprintf("agt_%s_%d", w.tenant, i)
		a := NewAgent(w.tenant, id, w.decider.at())
		a.Limit, a.QueueIDs = w.limit, []string{q.ID}
		w.must(w.decider.Agents.Insert(ctx, a))
		w.agents = append(w.agents, id)
		w.appear(id, "idle")
	}
	for i := range 3 {
		id := fmt.Sprintf("cnv_%s_%d", w.tenant, i)
		w.conv[id] = &conversation{id: id, queue: "q_" + w.tenant}
	}
	w.handover()
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// pump moves what was published to where it is read.
func (w *world) pump() {
	w.must(w.applier.Flush(w.ctx))
	for _, r := range w.out.Records()[w.seen:] {
		w.seen++
		if r.Event.Tenant != w.tenant {
			continue
		}
		switch r.Topic {
		case event.TopicAssignments:
			d, err := event.Decode[event.Decision](r.Event)
			w.must(err)
			w.decisions = append(w.decisions, d)
			w.promise(d)
		case event.TopicRouting:
			w.records = append(w.records, bus.Message{Event: r.Event})
		}
	}
}

// promise: at a decision the agent's holds, the new one among them, are within the limit (P9), unless people took more.
func (w *world) promise(d event.Decision) {
	if d.Action == "queue" {
		return
	}
	a, err := w.decider.Agents.Get(w.ctx, d.AgentID)
	w.must(err)
	routed := 0
	for _, h := range a.Holds {
		if c := w.conv[h.ConversationID]; h.Kind == Offered || (c != nil && c.holder == a.ID && c.routed != "") {
			routed++
		}
	}
	if routed > a.Limit {
		w.t.Errorf("agent %s was given %d conversations, the limit is %d: %+v", a.ID, routed, a.Limit, a.Holds)
	}
}

func (w *world) say(c *conversation) {
	h := event.Holder{ConversationID: c.id, ThreadID: "thr_" + c.id, ChannelID: "ch_1", Epoch: c.epoch, State: c.state, AgentID: c.holder, QueueID: c.queue, WaitingSince: w.decider.at(), Routed: c.routed}
	w.records = append(w.records, bus.Message{Event: event.New(fmt.Sprint(c.id, c.epoch), event.RoutingHolder, "inbox", w.tenant, c.id, w.decider.at(), h)})
}

func (w *world) person(c *conversation) {
	to := rapid.SampledFrom([]string{"wait", "unassign", "misplace", "sleep", "close", w.agents[0], w.agents[1]}).Draw(w.t, "person")
	c.epoch++
	if to == "sleep" { // whoever holds it keeps it
		c.state = "asleep"
		w.say(c)
		return
	}
	c.holder, c.routed = "", ""
	switch to {
	case "wait":
		c.state, c.queue = "waiting", "q_"+w.tenant
	case "unassign":
		c.state, c.queue = "waiting", ""
	case "misplace":
		c.state, c.queue = "waiting", "q_deleted"
	case "close":
		c.state = "out"
	default:
		c.state, c.holder = "held", to
	}
	w.say(c)
}

// consume is inbox meeting a decision; again says that it will be met once more.
func (w *world) consume(again bool) {
	if len(w.decisions) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.decisions)-1).Draw(w.t, "decision")
	d := w.decisions[i]
	if !again {
		w.decisions = slices.Delete(w.decisions, i, i+1)
	}
	c := w.conv[d.ConversationID]
	switch {
	case c.epoch == d.Epoch && c.state == "waiting" && d.Action == "queue":
		c.epoch++
		c.queue, c.routed = d.QueueID, d.ID
		w.say(c)
	case c.epoch == d.Epoch && c.state == "waiting":
		c.epoch++
		c.state, c.holder, c.routed = "held", d.AgentID, d.ID
		w.say(c)
	case c.epoch == d.Epoch+1 && c.routed == d.ID:
	default:
		r := event.Refusal{DecisionID: d.ID, ConversationID: c.id, Epoch: d.Epoch, AgentID: d.AgentID}
		w.records = append(w.records, bus.Message{Event: event.New("r"+d.ID, event.AssignmentRefused, "inbox", w.tenant, c.id, w.decider.at(), r)})
	}
}

func (w *world) appear(agent, state string) {
	w.clock = w.clock.Add(time.Millisecond)
	_, err := w.decider.Appear(w.ctx, w.tenant, agent, state, "", time.Hour)
	w.must(err)
}

// handover begins a generation from the committed offset; the owner before may go on without knowing.
func (w *world) handover() {
	w.old = w.owner
	h, _, err := w.decider.Assign(w.ctx, bus.Assignment{Partition: 0})
	w.must(err)
	w.owner = h
}

func (w *world) step() {
	if w.read < len(w.records) {
		w.must(w.owner(w.ctx, w.records[w.read]))
		w.read++
	}
}

// zombie is the old owner taking a record more.
func (w *world) zombie() {
	if w.old != nil && w.read < len(w.records) {
		w.must(w.old(w.ctx, w.records[w.read]))
	}
}

// race lets both owners work at the same time, each on a record of its own. The old one's is not ahead of the new
// one's: nobody takes a record whose predecessors of the same conversation nobody has taken.
func (w *world) race() {
	if w.old == nil || w.read >= len(w.records) {
		return
	}
	mine, other := w.records[w.read], w.records[rapid.IntRange(0, w.read).Draw(w.t, "other")]
	w.read++
	var wg sync.WaitGroup
	errs := make([]error, 2)
	wg.Go(func() { errs[0] = w.owner(w.ctx, mine) })
	wg.Go(func() { errs[1] = w.old(w.ctx, other) })
	wg.Wait()
	w.must(errors.Join(errs...))
}

// late is a record that turns up once more, behind newer ones.
func (w *world) late() {
	if len(w.records) > 0 {
		w.records = append(w.records, w.records[rapid.IntRange(0, len(w.records)-1).Draw(w.t, "late")])
	}
}

func (w *world) settle() {
	for range 200 {
		w.pump()
		if w.read == len(w.records) && len(w.decisions) == 0 {
			return
		}
		w.step()
		w.consume(false)
	}
	w.t.Fatal("it never becomes quiet")
}

// quiet is what must hold when nothing can move any more.
func (w *world) quiet() {
	free := map[string]bool{}
	for _, id := range w.agents {
		a, err := w.decider.Agents.Get(w.ctx, id)
		w.must(err)
		p, err := w.decider.Presences.Get(w.ctx, id)
		w.must(err)
		free[id] = p.There(w.decider.at()) && p.State == "idle" && len(a.Holds) < a.Limit
		for _, h := range a.Holds {
			if c := w.conv[h.ConversationID]; c.holder != id || c.state == "asleep" {
				w.t.Errorf("%s holds %s, which %q has: a hold leaked", id, c.id, c.holder)
			}
		}
		for _, c := range w.conv {
			if c.holder == id && c.state == "held" && a.hold(c.id) == nil {
				w.t.Errorf("%s has %s and no hold for it", id, c.id)
			}
		}
	}
	for _, c := range w.conv {
		if c.state == "waiting" && c.queue != "q_"+w.tenant {
			w.t.Errorf("%s waits in queue %q, where no agent looks", c.id, c.queue)
		}
		if c.state == "waiting" && (free[w.agents[0]] || free[w.agents[1]]) {
			w.t.Errorf("%s waits while an agent has room", c.id)
		}
	}
}

func TestP9_RoutingKeepsLimitsAndLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, Specs...)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := newWorld(rt, t.Context(), db, n)
		ids := []string{}
		for id := range w.conv {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			w.clock = w.clock.Add(time.Millisecond)
			switch rapid.SampledFrom([]string{"person", "step", "step", "consume", "consume", "again", "presence", "handover", "zombie", "race", "race", "late", "repeat"}).Draw(rt, "what") {
			case "person":
				w.person(w.conv[rapid.SampledFrom(ids).Draw(rt, "conversation")])
			case "step":
				w.step()
			case "consume":
				w.consume(false)
			case "again":
				w.consume(true)
			case "presence":
				w.appear(rapid.SampledFrom(w.agents).Draw(rt, "agent"), rapid.SampledFrom([]string{"idle", "offline", "busy"}).Draw(rt, "state"))
			case "handover":
				w.handover()
			case "zombie":
				w.zombie()
			case "race":
				w.race()
			case "late":
				w.late()
			case "repeat":
				w.clock = w.clock.Add(unansweredAfter)
				w.must(w.decider.Repeat(w.ctx))
			}
			w.pump()
		}
		w.settle()
		w.quiet()
	})
}

func TestLeastLoadedThenLongestIdle(t *testing.T) {
	t.Parallel()
	at := event.At(time.Now())
	q := &Queue{}
	q.ID = "q_1"
	agent := func(id string, limit, holds int, idle event.Time, state string) *candidate {
		a := NewAgent("t", id, idle)
		a.Limit, a.QueueIDs = limit, []string{"q_1"}
		for i := range holds {
			a.put(Hold{ConversationID: fmt.Sprint("c", i), Kind: Held}, at)
		}
		return &candidate{a, &Presence{State: state, LeaseEnds: at.Add(time.Hour)}}
	}
	for name, tc := range map[string]struct {
		agents []*candidate
		want   string
		code   string
	}{
		"fewest":       {[]*candidate{agent("a", 5, 2, at, "idle"), agent("b", 5, 1, at, "idle")}, "b", "least_loaded"},
		"longest idle": {[]*candidate{agent("a", 5, 0, at, "idle"), agent("b", 5, 0, at.Add(-time.Minute), "idle")}, "b", "longest_idle"},
		"busy":         {[]*candidate{agent("a", 5, 0, at, "busy"), agent("b", 5, 3, at, "idle")}, "b", "least_loaded"},
		"full":         {[]*candidate{agent("a", 1, 1, at, "idle"), agent("b", 0, 0, at, "idle")}, "", ""},
	} {
		fit, reasons := choose(&Routed{}, q, tc.agents)
		got, code := "", ""
		if len(fit) > 0 {
			got, code = fit[0].agent.ID, why(fit, 0)[0].Code
		}
		if got != tc.want || code != tc.code || len(fit)+len(reasons) != len(tc.agents) {
			t.Errorf("%s: chose %q (%s), want %q (%s); reasons %v", name, got, code, tc.want, tc.code, reasons)
		}
	}
}

func TestPresenceEndsWithItsLease(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, Specs...)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := newWorld(rt, t.Context(), db, n)
		w.clock = w.clock.Add(2 * time.Hour)
		if err := w.decider.Expire(w.ctx); err != nil {
			rt.Fatal(err)
		}
		p, err := w.decider.Presences.Get(w.ctx, w.agents[0])
		if err != nil || p.State != "offline" || !p.LeaseEnds.IsZero() {
			rt.Errorf("presence %+v (%v), want offline", p, err)
		}
	})
}
