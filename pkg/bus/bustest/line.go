package bustest

import (
	"context"
	"errors"
	"net"
	"sync"
)

// Line is one client's way to the brokers (kafka.Config.Dial). Cut, it is what kill -9 does to the client as the brokers see it:
// nothing more arrives, no goodbye either.
type Line struct {
	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{}
}

var errCut = errors.New("bustest: the line is cut")

// Dial connects, unless the line is cut.
func (l *Line) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		_ = c.Close()
		return nil, errCut
	}
	if l.conns == nil {
		l.conns = map[net.Conn]struct{}{}
	}
	l.conns[c] = struct{}{}
	return lineConn{c, l}, nil
}

// Cut breaks the client's connections and refuses new ones, for good.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for c := range l.conns {
		_ = c.Close()
	}
	clear(l.conns)
}

type lineConn struct {
	net.Conn
	line *Line
}

func (c lineConn) Close() error {
	c.line.mu.Lock()
	delete(c.line.conns, c.Conn)
	c.line.mu.Unlock()
	return c.Conn.Close()
}
