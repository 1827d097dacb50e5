// Package bustest gives tests a real bus: an in-memory Kafka broker in the same process, with all topics of the gateway, and the
// means to break it. With TRIBUTARY_TEST_KAFKA_BROKERS it is a part of that cluster instead, and tests of what only a broker in
// memory can do are skipped.
package bustest

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/bus/namespace"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Bus is a bus on a broker of its own.
type Bus struct {
	bus.Bus
	Broker *Broker
}

// New starts a broker without data, creates every topic of event.Topics, and returns a bus on it. All of it ends with the test,
// which should have ended its own subscriptions by then.
func New(t testing.TB) *Bus {
	t.Helper()
	br := NewBroker(t, 1)
	b := br.Open(t)
	ts := Topics()
	for i := range ts {
		ts[i].Replicas = br.replicas()
	}
	if err := b.EnsureTopics(t.Context(), ts); err != nil {
		t.Fatalf("topics: %v", err)
	}
	return &Bus{Bus: b, Broker: br}
}

// Topics is event.Topics with few partitions.
func Topics() []bus.TopicSpec {
	var ts []bus.TopicSpec
	for _, t := range event.Topics() {
		n := map[event.Size]int{event.Keyed: 4, event.Small: 2, event.One: 1}[t.Partitions]
		ts = append(ts, bus.TopicSpec{Name: t.Name, Partitions: n, Replicas: 1, Compacted: t.Compacted})
	}
	return ts
}

// Broker is a Kafka cluster in memory that a test can break, or a part of a real one.
type Broker struct {
	*kfake.Cluster // nil if the cluster is real
	addrs          []string
	wire           *wire
	real           *namespace.Namespace // nil if the cluster is in memory
	t              testing.TB
}

// NewBroker starts a cluster of n brokers that ends with the test. With options it is in memory always.
func NewBroker(t testing.TB, n int, opts ...kfake.Opt) *Broker {
	t.Helper()
	if brokers := Real(); len(brokers) > 0 && len(opts) == 0 {
		return newReal(t, brokers)
	}
	w := &wire{conns: map[net.Conn]struct{}{}}
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(n), kfake.ListenFn(w.listen), kfake.GroupMinSessionTimeout(time.Second))...)
	if err != nil {
		t.Fatalf("broker: %v", err)
	}
	t.Cleanup(c.Close)
	return &Broker{Cluster: c, addrs: c.ListenAddrs(), wire: w, t: t}
}

// replicas is for topics: a real cluster's default.
func (b *Broker) replicas() int {
	if b.real != nil {
		return -1
	}
	return 1
}

// Addrs lists the brokers.
func (b *Broker) Addrs() []string { return b.addrs }

// Config is a configuration with quick timings.
func (b *Broker) Config() kafka.Config {
	return kafka.Config{
		Brokers: b.addrs, Linger: time.Millisecond, MetadataTTL: 500 * time.Millisecond, CommitEvery: 50 * time.Millisecond,
		Compression: "none",
		Group: kafka.Group{
			Heartbeat: 100 * time.Millisecond, Session: 6 * time.Second, Rebalance: 6 * time.Second,
			JoinBackoff: 100 * time.Millisecond, PartitionWatch: 250 * time.Millisecond,
		},
	}
}

// Open returns one more bus on the same broker, as another process would have it. Each change may adjust its configuration.
func (b *Broker) Open(t testing.TB, change ...func(*kafka.Config)) bus.Bus {
	t.Helper()
	cfg := b.Config()
	cfg.Log = logTo(t)
	for _, c := range change {
		c(&cfg)
	}
	k, err := kafka.Open(context.Background(), cfg)
	if err != nil {
		t.Fatalf("bus: %v", err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// logTo shows what the bus says if the test fails. What is said after the end of the test is lost.
func logTo(t testing.TB) *slog.Logger {
	o := &output{w: t.Output()}
	t.Cleanup(o.close)
	return slog.New(slog.NewTextHandler(o, nil))
}

type output struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w = io.Discard
}

// Cut breaks all connections to the brokers and refuses new ones, until Heal.
func (b *Broker) Cut() { b.wire.set(true) }

// Heal ends a Cut.
func (b *Broker) Heal() { b.wire.set(false) }

// Fail makes the broker answer the next n requests of a kind with an error instead of doing them; n < 0 means until the handle is
// removed. For example Fail(kmsg.Produce, kerr.NotLeaderForPartition, 3).
func (b *Broker) Fail(key kmsg.Key, err *kerr.Error, n int) *kfake.FaultHandle {
	return b.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: err, Count: n})
}

// Run consumes until the returned stop has been called, or the test ends. stop returns when everything has drained.
func Run(t testing.TB, b bus.Bus, s bus.Subscription) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Consume(ctx, s) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("consume: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// Forever is longer than anything takes on a busy machine: what has not happened by then does not happen.
const Forever = time.Minute

// Eventually waits until ok is true, and fails the test if it never is.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(Forever); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("after %s: %s", Forever, what)
}

// wire is the network between clients and brokers.
type wire struct {
	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{}
}

func (w *wire) listen(network, addr string) (net.Listener, error) {
	l, err := net.Listen(network, addr)
	return listener{l, w}, err
}

func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if !cut {
		return
	}
	for c := range w.conns {
		_ = c.Close()
	}
	clear(w.conns)
}

// admit keeps a connection that was accepted, unless the wire is cut.
func (w *wire) admit(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		_ = c.Close()
		return false
	}
	w.conns[c] = struct{}{}
	return true
}

type listener struct {
	net.Listener
	wire *wire
}

func (l listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.wire.admit(c) {
			return c, err
		}
	}
}
