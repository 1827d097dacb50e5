package kafka

import (
	"context"
	"errors"
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
			_ = g.commit(context.WithoutCancel(gctx)) // what could not be committed now is tried again with the next tick
		case <-g.drained:
			g.commitLast()
			return
		}
	}
}

// commitLast tries harder, because a record that is done but not committed is handled twice.
func (g *generation) commitLast() {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	for try := range 3 {
		err := g.commit(ctx)
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

// commit sends the marks that have moved. It does not use the generation's own connection, on which the heartbeats are: kafka-go spins
// while two requests share one (its Conn.waitResponse), and on a busy machine, with many groups, took all of the processors for that.
func (g *generation) commit(ctx context.Context) error {
	marks := map[*partition]int64{}
	topics := map[string][]kafka.OffsetCommit{}
	for _, p := range g.parts {
		if low, _ := p.track.low(); low > p.committed {
			marks[p] = low
			topics[p.topic] = append(topics[p.topic], kafka.OffsetCommit{Partition: p.id, Offset: low})
		}
	}
	if len(marks) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	res, err := g.client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{
		GroupID: g.sub.Group, GenerationID: int(g.gen.ID), MemberID: g.gen.MemberID, Topics: topics,
	})
	if err != nil {
		return err
	}
	for _, parts := range res.Topics {
		for _, p := range parts {
			err = errors.Join(err, p.Error)
		}
	}
	if err != nil {
		return err
	}
	for p, mark := range marks {
		p.committed = mark
	}
	return nil
}
