package session

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// writeTime is how long a peer may take no byte of what is written to it.
const writeTime = 10 * time.Second

// lines are the TCP connections of one channel's connection. Once they are cut, there will be no more.
type lines struct {
	dial func(ctx context.Context, addr string, secure bool) (net.Conn, error)

	mu   sync.Mutex
	open map[*line]bool
	over bool
}

func newLines(dial func(context.Context, string, bool) (net.Conn, error)) *lines {
	return &lines{dial: dial, open: map[*line]bool{}}
}

// Dial is [Link.Dial].
func (l *lines) Dial(ctx context.Context, addr string, secure bool) (net.Conn, error) {
	c, err := l.dial(ctx, addr, secure)
	if err != nil {
		return nil, err
	}
	one := &line{Conn: c, of: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		_ = c.Close()
		return nil, fault.New(fault.Unavailable, "not_connected", "the connection is another process's now")
	}
	l.open[one] = true
	return one, nil
}

// cut closes them all, for good.
func (l *lines) cut() {
	l.mu.Lock()
	open := l.open
	l.open, l.over = nil, true
	l.mu.Unlock()
	for one := range open {
		_ = one.Conn.Close()
	}
}

// line is one TCP connection. A write that failed is the last one: nothing can follow what may be half a frame.
type line struct {
	net.Conn
	of *lines
}

// Write implements net.Conn.
func (l *line) Write(p []byte) (int, error) {
	_ = l.SetWriteDeadline(time.Now().Add(writeTime)) // a connection that is closed says so in the write
	n, err := l.Conn.Write(p)
	if err != nil {
		_ = l.Close()
	}
	return n, err
}

// Close implements net.Conn.
func (l *line) Close() error {
	l.of.mu.Lock()
	delete(l.of.open, l)
	l.of.mu.Unlock()
	return l.Conn.Close()
}
