package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	client    *kafka.Client
	topic     string
	partition int
	offset    int64 // the next to be read; kafka.FirstOffset and LastOffset until resolved
	end       int64 // the first behind the newest record, as of the last fetch
	empty     int   // fetches in a row that brought nothing although there is something
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
	ps, err := offsets(ctx, c.client, c.topic, c.partition)
	if err != nil {
		return 0, 0, err
	}
	return ps[c.partition].first, ps[c.partition].last, nil
}

// next waits up to wait for records. It may return none without an error.
func (c *cursor) next(ctx context.Context, wait time.Duration) ([]record, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+requestTimeout)
	defer cancel()
	res, err := c.client.Fetch(ctx, &kafka.FetchRequest{
		Topic: c.topic, Partition: c.partition, Offset: c.offset, MinBytes: 1, MaxBytes: fetchBytes, MaxWait: wait,
	})
	if err == nil {
		err = res.Error
	}
	if errors.Is(err, kafka.OffsetOutOfRange) {
		return nil, c.resolve(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch %s/%d from %d: %w", c.topic, c.partition, c.offset, err)
	}
	c.end = res.HighWatermark
	recs, err := c.read(res.Records)
	if err != nil && len(recs) == 0 {
		return nil, fmt.Errorf("fetch %s/%d from %d: %w", c.topic, c.partition, c.offset, err)
	}
	c.skipEmpty(len(recs))
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
// compaction has emptied. kafka-go does not tell how far such a batch reaches.
func (c *cursor) skipEmpty(n int) {
	if n > 0 || c.offset >= c.end {
		c.empty = 0
		return
	}
	if c.empty++; c.empty >= 3 {
		c.offset++
	}
}

// extent is the first offset of a partition and the first behind its newest record.
type extent struct{ first, last int64 }

// offsets asks for the extents of some partitions of a topic.
func offsets(ctx context.Context, client *kafka.Client, topic string, partitions ...int) (map[int]extent, error) {
	ask := make([]kafka.OffsetRequest, 0, 2*len(partitions))
	for _, p := range partitions {
		ask = append(ask, kafka.FirstOffsetOf(p), kafka.LastOffsetOf(p))
	}
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: ask}})
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", topic, err)
	}
	out := make(map[int]extent, len(partitions))
	for _, p := range res.Topics[topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("offsets of %s/%d: %w", topic, p.Partition, p.Error)
		}
		out[p.Partition] = extent{p.FirstOffset, p.LastOffset}
	}
	if len(out) != len(partitions) {
		return nil, fmt.Errorf("offsets of %s: asked for %d partitions, got %d", topic, len(partitions), len(out))
	}
	return out, nil
}
