package bustest

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
)

// lateBroker is a broker with SCRAM whose network is in the memory of a bubble, and so its time: it gives each answer late, and falls silent
// on some connections after the first answer, that about the versions of the protocol.
type lateBroker struct {
	net.Listener
	after  time.Duration
	silent atomic.Int64 // how many of the next connections
}

// newLateBroker returns it with a configuration of its clients.
func newLateBroker(t *testing.T, after time.Duration) (*lateBroker, kafka.Config) {
	t.Helper()
	network, b := &kfake.VirtualNetwork{}, &lateBroker{after: after}
	const mechanism = "SCRAM-SHA-512"
	c, err := kfake.NewCluster(kfake.Ports(9092), kfake.EnableSASL(), kfake.Superuser(mechanism, "user", "right"), kfake.SeedTopics(1, event.TopicInbound),
		kfake.ListenFn(func(name, addr string) (l net.Listener, err error) {
			b.Listener, err = network.Listen(name, addr)
			return b, err
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		time.Sleep(after + time.Second) // until what the broker is saying is said: the bubble must end empty
	})
	return b, kafka.Config{
		Brokers: c.ListenAddrs(), Dial: network.DialContext, Compression: "none", Log: logTo(t),
		SASL: kafka.SASL{Mechanism: mechanism, Username: "user", Password: "right"},
	}
}

// Accept implements net.Listener.
func (b *lateBroker) Accept() (net.Conn, error) {
	c, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lateConn{Conn: c, after: b.after, silent: b.silent.Add(-1) >= 0}, nil
}

// lateConn is the broker's end of a connection.
type lateConn struct {
	net.Conn
	after  time.Duration
	silent bool
	said   bool
}

func (c *lateConn) Write(b []byte) (int, error) {
	if c.silent && c.said {
		return len(b), nil
	}
	c.said = true
	time.Sleep(c.after)
	return c.Conn.Write(b)
}

func open(t *testing.T, c kafka.Config) bus.Bus {
	t.Helper()
	b, err := kafka.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// A connection with SCRAM takes four answers, and a request on a new bus six or more: a broker that gives each after most of a second is
// busy, and there.
func TestABusyBrokerIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ after, patience time.Duration }{
		"idle": {time.Millisecond, time.Second}, "busy": {700 * time.Millisecond, 30 * time.Second}, "hardly alive": {1500 * time.Millisecond, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, cfg := newLateBroker(t, c.after)
				ctx, cancel := context.WithTimeout(t.Context(), c.patience)
				defer cancel()
				b := open(t, cfg)
				if err := b.Ping(ctx); err != nil {
					t.Errorf("ping: %v", err)
				}
				if n, err := b.Partitions(ctx, event.TopicInbound); err != nil || n != 1 {
					t.Errorf("%d partitions, %v", n, err)
				}
			})
		})
	}
}

// A broker may hang while somebody signs in. kafka-go itself would wait for it as long as the connection lives.
func TestABrokerThatFallsSilentInAHandshakeHoldsNothingUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		silent int64 // connections
		work   func(ctx context.Context, t *testing.T, b bus.Bus)
	}{
		"requests": {1, func(ctx context.Context, t *testing.T, b bus.Bus) {
			t.Helper()
			if err := b.Ping(ctx); err != nil {
				t.Errorf("ping: %v", err)
			}
		}},
		"groups": {3, func(_ context.Context, t *testing.T, b bus.Bus) {
			t.Helper()
			var s sink
			Run(t, b, inbound("g", s.handle))
			s.wait(t, 1)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				broker, cfg := newLateBroker(t, time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				before := open(t, cfg)
				publish(t, before, rec(event.TopicInbound, "k", "1"))
				if err := before.Close(); err != nil {
					t.Fatal(err)
				}
				broker.silent.Store(c.silent)
				c.work(ctx, t, open(t, cfg))
				if left := broker.silent.Load(); left > 0 {
					t.Errorf("%d connections that were to be silent did not come: the test shows nothing", left)
				}
			})
		})
	}
}
