package decide

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// candidate is an agent as it was read for one look.
type candidate struct {
	agent    *Agent
	presence *Presence
}

func (c candidate) idle() bool { return c.presence != nil && c.presence.State == "idle" }

// look gives what waits to whoever has room, the most urgent and then the longest waiting first. Agents are read from the
// store at every look: that nobody has room is believed only from there (R9). A queue whose agents have none is left alone,
// however much waits in it.
func (o *owner) look(ctx context.Context, t *tenant) error {
	if len(t.waiting) == 0 {
		return nil
	}
	agents, err := o.candidates(ctx, t.id)
	if err != nil {
		return err
	}
	var turns []*turn
	for id := range t.lines {
		q, err := o.queue(ctx, t.id, id)
		if err != nil {
			return err
		}
		if q != nil {
			turns = append(turns, &turn{queue: q})
		}
	}
	for {
		turns = slices.DeleteFunc(turns, func(x *turn) bool { return !room(x.queue, agents) })
		x, place := t.first(turns)
		if place == nil {
			return nil
		}
		offered, err := o.decide(ctx, t, place, x.queue, agents)
		if err != nil {
			return err
		}
		if offered {
			t.leave(place.ID)
		} else {
			x.next++
		}
	}
}

// room reports whether an agent of the queue may be offered anything.
func room(q *Queue, agents []*candidate) bool {
	return slices.ContainsFunc(agents, func(c *candidate) bool { return c.idle() && len(c.agent.Holds) < c.agent.Limit && c.agent.serves(q) })
}

// queue reads a queue; nil if the tenant has none of that id any more.
func (o *owner) queue(ctx context.Context, tenantID, id string) (*Queue, error) {
	q, err := o.Queues.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || (err == nil && (q.Tenant != tenantID || q.Deleted)) {
		return nil, nil
	}
	return q, err
}

func (o *owner) candidates(ctx context.Context, tenantID string) ([]*candidate, error) {
	var out []*candidate
	var ids []string
	for a, err := range o.Agents.All(ctx, store.Query{Where: []store.Eq{{Field: "tenant", Value: tenantID}}, Order: "created_at", Limit: 500}) {
		if err != nil {
			return nil, err
		}
		out, ids = append(out, &candidate{agent: a}), append(ids, a.ID)
	}
	presences, err := o.Presences.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, p := range presences {
		if p == nil || !p.There(o.at()) {
			continue
		}
		if ok, err := o.employed(ctx, tenantID, p.ID); err != nil {
			return nil, err
		} else if ok {
			out[i].presence = p
		}
	}
	return out, nil
}

// employed reports whether the user behind an agent is there and not disabled; the presence of others does not count, however
// long its lease.
func (o *owner) employed(ctx context.Context, tenantID, agentID string) (bool, error) {
	u, err := o.Directory.User(ctx, tenantID, directory.UserOf(agentID))
	if fault.Is(err, fault.Gone) {
		return false, nil
	}
	return err == nil && !u.Disabled, err
}

// decide offers a conversation to the least loaded agent of its queue, ties to the longest idle. Room is counted once more
// inside the Update, after the read; whoever has none any more is passed over (P9).
func (o *owner) decide(ctx context.Context, t *tenant, place *Routed, q *Queue, agents []*candidate) (offered bool, err error) {
	chosen, reasons := choose(place, q, agents)
	for i, c := range chosen {
		d := &event.Decision{
			ID: event.DeriveID("dec", t.id, place.ID, strconv.FormatInt(place.Epoch, 10), c.agent.ID), ConversationID: place.ID, ThreadID: place.ThreadID,
			Epoch: place.Epoch, Action: "assign", AgentID: c.agent.ID, QueueID: q.ID, At: o.at(), Reasons: append(why(chosen, i), reasons...),
		}
		a, err := o.Agents.Update(ctx, c.agent.ID, func(a *Agent) error {
			offered = false
			if a.load(place.ID) >= a.Limit {
				return store.Unchanged
			}
			if h := a.hold(place.ID); h != nil && h.Epoch >= place.Epoch {
				return store.Unchanged
			}
			offered = true
			a.put(Hold{ConversationID: place.ID, Epoch: place.Epoch, Kind: Offered, Decision: d, Since: d.At}, d.At)
			a.Emit(event.TopicAssignments, place.ThreadID, decided(t.id, d))
			return nil
		})
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		c.agent = a
		if offered {
			return true, nil
		}
	}
	return false, nil
}

