package kafka

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

const (
	publishTimeout = 30 * time.Second // all attempts of kafka-go together stay below it
	roomTimeout    = time.Second      // how long Publish waits for room before it refuses
)

// newWriter is the only place that makes a producer: the zero values of kafka-go mean no acknowledgement and a batch per second.
func (b *Bus) newWriter() *kafka.Writer {
	compression, _ := b.cfg.compression() // checked by withDefaults
	return &kafka.Writer{
		Addr:                   b.addr,
		Transport:              b.transport,
		Balancer:               balancer,
		RequiredAcks:           kafka.RequireAll,
		BatchTimeout:           b.cfg.BatchTimeout,
		BatchSize:              batchRecords,
		BatchBytes:             batchBytes,
		MaxAttempts:            maxAttempts,
		WriteTimeout:           produceTimeout,
		ReadTimeout:            produceTimeout,
		WriteBackoffMin:        50 * time.Millisecond,
		WriteBackoffMax:        time.Second,
		Compression:            compression,
		AllowAutoTopicCreation: false,
		ErrorLogger:            b.warn("producer"),
	}
}

// balancer is that of the Java client and librdkafka's murmur2, so that producers in other languages agree with us.
var balancer = kafka.Murmur2Balancer{Consistent: true}

// Publish implements bus.Producer.
func (b *Bus) Publish(ctx context.Context, recs ...event.Record) error {
	if len(recs) == 0 {
		return nil
	}
	ctx, done := b.meter.sending(ctx, recs)
	msgs := make([]kafka.Message, len(recs))
	for i, r := range recs {
		m, err := encode(ctx, r)
		if err != nil {
			return done(err)
		}
		msgs[i] = m
	}
	return done(b.write(ctx, msgs))
}

// write hands records to the writer. kafka-go queues without bound and goes on after its caller has left, so the room that
// records take is given back when they are really done, not when the caller stops waiting.
func (b *Bus) write(ctx context.Context, msgs []kafka.Message) error {
	need := int64(0)
	for _, m := range msgs {
		need += int64(size(m))
	}
	need = min(need, b.cfg.MaxBuffered)
	if err := b.admit(ctx, need); err != nil {
		return err
	}
	written := make(chan error, 1)
	go func() {
		wctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
		defer cancel()
		defer b.room.Release(need)
		written <- b.writer.WriteMessages(wctx, msgs...)
	}()
	select {
	case err := <-written:
		return classify("publish", err)
	case <-ctx.Done():
		return classify("publish", ctx.Err())
	}
}

func (b *Bus) admit(ctx context.Context, need int64) error {
	if b.room.TryAcquire(need) {
		return nil
	}
	actx, cancel := context.WithTimeout(ctx, roomTimeout)
	defer cancel()
	if b.room.Acquire(actx, need) != nil {
		return fault.New(fault.Unavailable, "broker_busy", "bus: %d bytes wait for the broker already", b.cfg.MaxBuffered)
	}
	return nil
}
