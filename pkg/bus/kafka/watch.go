package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// watchProgress rebuilds the group client when it stands still: kafka-go has stalls after a broker's restart that only a new
// client ends.
func (c *consumer) watchProgress(ctx context.Context, rebuild func()) {
	for !sleep(ctx, nil, c.stall/4) {
		why := c.stalled(ctx)
		if why == "" {
			// A partition begins to count later than its generation, so that one which stands still may take until then to be found.
			if c.now.Load() != nil && c.since.Since() > 2*c.stall {
				c.stuck.Store(0)
			}
			continue
		}
		if c.answered(ctx) {
			c.stuck.Add(1)
		}
		c.log.ErrorContext(ctx, "no progress: rebuilding the group client", "group", c.sub.Group, "reason", why)
		c.meter.rebuilds.Add(ctx, 1, attributes(groupName.String(c.sub.Group)))
		rebuild()
		return
	}
}

// answered reports whether a broker answers. While none does, standing still says nothing about this process.
func (c *consumer) answered(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return c.Ping(ctx) == nil
}

func (c *consumer) stalled(ctx context.Context) string {
	g := c.now.Load()
	if g == nil {
		if limit := c.stall + c.cfg.Group.Rebalance; c.since.Since() > limit {
			return "no generation for " + limit.String()
		}
		return ""
	}
	for _, p := range g.parts {
		if time.Since(p.track.lastMoved()) < c.stall || p.gate.shut() {
			continue
		}
		if low, _ := p.track.low(); low >= 0 && p.newest(ctx) > low {
			return fmt.Sprintf("%s/%d stands at %d", p.topic, p.id, low)
		}
	}
	return ""
}

// watchAssignment rebuilds the group client when a partition belongs to no member: kafka-go counts partitions for itself, after they
// have been assigned, and the broker asked for the assignment may know less than the one asked for the count (it does, for a moment
// after a topic was made or grew). Two looks at the same generation must agree, because a group may be about to change.
func (c *consumer) watchAssignment(ctx context.Context, rebuild func()) {
	var before *generation
	for !sleep(ctx, nil, c.cfg.Group.PartitionWatch) {
		g := c.now.Load()
		topic := ""
		if g != nil {
			topic = c.orphaned(ctx)
		}
		switch {
		case topic == "":
			before = nil
		case g != before:
			before = g
		default:
			c.log.WarnContext(ctx, "a partition belongs to nobody: rebuilding the group client", "group", c.sub.Group, "topic", topic)
			rebuild()
			return
		}
	}
}

// orphaned names a topic of which the group has not assigned every partition; none if it has, is about to, or does not say.
func (c *consumer) orphaned(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	there := c.count(ctx)
	res, err := c.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{c.sub.Group}})
	if err != nil || there == nil || len(res.Groups) != 1 || res.Groups[0].Error != nil || res.Groups[0].GroupState != "Stable" {
		return ""
	}
	for _, m := range res.Groups[0].Members {
		for _, t := range m.MemberAssignments.Topics {
			there[t.Topic] -= len(t.Partitions)
		}
	}
	for _, t := range c.sub.Topics {
		if there[t] > 0 {
			return t
		}
	}
	return ""
}

// count returns the number of partitions of every topic, or nil if the broker does not answer soon.
func (c *consumer) count(ctx context.Context) map[string]int {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	n := make(map[string]int, len(c.sub.Topics))
	for _, t := range c.sub.Topics {
		ps, err := c.partitions(ctx, t)
		if err != nil {
			return nil
		}
		n[t] = len(ps)
	}
	return n
}
