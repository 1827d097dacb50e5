package kafka

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

const (
	publishTimeout = 30 * time.Second // all attempts of a request together
	roomTimeout    = time.Second      // how long Publish waits for room before it refuses
)

func (b *Bus) newProducer() *producer {
	compression, _ := b.cfg.compression() // checked by withDefaults
	return &producer{
		client: b.client, layout: b.layout, compress: compression, atOnce: requestsAtOnce, lineups: map[place]*lineup{}, lines: map[int]*line{},
		warn: func(topic string, partition, attempt int, err error) {
			b.log.Warn("records not written yet", "topic", topic, "partition", partition, "attempt", attempt, "error", describe(err), "cause", err)
		},
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

// write hands records to the producer. The room that they take is given back when they are really done, not when the caller
// stops waiting.
func (b *Bus) write(ctx context.Context, msgs []kafka.Message) error {
	need := int64(0)
	for _, m := range msgs {
		need += int64(size(m))
	}
	need = min(need, b.cfg.MaxBuffered)
	if err := b.admit(ctx, need); err != nil {
		return err
	}
	return classify("publish", b.producer.write(ctx, msgs, func() { b.room.Release(need) }))
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
