package kafka

import (
	"context"
	"fmt"
	"maps"
	"time"
)

// watchProgress rebuilds the group client when it stands still: kafka-go has stalls after a broker's restart that only a new
// client ends.
func (c *consumer) watchProgress(ctx context.Context, rebuild func()) {
	for !sleep(ctx, nil, c.stall/4) {
		why := c.stalled(ctx)
		if why == "" {
			if c.now.Load() != nil && time.Since(time.Unix(0, c.since.Load())) > c.stall {
				c.stuck.Store(0)
			}
			continue
		}
		c.stuck.Add(1)
		c.log.Error("no progress: rebuilding the group client", "group", c.sub.Group, "reason", why)
		c.meter.rebuilds.Add(ctx, 1, attributes(groupName.String(c.sub.Group)))
		rebuild()
		return
	}
}

func (c *consumer) stalled(ctx context.Context) string {
	g := c.now.Load()
	if g == nil {
		if limit := c.stall + c.cfg.Group.Rebalance; time.Since(time.Unix(0, c.since.Load())) > limit {
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

// watchPartitions rebuilds the group client when partitions were added and kafka-go has not noticed: its own watcher counts them
// after they have been assigned, so that it misses what is added in between.
func (c *consumer) watchPartitions(ctx context.Context, known map[string]int, rebuild func()) {
	var changed time.Time
	for !sleep(ctx, nil, 2*c.cfg.Group.PartitionWatch) {
		now := c.count(ctx)
		switch {
		case now == nil:
		case known == nil:
			known = now
		case !maps.Equal(now, known):
			known, changed = now, time.Now()
		case !changed.IsZero() && c.now.Load() != nil:
			if time.Unix(0, c.since.Load()).Before(changed) {
				c.log.Warn("partitions were added: rebuilding the group client", "group", c.sub.Group)
				rebuild()
			}
			changed = time.Time{}
		}
	}
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
