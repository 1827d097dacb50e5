package decide

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Directory is what the decider asks about channels, queues and agents; directory.Directory is one.
type Directory interface {
	Channel(ctx context.Context, id string) (channel.Keyed, error)
	Queue(ctx context.Context, tenant, id string) (directory.Named, error)
	User(ctx context.Context, tenant, id string) (directory.User, error)
	Changed(c event.Config) // no older version is answered from then on
}

// Decider decides for the tenants of the partitions it owns.
type Decider struct {
	Agents    *store.Collection[Agent]
	Presences *store.Collection[Presence]
	Queues    *store.Collection[Queue]
	Routed    *store.Collection[Routed]
	Directory Directory
	To        bus.Producer
	Partition func(ctx context.Context, tenant string) (int, error) // of tributary.routing
	Now       func() time.Time
	Log       *slog.Logger
	Repairs   metric.Int64Counter // waiting conversations that no record had made known
}

// NewRepairs returns the counter for [Decider.Repairs].
func NewRepairs() metric.Int64Counter {
	c, err := otel.Meter("tributary/routing").Int64Counter("tributary_routing_net_repairs",
		metric.WithDescription("waiting conversations that the periodic look found and no record had made known"))
	if err != nil {
		otel.Handle(err)
	}
	return c
}

// Assign begins a generation of a partition: the memory is built after the generation has its offsets, and a look for work
// follows at once (R11).
func (d *Decider) Assign(ctx context.Context, p bus.Assignment) (bus.Handler, func(), error) {
	o := &owner{Decider: d, partition: p.Partition, tenants: map[string]*tenant{}}
	if err := o.rebuild(ctx); err != nil {
		return nil, nil, fmt.Errorf("routing: %w", err)
	}
	var net sync.WaitGroup
	net.Go(func() { o.watch(ctx) })
	return o.handle, net.Wait, nil
}

// owner is the decider of one partition in one generation.
type owner struct {
	*Decider
	partition int
	mu        sync.Mutex
	tenants   map[string]*tenant
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

func (o *owner) rebuild(ctx context.Context) error {
	q := store.Query{Order: "undecided_since", Limit: store.MaxLimit}
	for place, err := range o.Routed.All(ctx, q) {
		if err != nil {
			return err
		}
		if mine, err := o.mine(ctx, place.Tenant); err != nil {
			return err
		} else if !mine {
			continue
		}
		if !place.QueueKnown {
			if place, err = o.tellQueue(ctx, place); err != nil {
				return err
			}
		}
		if err := o.takeOver(ctx, o.of(place.Tenant), place); err != nil {
			return err
		}
	}
	for _, t := range o.tenants {
		if err := o.look(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// mine reports whether this owner decides for a tenant.
func (o *owner) mine(ctx context.Context, tenantID string) (bool, error) {
	partition, err := o.Partition(ctx, tenantID)
	return partition == o.partition, err
}

// handle takes one record of a tenant. Order of work: the agents' documents, the conversation's, the offset (R6).
func (o *owner) handle(ctx context.Context, m bus.Message) error {
	t := o.of(m.Event.Tenant)
	t.mu.Lock()
	defer t.mu.Unlock()
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
	case event.RoutingDue:
		var d event.Due
		if d, err = event.Decode[event.Due](m.Event); err != nil {
			return fault.New(fault.Invalid, "bad_event", "%w", err)
		}
		err = o.due(ctx, t, d)
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
// whatever the limit says; a newer fact that names somebody else, or nobody, or that it is asleep, frees it.
func (o *owner) settle(a *Agent, h event.Holder) error {
	have := a.hold(h.ConversationID)
	holds := h.AgentID == a.ID && h.State == event.Held
	switch {
	case holds && (have == nil || have.Epoch < h.Epoch):
		a.put(Hold{ConversationID: h.ConversationID, Epoch: h.Epoch, Kind: Held, Since: o.at()}, o.at())
	case !holds && have != nil && have.Epoch < h.Epoch:
		a.drop(h.ConversationID, o.at())
	default:
		return store.Unchanged
	}
	return nil
}

// remember moves the conversation's document forward, and the memory takes over what it says, news or not (R5, R8).
func (o *owner) remember(ctx context.Context, t *tenant, h event.Holder, seen int64) error {
	queue, right, err := o.rightQueue(ctx, t.id, h)
	if err != nil {
		return err
	}
	fresh := func() *Routed { p := &Routed{}; p.Tenant = t.id; return p }
	place, err := o.Routed.Upsert(ctx, h.ConversationID, fresh, func(p *Routed) error {
		if h.Epoch <= p.Epoch {
			return store.Unchanged
		}
		p.follow(h, o.at())
		if !right {
			o.intend(p, queue)
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
	return o.takeOver(ctx, t, place)
}

// takeOver makes memory say of a conversation what the store says.
func (o *owner) takeOver(ctx context.Context, t *tenant, place *Routed) error {
	seen, _, err := o.newestHold(ctx, t.id, place.ID)
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

func (o *owner) place(ctx context.Context, id string) (*Routed, error) {
	p, err := o.Routed.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return p, err
}

func (d *Decider) at() event.Time { return event.At(d.Now()) }