func decided(tenantID string, d *event.Decision) event.Event {
	return event.New(event.DeriveID("evt", tenantID, d.ID), event.RoutingDecided, Source, tenantID, d.ConversationID, d.At, d)
}

// choose orders the agents of a queue that have room, best first, and says why the others do not come into question.
func choose(place *Routed, q *Queue, agents []*candidate) (fit []*candidate, reasons []event.Reason) {
	for _, c := range agents {
		switch {
		case !c.agent.serves(q):
			continue // not of the queue: no reason worth keeping
		case !c.idle():
			reasons = append(reasons, event.Reason{Code: "not_idle", AgentID: c.agent.ID, Detail: state(c.presence)})
		case c.agent.load(place.ID) >= c.agent.Limit:
			reasons = append(reasons, event.Reason{Code: "at_limit", AgentID: c.agent.ID, Detail: strconv.Itoa(c.agent.Limit)})
		default:
			fit = append(fit, c)
		}
	}
	slices.SortStableFunc(fit, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.agent.load(place.ID), b.agent.load(place.ID)), compareIdle(a.agent.IdleSince, b.agent.IdleSince), cmp.Compare(a.agent.ID, b.agent.ID))
	})
	return fit, reasons
}

// compareIdle puts the longest idle first; whoever holds something is not idle at all.
func compareIdle(a, b event.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b.Time)
}

func state(p *Presence) string {
	if p == nil {
		return "offline"
	}
	return p.State
}

// why explains the choice: the load that decided, and those who were passed over for having more.
func why(fit []*candidate, i int) []event.Reason {
	best := fit[i].agent
	code := "least_loaded"
	if i+1 < len(fit) && fit[i+1].agent.load("") == best.load("") {
		code = "longest_idle"
	}
	return []event.Reason{{Code: code, AgentID: best.ID, Detail: strconv.Itoa(best.load("")) + " of " + strconv.Itoa(best.Limit)}}
}

// Simulate says who would get a conversation of a queue now, and why. agent is empty if nobody would.
func (d *Decider) Simulate(ctx context.Context, q *Queue) (agent string, reasons []event.Reason, err error) {
	o := &owner{Decider: d}
	agents, err := o.candidates(ctx, q.Tenant)
	if err != nil {
		return "", nil, err
	}
	fit, reasons := choose(&Routed{}, q, agents)
	if len(fit) == 0 {
		return "", reasons, nil
	}
	return fit[0].agent.ID, append(why(fit, 0), reasons...), nil
}

// countTo bounds what a status counts.
const countTo = 9999

// Status tells how a queue stands.
func (d *Decider) Status(ctx context.Context, tenantID, queueID string) (map[string]any, error) {
	where := []store.Eq{{Field: "tenant", Value: tenantID}, {Field: "state", Value: "waiting"}, {Field: "queue_id", Value: queueID}}
	n, err := d.Routed.Count(ctx, store.Query{Where: where}, countTo+1)
	if err != nil {
		return nil, err
	}
	longest := 0.0
	first, _, _, err := d.Routed.Query(ctx, store.Query{Where: where, Order: "waiting_since", Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(first) > 0 {
		longest = d.Now().Sub(first[0].WaitingSince.Time).Seconds()
	}
	q, err := d.Queues.Get(ctx, queueID)
	if err != nil {
		return nil, err
	}
	o := &owner{Decider: d}
	agents, err := o.candidates(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	members, idle, free := 0, 0, 0
	for _, c := range agents {
		if !c.agent.serves(q) {
			continue
		}
		members++
		if c.idle() {
			idle++
			free += max(c.agent.Limit-len(c.agent.Holds), 0)
		}
	}
	return map[string]any{
		"waiting": min(n, countTo), "capped": n > countTo, "longest_wait_seconds": int(longest), "agents": members, "idle_agents": idle, "free_places": free,
	}, nil
}
