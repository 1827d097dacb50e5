package kafka

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// consumer is a running subscription.
type consumer struct {
	*Bus
	sub   bus.Subscription
	stall time.Duration
	now   atomic.Pointer[generation] // nil between generations
	since due.Mark                   // the last change of now
	stuck atomic.Int32               // rebuilds in a row that did not help
	first int                        // the broker that is asked first for the group's coordinator
	slots chan struct{}              // for handlers that run; nil: no bound
}

// Consume implements bus.Bus.
func (b *Bus) Consume(ctx context.Context, s bus.Subscription) error {
	s, err := b.checked(s)
	if err != nil {
		return err
	}
	ctx, done := b.running(ctx)
	defer done()
	c := &consumer{Bus: b, sub: s, stall: max(b.cfg.Stall, 2*(s.Deadline+s.Patience))}
	if s.AtOnce > 0 {
		c.slots = make(chan struct{}, s.AtOnce)
	}
	b.consumers.Store(c, nil)
	defer b.consumers.Delete(c)
	for ctx.Err() == nil {
		if err := c.member(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bus) checked(s bus.Subscription) (bus.Subscription, error) {
	fill(&s.Deadline, 30*time.Second)
	fill(&s.InFlight, 1000)
	fill(&s.Patience, 5*time.Second)
	limit := min(b.cfg.Group.Session, b.cfg.Group.Rebalance) - abandonAfter
	fill(&s.Drain, min(10*time.Second, limit/2))
	switch {
	case s.Group == "":
		return s, fault.At("/group", "required", "bus: a subscription needs a group")
	case len(s.Topics) == 0:
		return s, fault.At("/topics", "required", "bus: the subscription of %s needs a topic", s.Group)
	case (s.Handle == nil) == (s.Assign == nil):
		return s, fault.At("/handle", "invalid", "bus: the subscription of %s needs exactly one of Handle and Assign", s.Group)
	case s.InFlight < 0 || s.AtOnce < 0:
		return s, fault.At("/in_flight", "invalid", "bus: the subscription of %s: in flight %d, at once %d: neither may be negative", s.Group, s.InFlight, s.AtOnce)
	case s.Drain >= limit:
		// A member does not send heartbeats while it drains.
		return s, fault.At("/drain", "too_long", "bus: the subscription of %s: drain %s must be below %s", s.Group, s.Drain, limit)
	}
	return s, nil
}

// fruitless is how often in a row a group client may fail to get a generation before the next one is built.
const fruitless = 2

// member is the life of one group client: from joining to leaving, over any number of generations.
//
// A group client asks the first broker that takes its connection who coordinates the group, and no other: one that takes
// connections but is hung, or dead behind a proxy, would keep it out for ever. So whoever fails is built anew, and asks the next.
func (c *consumer) member(ctx context.Context) error {
	brokers := c.cfg.Brokers
	n := c.first % len(brokers)
	cg, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: c.sub.Group, Brokers: append(brokers[n:len(brokers):len(brokers)], brokers[:n]...), Dialer: c.dialer, Topics: c.sub.Topics,
		HeartbeatInterval: c.cfg.Group.Heartbeat, SessionTimeout: c.cfg.Group.Session, RebalanceTimeout: c.cfg.Group.Rebalance,
		JoinGroupBackoff: c.cfg.Group.JoinBackoff, StartOffset: kafka.FirstOffset, Timeout: produceTimeout,
		ErrorLogger: c.warn("group " + c.sub.Group),
	})
	if err != nil {
		return fmt.Errorf("bus: group %s: %w", c.sub.Group, err)
	}
	defer func() { _ = cg.Close() }() // drains, commits and leaves; it never returns an error
	ctx, rebuild := context.WithCancel(ctx)
	var watches sync.WaitGroup
	defer watches.Wait()
	defer rebuild()
	c.enter(nil)
	watches.Go(func() { c.watchProgress(ctx, rebuild) })
	watches.Go(func() { c.watchAssignment(ctx, rebuild) })
	for failed := 0; failed < fruitless; {
		gen, err := cg.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			failed++ // the group client backs off itself
			c.log.WarnContext(ctx, "no generation", "group", c.sub.Group, "error", err)
		default:
			failed = 0
			c.begin(ctx, gen)
		}
	}
	c.first++
	return nil
}

// begin starts a generation; it ends by itself.
func (c *consumer) begin(ctx context.Context, gen *kafka.Generation) {
	g := &generation{consumer: c, gen: gen, drained: make(chan struct{})}
	source := c.newFetcher(max(c.sub.Linger, c.cfg.Linger))
	for topic, as := range gen.Assignments {
		for _, a := range as {
			g.parts = append(g.parts, newPartition(c, gen.ID, source, topic, a))
		}
	}
	c.meter.rebalances.Add(ctx, 1, attributes(groupName.String(c.sub.Group)))
	c.log.DebugContext(ctx, "generation", "group", c.sub.Group, "generation", gen.ID, "partitions", len(g.parts))
	g.running.Add(len(g.parts))
	c.enter(g)
	gen.Start(func(gctx context.Context) { g.commitLoop(gctx) })
	for _, p := range g.parts {
		gen.Start(func(gctx context.Context) {
			defer g.running.Done()
			p.run(valued(gctx, ctx))
		})
	}
}

func (c *consumer) enter(g *generation) {
	c.since.Set()
	c.now.Store(g)
}

// valued is gctx with the values of another context: a generation's context has none.
func valued(gctx, values context.Context) context.Context { return joined{gctx, values} }

type joined struct {
	context.Context
	values context.Context
}

func (j joined) Value(key any) any { return j.values.Value(key) }
