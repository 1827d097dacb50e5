// Package kafka is the bus on Apache Kafka by segmentio/kafka-go, and the only package that may import it.
//
// One producer and one transport serve the whole process. Consumers are built on ConsumerGroup generations, never on a Reader
// with a group: a Reader commits the highest offset it has seen, so parallel handlers lose records at every rebalance.
package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/semaphore"

	"github.com/tributaryhq/tributary/pkg/bus"
)

// Bus implements bus.Bus.
type Bus struct {
	cfg       Config
	log       *slog.Logger
	addr      net.Addr
	transport *transport
	dialer    *kafka.Dialer
	client    *kafka.Client
	layout    *layout
	producer  *producer
	room      *semaphore.Weighted // bytes that wait for an acknowledgement
	meter     *meter

	life context.Context // ends with Close
	end  context.CancelFunc
	runs sync.WaitGroup // subscriptions and followers

	consumers sync.Map // *consumer → nil
}

var _ bus.Bus = (*Bus)(nil)

// Open prepares a connection to a Kafka cluster. It does not need the cluster to be there: a service must be able to start,
// and to say that it is not ready, while Kafka is away. Only a wrong configuration is an error.
func Open(ctx context.Context, cfg Config) (bus.Bus, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	b := &Bus{cfg: cfg, log: cfg.Log.With("component", "bus"), addr: kafka.TCP(cfg.Brokers...), room: semaphore.NewWeighted(cfg.MaxBuffered)}
	if b.transport, b.dialer, err = connections(cfg); err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	b.client = &kafka.Client{Addr: b.addr, Transport: b.transport, Timeout: requestTimeout}
	b.layout = newLayout(b.client)
	b.life, b.end = context.WithCancel(context.WithoutCancel(ctx))
	b.producer = b.newProducer()
	if b.meter, err = newMeter(); err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	return b, nil
}

func (b *Bus) newFetcher(linger time.Duration) *fetcher {
	return &fetcher{client: b.client, layout: b.layout, linger: linger, lines: map[int][]*ask{}}
}

// Ping implements bus.Bus. How long it may take is the caller's to say: before the first answer come those of a new connection, each of
// which a busy broker gives late.
func (b *Bus) Ping(ctx context.Context) error {
	var err error
	for range 3 { // a pooled connection may have broken unnoticed
		var res *kafka.ApiVersionsResponse // never answered from the transport's cache, unlike metadata
		if res, err = b.client.ApiVersions(ctx, &kafka.ApiVersionsRequest{}); err == nil {
			err = res.Error
		}
		if err == nil || sleep(ctx, nil, gateMin) {
			break
		}
	}
	return classify("ping", err)
}

// Alive implements bus.Bus: a subscription that made no progress although its group client was rebuilt again and again.
func (b *Bus) Alive() error {
	var err error
	b.consumers.Range(func(k, _ any) bool {
		if c := k.(*consumer); c.stuck.Load() >= stuckAfter {
			err = fmt.Errorf("bus: group %s makes no progress", c.sub.Group)
		}
		return err == nil
	})
	return err
}

// Close ends all subscriptions and followers, waits until they have drained, writes what is buffered and disconnects.
func (b *Bus) Close() error {
	b.end()
	b.runs.Wait()
	b.producer.close()
	b.transport.close()
	b.meter.close()
	return nil
}

// running joins ctx with the life of the bus; done must be called when the run is over.
func (b *Bus) running(ctx context.Context) (_ context.Context, done func()) {
	b.runs.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(b.life, cancel)
	return ctx, func() { stop(); cancel(); b.runs.Done() }
}
