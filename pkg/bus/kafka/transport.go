package kafka

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// transport is kafka-go's, and ends for good when it is closed. By itself that one begins anew, with goroutines and connections
// that nobody ends, if a request comes after it was closed, and it closes only idle connections: one in a long poll of which nobody
// wants the answer any more would outlive the bus.
type transport struct {
	*kafka.Transport
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	life context.Context // of all requests
	end  context.CancelFunc
	busy sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[*wire]struct{}
}

func newTransport(c Config) *transport {
	t := &transport{dial: c.Dial, open: map[*wire]struct{}{}}
	t.life, t.end = context.WithCancel(context.Background())
	t.Transport = &kafka.Transport{Dial: t.connect, DialTimeout: connectTimeout, IdleTimeout: idleTimeout, MetadataTTL: c.MetadataTTL, ClientID: c.ClientID, TLS: c.TLS}
	return t
}

// RoundTrip implements kafka.RoundTripper.
func (t *transport) RoundTrip(ctx context.Context, addr net.Addr, req kafka.Request) (kafka.Response, error) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil, errClosed
	}
	t.busy.Add(1)
	t.mu.Unlock()
	defer t.busy.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.life, cancel)()
	return t.Transport.RoundTrip(ctx, addr, req)
}

// close ends what is under way and refuses what comes from now on.
func (t *transport) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.end()
	t.busy.Wait()
	t.CloseIdleConnections()
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.open {
		_ = c.Conn.Close() // nobody waits for what it would say
	}
	clear(t.open)
}

// wire is a connection that its transport knows, and on which nothing is waited for without an end. kafka-go takes the deadline off a
// connection before it authenticates: a broker that fell silent then would hold up the whole process, as every request waits for the one
// that reads the cluster's layout.
type wire struct {
	net.Conn
	of *transport
}

// SetDeadline implements net.Conn.
func (c *wire) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(ending(t)) }

// SetReadDeadline implements net.Conn.
func (c *wire) SetReadDeadline(t time.Time) error { return c.Conn.SetReadDeadline(ending(t)) }

// SetWriteDeadline implements net.Conn.
func (c *wire) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(ending(t)) }

// ending is a deadline; where none is wanted, the latest that there may be.
func ending(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now().Add(connectTimeout)
	}
	return t
}

// connect is how both of kafka-go's clients reach a broker.
func (t *transport) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := t.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		_ = c.Close()
		return nil, errClosed
	}
	one := &wire{c, t}
	t.open[one] = struct{}{}
	return one, nil
}

func (c *wire) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
