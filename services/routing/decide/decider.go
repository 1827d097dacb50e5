package decide

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Directory is what the decider asks about channels and agents; directory.Directory is one.
type Directory interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
}

// Decider decides for the tenants of the partitions it owns.
type Decider struct {
	Agents    *store.Collection[Agent]
	Presences *store.Collection[Presence]
	Queues    *store.Collection[Queue]
	Places    *store.Collection[Place]
	Directory Directory
	Partition func(ctx context.Context, tenant string) (int, error) // of tributary.routing
	Now       func() time.Time
	Log       *slog.Logger
}

// Assign begins a generation of a partition: the memory is built after the generation has its offsets, and a look for work
// follows at once (R11).
func (d *Decider) Assign(ctx context.Context, p bus.Assignment) (bus.Handler, func(), error) {
	o := &owner{Decider: d, tenants: map[string]*tenant{}}
	if err := o.rebuild(ctx, p.Partition); err != nil {
		return nil, nil, fmt.Errorf("routing: %w", err)
	}
	return o.handle, nil, nil
}

// owner is the decider of one partition in one generation.
type owner struct {
	*Decider
	mu      sync.Mutex
	tenants map[string]*tenant
}

func (o *owner) of(id string) *tenant {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.tenants[id]
	if t == nil {
		t = newTenant(id)
		o.tenants[id] = t
	}
	return t
}

