package kafka

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// follower reads all partitions of a topic without a group. Records of a partition are handled one after the other.
type follower struct {
	*Bus
	topic  string
	source *fetcher
	handle bus.Handler
	logger *slog.Logger
	behind sync.WaitGroup // partitions that have not yet handled what was there at the start
	tasks  sync.WaitGroup
}

// Follow implements bus.Bus.
func (b *Bus) Follow(ctx context.Context, topic string, from bus.Position, h bus.Handler, caughtUp func()) error {
	ctx, done := b.running(ctx)
	defer done()
	f := &follower{Bus: b, topic: topic, source: b.newFetcher(b.cfg.Linger), handle: h, logger: b.log.With("topic", topic)}
	ends, ok := f.start(ctx)
	if !ok {
		return nil
	}
	f.behind.Add(len(ends))
	for p, end := range ends {
		offset := kafka.FirstOffset
		if from == bus.End {
			offset = end
		}
		f.tasks.Go(func() { f.partition(ctx, p, offset, end) })
	}
	if caughtUp != nil {
		f.tasks.Go(func() { f.announce(ctx, caughtUp) })
	}
	f.grow(ctx, len(ends))
	f.tasks.Wait()
	return nil
}

// start asks for the ends of the topic until it gets them.
func (f *follower) start(ctx context.Context) (ends map[int]int64, ok bool) {
	for pause := gateMin; ctx.Err() == nil; pause = min(2*pause, gateMax) {
		ends, err := f.Ends(ctx, f.topic)
		if err == nil {
			return ends, true
		}
		f.logger.WarnContext(ctx, "cannot follow the topic, will try again", "error", err)
		sleep(ctx, nil, jitter(pause))
	}
	return nil, false
}

func (f *follower) announce(ctx context.Context, caughtUp func()) {
	all := make(chan struct{})
	go func() { f.behind.Wait(); close(all) }()
	select {
	case <-all:
		caughtUp()
	case <-ctx.Done():
	}
}

// grow follows partitions that are added later.
func (f *follower) grow(ctx context.Context, n int) {
	for !sleep(ctx, nil, f.cfg.Group.PartitionWatch) {
		ps, err := f.partitions(ctx, f.topic)
		if err != nil {
			continue
		}
		for ; n < len(ps); n++ {
			p := n
			f.behind.Add(1)
			f.tasks.Go(func() { f.partition(ctx, p, kafka.FirstOffset, 0) })
		}
	}
}

func (f *follower) partition(ctx context.Context, id int, from, end int64) {
	behind := sync.OnceFunc(f.behind.Done)
	defer behind()
	c := &cursor{place: place{f.topic, id}, source: f.source, offset: from, jumped: func(from, to int64) {
		f.meter.jumps.Add(ctx, max(to-from, 1), attributes(destination.String(f.topic), partitionID.Int(id)))
		f.logger.ErrorContext(ctx, "offset jump: records are gone that were not read", "partition", id, "from", from, "to", to)
	}}
	if from >= end && from >= 0 {
		behind() // nothing to catch up with: whoever waits for that need not wait for a fetch's long poll
	}
	pause := gateMin
	for ctx.Err() == nil {
		recs, err := f.fetch(ctx, c)
		if err != nil {
			if ctx.Err() == nil {
				f.logger.WarnContext(ctx, "cannot read, will try again", "partition", id, "error", err)
			}
			sleep(ctx, nil, jitter(pause))
			pause = min(2*pause, gateMax)
			continue
		}
		pause = gateMin
		for _, r := range recs {
			f.one(ctx, r)
		}
		if c.offset >= end && ctx.Err() == nil {
			behind()
		}
	}
}

func (f *follower) fetch(ctx context.Context, c *cursor) ([]record, error) {
	if c.offset < 0 {
		return nil, c.resolve(ctx)
	}
	return c.next(ctx)
}

// one handles a record: for ever while the store is away, for a while if it fails, not at all if it is poison. There are no dead
// letters, since every replica follows.
func (f *follower) one(ctx context.Context, r record) {
	m, err := decode(r)
	var failed time.Time
	for pause := retryMin; err == nil && ctx.Err() == nil; pause = min(2*pause, gateMax) {
		herr := f.call(ctx, m)
		switch {
		case herr == nil:
			return
		case fault.Is(herr, fault.Unavailable):
			failed = time.Time{}
		case fault.Is(herr, fault.Invalid), !failed.IsZero() && time.Since(failed) > followPatience:
			err = herr
			continue
		case failed.IsZero():
			failed = time.Now()
		}
		sleep(ctx, nil, jitter(pause))
	}
	if err != nil {
		f.logger.ErrorContext(ctx, "record skipped", "partition", r.partition, "offset", r.offset, "error", describe(err))
	}
}

const followPatience = 5 * time.Second

func (f *follower) call(ctx context.Context, m bus.Message) (err error) {
	defer recovered(ctx, &err, f.logger)
	return f.handle(ctx, m)
}

// ReadFrom implements bus.Bus.
func (b *Bus) ReadFrom(ctx context.Context, topic string, partition int, offset int64, limit int) ([]bus.Message, error) {
	trimmed := false // while we were reading
	c := &cursor{place: place{topic, partition}, source: b.newFetcher(0), offset: offset, jumped: func(int64, int64) { trimmed = true }}
	start, end, err := c.bounds(ctx)
	if err != nil {
		return nil, classify("read", err)
	}
	switch {
	case offset == bus.Oldest:
		c.offset = start
	case offset < start:
		return nil, bus.ErrTrimmed
	}
	var ms []bus.Message
	for c.offset < end && len(ms) < limit {
		recs, err := c.next(ctx)
		if err != nil {
			return nil, classify("read", err)
		}
		if trimmed {
			return nil, bus.ErrTrimmed
		}
		for _, r := range recs[:min(len(recs), limit-len(ms))] {
			m, _ := decode(r) // whoever reads without a group sees what is there, decodable or not
			ms = append(ms, m)
		}
	}
	return ms, nil
}

// Ends implements bus.Bus.
func (b *Bus) Ends(ctx context.Context, topic string) (map[int]int64, error) {
	ps, err := b.partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	ends, err := offsets(ctx, b.client, kafka.LastOffset, topic, ps...)
	return ends, classify("ends", err)
}

// PartitionOf implements bus.Bus.
func (b *Bus) PartitionOf(ctx context.Context, topic, key string) (int, error) {
	n, err := b.layout.partitions(ctx, topic)
	if err != nil {
		return 0, classify("topic "+topic, err)
	}
	return balancer.Balance(kafka.Message{Key: []byte(key)}, numbers(n)...), nil
}

// Partitions implements bus.Bus.
func (b *Bus) Partitions(ctx context.Context, topic string) (int, error) {
	n, err := b.layout.partitions(ctx, topic)
	return n, classify("topic "+topic, err)
}

// partitions lists the partitions of a topic.
func (b *Bus) partitions(ctx context.Context, topic string) ([]int, error) {
	n, err := b.Partitions(ctx, topic)
	return numbers(n), err
}
