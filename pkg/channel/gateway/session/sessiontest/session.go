package sessiontest

import (
	"context"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/session"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Scheme is that of the protocol's URLs: line://host:port/.
const Scheme = "line"

// Session speaks the protocol. Channels want it whose api_base_url has its scheme.
type Session struct {
	Idle time.Duration // after so long without a frame the peer is asked whether it lives, and given up after as long again; default 30 s
}

// window is how many deliveries wait for being made durable; the peer is told to bring more again.
const window = 16

// Wants implements session.Session.
func (Session) Wants(ch channel.Channel) bool {
	u, err := url.Parse(ch.Settings.Text("api_base_url"))
	return err == nil && u.Scheme == Scheme
}

// Open implements session.Session.
func (s Session) Open(ctx context.Context, ch channel.Keyed, l session.Link) (session.Conn, error) {
	u, err := url.Parse(ch.Settings.Text("api_base_url"))
	if err != nil {
		return nil, fault.At("/settings/api_base_url", "bad_url", "it is no URL")
	}
	raw, err := l.Dial(ctx, u.Host, false)
	if err != nil {
		return nil, err
	}
	unhook := context.AfterFunc(ctx, func() { _ = raw.Close() })
	if err := bind(raw, ch); err != nil {
		_ = raw.Close()
		return nil, err
	}
	if !unhook() {
		return nil, fault.New(fault.Unavailable, "not_connected", "the provider did not answer in time")
	}
	if s.Idle == 0 {
		s.Idle = 30 * time.Second
	}
	c := &conn{Conn: raw, link: l, idle: s.Idle, waiting: map[uint32]chan frame{}, inbox: make(chan frame, window), over: make(chan struct{})}
	c.life, c.end = context.WithCancel(context.Background())
	c.working.Go(c.read)
	c.working.Go(c.deliver)
	c.working.Go(c.enquire)
	return c, nil
}

// bind proves who we are.
func bind(raw net.Conn, ch channel.Keyed) error {
	_, err := raw.Write(encode(frame{Kind: "bind", User: ch.ID, Pass: ch.Secrets.Current("api_token")}))
	if err != nil {
		return fault.Because(err, fault.Unavailable, "not_connected", "the provider took no bind")
	}
	f, err := decode(raw)
	switch {
	case err != nil:
		return fault.Because(err, fault.Unavailable, "not_connected", "the provider did not answer the bind")
	case f.Status == 401:
		return fault.New(fault.Denied, channel.CodeCredentials, "the provider takes none of the channel's credentials")
	case f.Status != 200:
		return fault.New(fault.Unavailable, "not_connected", "the provider answered the bind with %d", f.Status)
	}
	return nil
}

// conn is one bind.
type conn struct {
	net.Conn
	link    session.Link
	idle    time.Duration
	life    context.Context
	end     context.CancelFunc
	working sync.WaitGroup
	inbox   chan frame // deliveries, in the order in which they came
	writes  sync.Mutex // one frame at a time

	mu      sync.Mutex
	seq     uint32
	waiting map[uint32]chan frame // by number of what is to be answered
	closing bool
	heard   time.Time
	err     error
	over    chan struct{} // closed when the connection serves no more
}

// Do implements session.Conn.
func (c *conn) Do(ctx context.Context, req channel.Request) (channel.Response, error) {
	f, err := c.ask(ctx, frame{Kind: "submit", Body: req.Body})
	if err != nil {
		return channel.Response{}, err
	}
	h := channel.Header{}
	h.Set("Retry-After", f.After)
	return channel.Response{Status: f.Status, Header: h, Body: f.Body}, nil
}

var (
	errClosed   = fault.New(fault.Unavailable, "not_connected", "nothing was sent: the connection is closed")
	errNoAnswer = fault.New(fault.Unknown, "no_answer", "the call was sent, or a part of it, and no answer came")
)

// ask writes a frame and waits for its answer.
func (c *conn) ask(ctx context.Context, f frame) (frame, error) {
	got, ok := c.begin(&f)
	if !ok {
		return frame{}, errClosed
	}
	defer c.forget(f.Seq)
	if n, err := c.put(ctx, f); err != nil {
		c.fail(err)
		if n == 0 {
			return frame{}, errClosed
		}
		return frame{}, errNoAnswer
	}
	select {
	case a := <-got:
		return a, nil
	case <-ctx.Done():
	case <-c.over:
		select {
		case a := <-got: // it came before the end
			return a, nil
		default:
		}
	}
	return frame{}, errNoAnswer
}

func (c *conn) begin(f *frame) (chan frame, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.closing && f.Kind == "submit" {
		return nil, false
	}
	c.seq++
	f.Seq = c.seq
	got := make(chan frame, 1)
	c.waiting[f.Seq] = got
	return got, true
}

func (c *conn) forget(seq uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, seq)
}