func (o *owner) rebuild(ctx context.Context, partition int) error {
	q := store.Query{Order: "undecided_since", Limit: store.MaxLimit}
	for place, err := range o.Places.All(ctx, q) {
		if err != nil {
			return err
		}
		mine, err := o.Partition(ctx, place.Tenant)
		if err != nil {
			return err
		}
		if mine != partition {
			continue
		}
		newest, _, err := o.newestHold(ctx, place.Tenant, place.ID)
		if err != nil {
			return err
		}
		o.of(place.Tenant).take(place, newest)
	}
	for _, t := range o.tenants {
		if err := o.look(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// handle takes one record of a tenant. Order of work: the agents' documents, the conversation's, the offset (R6).
func (o *owner) handle(ctx context.Context, m bus.Message) error {
	t := o.of(m.Event.Tenant)
	var err error
	switch m.Event.Type {
	case event.RoutingHolder:
		var h event.Holder
		if h, err = event.Decode[event.Holder](m.Event); err != nil {
			return fault.New(fault.Invalid, "bad_event", "%w", err)
		}
		err = o.moved(ctx, t, h)
	case event.AssignmentRefused:
		var r event.Refusal
		if r, err = event.Decode[event.Refusal](m.Event); err != nil {
			return fault.New(fault.Invalid, "bad_event", "%w", err)
		}
		err = o.refused(ctx, t, r)
	}
	if err == nil {
		err = o.look(ctx, t) // an agent who comes, goes or gets another limit is a record too (R12)
	}
	return err
}

// moved takes over that a conversation has another holder, queue or status.
func (o *owner) moved(ctx context.Context, t *tenant, h event.Holder) error {
	seen, holders, err := o.newestHold(ctx, t.id, h.ConversationID)
	if err != nil {
		return err
	}
	if h.AgentID != "" {
		holders[h.AgentID] = true
	}
	for id := range holders {
		a, err := o.Agents.Upsert(ctx, id, func() *Agent { return NewAgent(t.id, id, o.at()) }, func(a *Agent) error {
			// Is it news? Asked of the conversation's document after the read, on every try (R7).
			place, err := o.place(ctx, h.ConversationID)
			if err != nil {
				return err
			}
			if place != nil && h.Epoch <= place.Epoch {
				return store.Unchanged
			}
			return o.settle(a, h)
		})
		if err != nil {
			return err
		}
		if hold := a.hold(h.ConversationID); hold != nil {
			seen = max(seen, hold.Epoch)
		}
	}
	return o.remember(ctx, t, h, seen)
}

// settle makes or frees the agent's hold (R3): the fact that A holds it at an epoch makes it held, whoever decided that and
// whatever the limit says; a newer fact that names somebody else, or nobody, frees it.
func (o *owner) settle(a *Agent, h event.Holder) error {
	have := a.hold(h.ConversationID)
	switch {
	case h.AgentID == a.ID && (have == nil || have.Epoch < h.Epoch):
		a.put(Hold{ConversationID: h.ConversationID, Epoch: h.Epoch, Kind: Held, Since: o.at()}, o.at())
	case h.AgentID != a.ID && have != nil && have.Epoch < h.Epoch:
		a.drop(h.ConversationID, o.at())
	default:
		return store.Unchanged
	}
	return nil
}

// remember moves the conversation's document forward, and the memory takes over what it says, news or not (R5, R8).
func (o *owner) remember(ctx context.Context, t *tenant, h event.Holder, seen int64) error {
	queue, err := o.queueOf(ctx, h)
	if err != nil {
		return err
	}
	fresh := func() *Place { p := &Place{}; p.Tenant = t.id; return p }
	place, err := o.Places.Upsert(ctx, h.ConversationID, fresh, func(p *Place) error {
		if h.Epoch <= p.Epoch {
			return store.Unchanged
		}
		p.ThreadID, p.ChannelID, p.ChannelType = h.ThreadID, h.ChannelID, h.ChannelType
		p.Epoch, p.State, p.AgentID, p.QueueID = h.Epoch, h.State, h.AgentID, queue
		p.Priority, p.WaitingSince, p.OUID = h.Priority, h.WaitingSince, h.OUID
		if p.State == "waiting" && p.WaitingSince.IsZero() {
			p.WaitingSince = o.at()
		}
		p.UndecidedSince = event.Time{}
		if p.undecided() {
			p.UndecidedSince = p.WaitingSince
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.take(place, seen)
	return nil
}

// refused frees only what is still offered at the refused epoch (R3).
func (o *owner) refused(ctx context.Context, t *tenant, r event.Refusal) error {
	if r.AgentID == "" {
		return nil
	}
	_, err := o.Agents.Update(ctx, r.AgentID, func(a *Agent) error {
		h := a.hold(r.ConversationID)
		if h == nil || h.Kind != Offered || h.Epoch != r.Epoch {
			return store.Unchanged
		}
		a.drop(r.ConversationID, o.at())
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	place, err := o.place(ctx, r.ConversationID)
	if err != nil || place == nil {
		return err
	}
	seen, _, err := o.newestHold(ctx, t.id, r.ConversationID)
	if err != nil {
		return err
	}
	t.take(place, seen)
	return nil
}

// newestHold asks the store, not memory, which agents hold a conversation (R10).
func (o *owner) newestHold(ctx context.Context, tenantID, conversationID string) (newest int64, holders map[string]bool, err error) {
	holders = map[string]bool{}
	q := store.Query{Where: []store.Eq{{Field: "tenant", Value: tenantID}, {Field: "holding", Value: conversationID}}, Limit: 100}
	for a, err := range o.Agents.All(ctx, q) {
		if err != nil {
			return 0, nil, err
		}
		holders[a.ID] = true
		if h := a.hold(conversationID); h != nil {
			newest = max(newest, h.Epoch)
		}
	}
	return newest, holders, nil
}

func (o *owner) place(ctx context.Context, id string) (*Place, error) {
	p, err := o.Places.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return p, err
}

// queueOf is the queue a conversation waits in: the one it was put into, else the channel's.
func (o *owner) queueOf(ctx context.Context, h event.Holder) (string, error) {
	if h.QueueID != "" || h.State != "waiting" {
		return h.QueueID, nil
	}
	ch, err := o.Directory.Channel(ctx, h.ChannelID)
	if fault.Is(err, fault.Gone) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var policy struct {
		QueueID string `json:"queue_id"`
	}
	if len(ch.Policy) > 0 {
		_ = json.Unmarshal(ch.Policy, &policy) // admin has validated it
	}
	return policy.QueueID, nil
}

func (d *Decider) at() event.Time { return event.At(d.Now()) }
