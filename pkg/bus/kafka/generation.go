package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// generation is what a member was given until the next rebalance.
type generation struct {
	*consumer
	gen     *kafka.Generation
	parts   []*partition
	running sync.WaitGroup
	drained chan struct{}
}

// commitLoop commits the marks of all partitions in one request, while the generation lasts, while its partitions drain, and once
// more at the end. It returns only then: kafka-go ends a generation when one of its functions returns.
func (g *generation) commitLoop(gctx context.Context) {
	defer g.enter(nil)
	go func() {
		<-gctx.Done()
		g.running.Wait()
		close(g.drained)
	}()
	tick := time.NewTicker(g.cfg.CommitEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = g.commit(g.gen.CommitOffsets) // what could not be committed now is tried again with the next tick
		case <-g.drained:
			g.commitLast()
			return
		}
	}
}

// commitLast tries harder, because a record that is done but not committed is handled twice.
func (g *generation) commitLast() {
	for try := range 3 {
		err := g.commit(g.gen.CommitOffsets)
		if err == nil {
			return
		}
		if try == 2 {
			g.log.Warn("last commit failed: records will be read again", "group", g.sub.Group, "generation", g.gen.ID, "error", err)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// commit sends the marks that have moved.
func (g *generation) commit(send func(map[string]map[int]int64) error) error {
	moved := map[string]map[int]int64{}
	var parts []*partition
	for _, p := range g.parts {
		low, _ := p.track.low()
		if low <= p.committed {
			continue
		}
		if moved[p.topic] == nil {
			moved[p.topic] = map[int]int64{}
		}
		moved[p.topic][p.id] = low
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return nil
	}
	if err := send(moved); err != nil {
		return err
	}
	for _, p := range parts {
		p.committed = moved[p.topic][p.id]
	}
	return nil
}