// put writes one frame, if ctx has not ended when its turn comes.
func (c *conn) put(ctx context.Context, f frame) (int, error) {
	c.writes.Lock()
	defer c.writes.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return c.Write(encode(f))
}

// fail ends the connection, for the first reason.
func (c *conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = fault.Because(err, fault.Unavailable, "connection_broken", "the connection has broken")
	c.end()
	_ = c.Conn.Close()
	close(c.over)
}

func (c *conn) read() {
	for {
		f, err := decode(c.Conn)
		if err != nil {
			c.fail(err)
			return
		}
		c.mu.Lock()
		c.heard = time.Now()
		got := c.waiting[f.Seq]
		c.mu.Unlock()
		switch {
		case f.Kind == answer && got != nil:
			select {
			case got <- f:
			default: // answered twice
			}
		case f.Kind == "enquire":
			c.reply(f, 200)
		case f.Kind == "unbind":
			c.reply(f, 200)
			c.fail(errUnbound)
			return
		case f.Kind == "deliver":
			select {
			case c.inbox <- f:
			default: // reading goes on, so that answers come
				c.reply(f, 503)
			}
		}
	}
}

var errUnbound = fault.New(fault.Unavailable, "unbound", "the provider has ended the session")

func (c *conn) reply(f frame, status int) {
	if _, err := c.put(c.life, frame{Kind: answer, Seq: f.Seq, Status: status}); err != nil {
		c.fail(err)
	}
}

// deliver makes what came in durable, one after the other, and acknowledges it then.
func (c *conn) deliver() {
	for {
		select {
		case <-c.life.Done():
			return
		case f := <-c.inbox:
			_, err := c.link.Deliver(c.life, channel.Inbound{Method: "POST", Body: f.Body})
			switch {
			case c.life.Err() != nil:
				return
			case fault.Is(err, fault.Invalid):
				c.reply(f, 400)
			case err != nil:
				c.reply(f, 503)
			default:
				c.reply(f, 200)
			}
		}
	}
}

// enquire asks a silent peer whether it lives.
func (c *conn) enquire() {
	tick := time.NewTicker(c.idle)
	defer tick.Stop()
	for {
		select {
		case <-c.life.Done():
			return
		case <-tick.C:
		}
		c.mu.Lock()
		silent := time.Since(c.heard) >= c.idle
		c.mu.Unlock()
		if !silent {
			continue
		}
		ctx, cancel := context.WithTimeout(c.life, c.idle)
		_, err := c.ask(ctx, frame{Kind: "enquire"})
		cancel()
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// Wait implements session.Conn.
func (c *conn) Wait() error {
	<-c.over
	c.working.Wait()
	return c.err
}

// Close implements session.Conn.
func (c *conn) Close(ctx context.Context) error {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	for c.busy() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	_, err := c.ask(ctx, frame{Kind: "unbind"})
	c.fail(errUnbound)
	return err
}

// busy reports whether calls are under way.
func (c *conn) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err == nil && len(c.waiting) > 0
}
