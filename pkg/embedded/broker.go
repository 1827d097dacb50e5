// Package embedded runs the servers of the single binary in its own process: a Kafka broker with its data in a folder, and Redis.
//
// Services use them over their network protocols and cannot tell them from a cluster.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/embedded/redo"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Records are kept until they have been read, never by age or size: were a partition emptied, its offsets would begin anew with
// the next start, below what the groups have committed, and readers would wait for ever.
var keepAll = map[string]string{
	"retention.ms":    "-1",
	"retention.bytes": "-1",
	"segment.bytes":   "8388608", // a file is only deleted as a whole
}

const (
	trimEvery   = 2 * time.Second
	compactions = time.Hour
)

// Broker is a Kafka broker of one node. What it has acknowledged survives kill -9 and the loss of power, the latter unless it was
// started [Unsynced].
type Broker struct {
	cluster *kfake.Cluster
	redo    *redo.Log // nil: the data is in memory
	admin   *kgo.Client
	lock    *os.File
	log     *slog.Logger
	started time.Time

	mu      sync.Mutex
	readers map[string]map[string]bool // declared groups of a topic
	keeps   map[string][]Keep          // readers of a topic without a group
	limits  map[string]Limit
	backlog map[string]int64
	roll    *roll

	end   context.CancelFunc
	ended sync.WaitGroup
}

// An Option of StartBroker.
type Option func(*redo.Options)

// Unsynced has acknowledgements not wait for the disk: a loss of power can take away the records of the last half minute.
func Unsynced() Option { return func(o *redo.Options) { o.Sync = false } }

// Reread has groups begin with the oldest record that is kept, because the store has lost what they made of the records. Those that
// read messages to send go on where they were: the messages may have been sent.
func Reread() Option {
	return func(o *redo.Options) {
		o.Reread = func(topic string) bool { return !strings.HasPrefix(topic, event.TopicOutbound("")) }
	}
}

// StartBroker starts the broker with its data in dir and listens on addr, host:port; an empty addr or port 0 picks a free port of
// the loopback interface. Without dir the data is in memory. A dir belongs to one process at a time. What a crash has cut is put
// back, or told by an error in the log.
func StartBroker(ctx context.Context, dir, addr string, options ...Option) (*Broker, error) {
	b := &Broker{
		log: slog.With("component", "broker"), started: time.Now(),
		readers: map[string]map[string]bool{}, keeps: map[string][]Keep{}, limits: map[string]Limit{}, roll: newRoll(),
	}
	for t, l := range unread {
		b.limits[t] = l
	}
	if err := b.open(dir, addr, options); err != nil {
		return nil, fmt.Errorf("embedded broker: %w", errors.Join(err, b.closeFiles()))
	}
	ctx, b.end = context.WithCancel(context.WithoutCancel(ctx))
	b.ended.Go(func() { b.every(ctx, trimEvery, nil, b.sweep) })
	b.ended.Go(func() { b.every(ctx, ghostsEvery, b.roll.joins, b.exorcise) })
	b.ended.Go(func() {
		b.every(ctx, compactions, nil, func(context.Context) error { b.cluster.Compact(); return nil })
	})
	return b, nil
}

func (b *Broker) open(dir, addr string, options []Option) (err error) {
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.ClusterID("tributary"), kfake.WithLogger(logger{b.log}),
		kfake.ListenFn(func(network, free string) (net.Listener, error) { return b.listen(network, addr, free) }),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.ms": "-1", "log.retention.bytes": "-1", "default.replication.factor": "1",
			"offsets.retention.minutes": "2147483647", // a group that comes back after weeks goes on where it was
		}),
	}
	if dir != "" {
		if b.lock, err = lockDir(dir); err != nil {
			return err
		}
		o := redo.Options{Log: b.log, Sync: true, Topics: Topics()}
		for _, set := range options {
			set(&o)
		}
		if b.redo, err = redo.Open(dir, o); err != nil {
			return err
		}
		opts = append(opts, kfake.DataDir(dir))
	}
	if b.cluster, err = kfake.NewCluster(opts...); err != nil {
		return err
	}
	b.roll.listen(b.cluster)
	if b.admin, err = kgo.NewClient(kgo.SeedBrokers(b.Addrs()...)); err != nil {
		b.cluster.Close()
	}
	return err
}

func (b *Broker) listen(network, addr, free string) (net.Listener, error) {
	if addr == "" {
		addr = free
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s (another tributary running?): %w", addr, err)
	}
	if b.redo == nil {
		return l, nil
	}
	return b.redo.Listener(l, func(id [16]byte) string {
		if t := b.cluster.TopicIDInfo(id); t != nil {
			return t.Topic
		}
		return ""
	}), nil
}

// Addrs lists where the broker listens.
func (b *Broker) Addrs() []string { return b.cluster.ListenAddrs() }

// Failed returns why the broker can acknowledge nothing until a restart, as soon as that is so; nil if ctx ends first.
func (b *Broker) Failed(ctx context.Context) error {
	if b.redo == nil {
		<-ctx.Done()
		return nil
	}
	return b.redo.Failed(ctx)
}

// Close stops the broker and writes its state. Buses should have been closed before.
func (b *Broker) Close() error {
	b.end()
	b.ended.Wait()
	b.admin.Close()
	b.cluster.Close()
	return b.closeFiles()
}

func (b *Broker) closeFiles() error {
	var errs []error
	if b.redo != nil {
		errs = append(errs, b.redo.Close())
	}
	if b.lock != nil {
		errs = append(errs, unlock(b.lock))
	}
	return errors.Join(errs...)
}

// every calls f at every interval, and whenever it is woken; nil wakes never.
func (b *Broker) every(ctx context.Context, d time.Duration, woken <-chan struct{}, f func(context.Context) error) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-woken:
		}
		if err := f(ctx); err != nil && ctx.Err() == nil {
			b.log.WarnContext(ctx, "sweep failed", "error", err)
		}
	}
}

// Topics is every topic of the gateway as the single binary has it; they must be ensured at every start.
func Topics() []bus.TopicSpec {
	var ts []bus.TopicSpec
	for _, t := range event.Topics() {
		n := 4
		if t.Partitions == event.One || t.Name == event.TopicWebhooks {
			n = 1
		}
		ts = append(ts, bus.TopicSpec{Name: t.Name, Partitions: n, Replicas: 1, Compacted: t.Compacted, Config: keepAll})
	}
	return ts
}

// logger passes on what the broker finds wrong.
type logger struct{ *slog.Logger }

func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.Error(fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		l.Warn(fmt.Sprintf(format, args...))
	}
}
