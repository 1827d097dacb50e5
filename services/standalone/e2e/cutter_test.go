package e2e

import (
	"net"
	"sync"
	"testing"
	"time"
)

// cutter stands between a client and a server on TCP: it is away (connections are refused and cut), silent (nothing passes, nobody
// is told) or slow.
type cutter struct {
	addr, target string

	mu       sync.Mutex
	listener net.Listener // nil while away
	conns    map[net.Conn]bool
	delay    time.Duration // of everything that passes
	silent   chan struct{} // closed when it ends; nil: it is not
	work     sync.WaitGroup
}

// newCutter lets everything pass to target, until the test ends.
func newCutter(t *testing.T, target string) *cutter {
	t.Helper()
	c := &cutter{target: target, conns: map[net.Conn]bool{}, addr: "127.0.0.1:0"}
	if err := c.heal(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.away(); c.loud(); c.work.Wait() })
	return c
}

// heal lets connections through again.
func (c *cutter) heal() error {
	l, err := net.Listen("tcp", c.addr)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.listener, c.addr = l, l.Addr().String()
	c.mu.Unlock()
	c.work.Go(func() { c.accept(l) })
	return nil
}

// away refuses connections and cuts those that there are, in the middle of whatever passes.
func (c *cutter) away() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listener != nil {
		_ = c.listener.Close()
		c.listener = nil
	}
	for conn := range c.conns {
		_ = conn.Close()
	}
}

// quiet lets nothing pass until loud; connections stay.
func (c *cutter) quiet() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent == nil {
		c.silent = make(chan struct{})
	}
}

func (c *cutter) loud() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent != nil {
		close(c.silent)
		c.silent = nil
	}
}

func (c *cutter) slow(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay = d
}

func (c *cutter) accept(l net.Listener) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", c.target)
		if err != nil {
			_ = in.Close()
			continue
		}
		c.mu.Lock()
		gone := c.listener != l
		if !gone {
			c.conns[in], c.conns[out] = true, true
		}
		c.mu.Unlock()
		if gone {
			_, _ = in.Close(), out.Close()
			continue
		}
		c.work.Go(func() { c.copy(in, out) })
		c.work.Go(func() { c.copy(out, in) })
	}
}

// copy passes on what one side says, until either side is closed.
func (c *cutter) copy(to, from net.Conn) {
	defer func() {
		_, _ = to.Close(), from.Close()
		c.mu.Lock()
		delete(c.conns, to)
		delete(c.conns, from)
		c.mu.Unlock()
	}()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			c.wait()
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *cutter) wait() {
	c.mu.Lock()
	silent, delay := c.silent, c.delay
	c.mu.Unlock()
	if silent != nil {
		<-silent
	}
	time.Sleep(delay)
}

// listen is net.Listen with a cutter in front, whose address the listener has.
func listenCut(t *testing.T, made func(*cutter)) func(network, addr string) (net.Listener, error) {
	return func(network, addr string) (net.Listener, error) {
		inner, err := net.Listen(network, addr)
		if err != nil {
			return nil, err
		}
		c := newCutter(t, inner.Addr().String())
		made(c)
		shown, err := net.ResolveTCPAddr("tcp", c.addr)
		return &fronted{inner, shown}, err
	}
}

type fronted struct {
	net.Listener
	addr net.Addr
}

// Addr implements net.Listener.
func (f *fronted) Addr() net.Addr { return f.addr }
