package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
)

// record is what lies in a partition.
type record struct {
	topic     string
	partition int
	offset    int64
	time      time.Time
	key       []byte
	value     []byte
	headers   headers
}

// cursor reads one partition from an offset on, without a group. It is not safe for concurrent use.
type cursor struct {
	place
	source *fetcher
	offset int64 // the next to be read; kafka.FirstOffset and LastOffset until resolved
	end    int64 // the first behind the newest record, as of the last fetch
	apart  bool  // reads a partition beside another cursor of the same fetcher
	plenty bool  // the last fetch brought much, so the next one need not wait for more
	empty  int   // fetches in a row that brought nothing although there is something
	// jumped is told about records that were gone before they could be read: data loss.
	jumped func(from, to int64)
}

// resolve turns FirstOffset and LastOffset into a number, and moves an offset outside of the log into it: one below the log's
// start to the start, and one above its end (the log was lost and begun anew) to the start too, because to read again is harmless.
func (c *cursor) resolve(ctx context.Context) error {
	first, last, err := c.bounds(ctx)
	if err != nil {
		return err
	}
	c.end = last
	switch {
	case c.offset == kafka.FirstOffset:
		c.offset = first
	case c.offset == kafka.LastOffset:
		c.offset = last
	case c.offset < first, c.offset > last:
		c.jumped(c.offset, first)
		c.offset = first
	}
	return nil
}

func (c *cursor) bounds(ctx context.Context) (start, end int64, err error) {
	starts, err := offsets(ctx, c.source.client, kafka.FirstOffset, c.topic, c.partition)
	if err != nil {
		return 0, 0, err
	}
	ends, err := offsets(ctx, c.source.client, kafka.LastOffset, c.topic, c.partition)
	return starts[c.partition], ends[c.partition], err
}

// next waits for records. It may return none without an error.
func (c *cursor) next(ctx context.Context) ([]record, error) {
	rr, end, err := c.source.fetch(ctx, ask{place: c.place, offset: c.offset, soon: c.plenty, alone: c.empty > 0, apart: c.apart})
	if errors.Is(err, kafka.OffsetOutOfRange) {
		return nil, c.resolve(ctx)
	}
	var recs []record
	if err == nil {
		c.end = end
		recs, err = c.read(rr)
	}
	if err != nil && len(recs) == 0 {
		return nil, fmt.Errorf("fetch %s/%d from %d: %w", c.topic, c.partition, c.offset, err)
	}
	c.skipEmpty(len(recs))
	c.plenty = len(recs) >= plenty
	return recs, nil
}

// read takes the records out of a response; brokers return whole batches, so it may begin with records from before the offset.
func (c *cursor) read(rr kafka.RecordReader) ([]record, error) {
	var recs []record
	for {
		r, err := rr.ReadRecord()
		if errors.Is(err, io.EOF) {
			return recs, nil
		}
		if err != nil {
			return recs, err
		}
		rec, err := c.copy(r)
		if err != nil {
			return recs, err
		}
		if rec.offset >= c.offset {
			recs = append(recs, rec)
			c.offset = rec.offset + 1
		}
	}
}

func (c *cursor) copy(r *kafka.Record) (record, error) {
	rec := record{topic: c.topic, partition: c.partition, offset: r.Offset, time: r.Time, headers: r.Headers}
	var err, err2 error
	rec.key, err = bytesOf(r.Key)
	rec.value, err2 = bytesOf(r.Value)
	return rec, errors.Join(err, err2)
}

func bytesOf(b kafka.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	defer func() { _ = b.Close() }()
	return kafka.ReadAll(b)
}

// skipEmpty steps over what has an offset but holds no record for us: control batches of foreign transactions, and batches that
// compaction has emptied. kafka-go does not tell how far such a batch reaches. A partition that shares its request may get nothing
// because its next batch is large; so after the first time it asks alone.
func (c *cursor) skipEmpty(n int) {
	if n > 0 || c.offset >= c.end {
		c.empty = 0
		return
	}
	if c.empty++; c.empty >= 3 {
		c.offset++
	}
}

// offsets asks for the first or the last offset (which) of some partitions of a topic. kafka-go takes a connection for every
// partition asked for at once, hence the few at a time.
func offsets(ctx context.Context, client *kafka.Client, which int64, topic string, partitions ...int) (map[int]int64, error) {
	out := make(map[int]int64, len(partitions))
	for some := range slices.Chunk(partitions, 8) {
		ask := make([]kafka.OffsetRequest, len(some))
		for i, p := range some {
			ask[i] = kafka.OffsetRequest{Partition: p, Timestamp: which}
		}
		res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: ask}})
		if err != nil {
			return nil, fmt.Errorf("offsets of %s: %w", topic, err)
		}
		for _, p := range res.Topics[topic] {
			if p.Error != nil {
				return nil, fmt.Errorf("offsets of %s/%d: %w", topic, p.Partition, p.Error)
			}
			out[p.Partition] = max(p.FirstOffset, p.LastOffset) // the one not asked for is -1
		}
	}
	if len(out) != len(partitions) {
		return nil, fmt.Errorf("offsets of %s: asked for %d partitions, got %d", topic, len(partitions), len(out))
	}
	return out, nil
}
