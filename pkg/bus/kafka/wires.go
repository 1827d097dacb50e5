package kafka

import (
	"context"
	"net"
	"sync"
)

// wires knows the transport's connections, because kafka-go closes only idle ones: one that waits in a long poll of which nobody
// wants the answer any more would outlive the bus.
type wires struct {
	via  func(ctx context.Context, network, addr string) (net.Conn, error)
	mu   sync.Mutex
	open map[*wire]struct{}
}

type wire struct {
	net.Conn
	of *wires
}

func (w *wires) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := w.via(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	one := &wire{c, w}
	w.open[one] = struct{}{}
	return one, nil
}

func (c *wire) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

func (w *wires) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.Conn.Close() // nobody waits for what it would say
	}
	clear(w.open)
}
