package egress

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"sync"
)

// conn knows whether bytes may have left through it.
type conn struct {
	net.Conn
	mu     sync.Mutex
	writes int // that have begun and did not fail with nothing written
	closed bool
}

// Write counts before it writes: once begun, nobody can say any more that nothing left. If it fails without having written
// anything, nothing did; of a TLS record that was cut off the other side can read nothing.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return 0, net.ErrClosed
	}
	c.writes++
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	if n == 0 && err != nil {
		c.mu.Lock()
		c.writes--
		c.mu.Unlock()
	}
	return n, err
}

func (c *conn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	return c.Conn.Close()
}

func (c *conn) written() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

// trail is the connections that a request was given, and what had been written to each before. There are several if net/http found
// a pooled one closed by the server before it could write.
type trail struct {
	mu    sync.Mutex
	steps []step
}

type step struct {
	conn   *conn
	before int
}

var errNotOurs = errors.New("egress: a connection that is not ours")

func follow(ctx context.Context) (context.Context, *trail) {
	t := &trail{}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		c, ok := i.Conn.(*conn)
		if !ok {
			panic(errNotOurs) // the transport has no other way to connect
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.steps = append(t.steps, step{c, c.written()})
	}}), t
}

// end closes the connections of a request that failed, so that nothing more can leave, and reports whether something did.
func (t *trail) end() (sent bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.steps {
		_ = s.conn.Close()
		sent = sent || s.conn.written() > s.before
	}
	return sent
}
