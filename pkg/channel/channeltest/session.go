package channeltest

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/session"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// SessionPeer is the provider's side of a session, played by the test of a channel: a server that speaks the protocol and shares no code
// with the session.
type SessionPeer interface {
	// Channel leads to the peer, with credentials that it takes.
	Channel() channel.Keyed
	// Refuse lets the peer take no credentials any more.
	Refuse()
	// Request is the nth call, signed; IsAnswer reports whether r is the answer to it, and Seen whether the peer has read it.
	Request(n int) channel.Request
	IsAnswer(n int, r channel.Response) bool
	Seen(n int) bool
	// Hold lets the nth call be answered only after Release, which answers those that came last first. CutAt cuts the connection instead.
	Hold(n int)
	Release()
	CutAt(n int)
	// Push lets the peer say something, again and again until it is acknowledged.
	Push(n int) (acknowledged func() bool)
	// Write writes what is no frame of the protocol: bytes of no meaning, or the beginning of a frame that is much too large.
	Write(huge bool)
	// Cut cuts every connection.
	Cut()
	// Bound tells how many connections are accepted now, and Goodbyes how many have ended in order.
	Bound() int
	Goodbyes() int
}

// sessionWait is how long anything may take that must happen.
const sessionWait = 20 * time.Second

// RunSession checks a session against the rules that package session states. start starts a peer that ends with its test.
func RunSession(t *testing.T, s session.Session, start func(t *testing.T) SessionPeer) {
	for name, check := range map[string]func(*sessionRun){
		"answers find their calls":                 (*sessionRun).correlates,
		"a closed connection sends nothing":        (*sessionRun).closed,
		"a call without an answer is unknown":      (*sessionRun).unanswered,
		"an ended context sends nothing":           (*sessionRun).ended,
		"what is durable is acknowledged":          (*sessionRun).acknowledges,
		"deliveries that wait hold up no answer":   (*sessionRun).waits,
		"what is no frame ends the connection":     (*sessionRun).nonsense,
		"refused credentials are denied":           (*sessionRun).denied,
		"a connection ends in order":               (*sessionRun).goodbye,
		"a connection ends in time":                (*sessionRun).late,
		"whoever is cut off by the host sees that": (*sessionRun).cut,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(&sessionRun{T: t, session: s, peer: start(t), wait: make(chan struct{})})
		})
	}
}

// sessionRun is one connection, and what is delivered over it.
type sessionRun struct {
	*testing.T
	session session.Session
	peer    SessionPeer
	conn    session.Conn
	over    chan error

	mu        sync.Mutex
	open      []net.Conn
	hold      bool          // deliveries wait for wait
	wait      chan struct{} // closed: they do not any more
	refuse    atomic.Int64  // so many deliveries are refused
	delivered atomic.Int64
	inside    atomic.Int64 // deliveries that wait
}

// connect opens the connection.
func (r *sessionRun) connect() {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), sessionWait)
	defer cancel()
	conn, err := r.session.Open(ctx, r.peer.Channel(), session.Link{Deliver: r.deliver, Dial: r.dial, Fence: 1, Now: time.Now})
	if err != nil {
		r.Fatal(err)
	}
	r.conn, r.over = conn, make(chan error, 1)
	go func() { r.over <- conn.Wait() }()
	r.Cleanup(func() { r.cutLines(); r.finished() })
}

func (r *sessionRun) dial(ctx context.Context, addr string, secure bool) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fault.Because(err, fault.Unavailable, "not_connected", "the peer could not be reached")
	}
	if secure {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a peer of the test
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = append(r.open, c)
	return c, nil
}

func (r *sessionRun) cutLines() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.open {
		_ = c.Close()
	}
}

// finished waits until Wait has returned.
func (r *sessionRun) finished() {
	r.Helper()
	select {
	case err := <-r.over:
		r.over <- err
	case <-time.After(sessionWait):
		r.Error("Wait does not return")
	}
}

func (r *sessionRun) deliver(ctx context.Context, _ channel.Inbound) (channel.Reply, error) {
	if r.hold {
		r.inside.Add(1)
		defer r.inside.Add(-1)
		select {
		case <-r.wait:
		case <-ctx.Done():
			return channel.Reply{}, ctx.Err()
		}
	}
	if r.refuse.Add(-1) >= 0 {
		return channel.Reply{}, fault.New(fault.Unavailable, "unavailable", "the broker is away")
	}
	r.delivered.Add(1)
	return channel.Reply{}, nil
}

// eventually waits for a state.
func (r *sessionRun) eventually(what string, ok func() bool) {
	r.Helper()
	for end := time.Now().Add(sessionWait); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("it never happened: %s", what)
		}
	}
}

// called is what became of a call.
type called struct {
	n    int
	resp channel.Response
	err  error
}

// call makes calls at once; their results come on the channel.
func (r *sessionRun) call(ctx context.Context, ns ...int) <-chan called {
	out := make(chan called, len(ns))
	for _, n := range ns {
		go func() {
			resp, err := r.conn.Do(ctx, r.peer.Request(n))
			out <- called{n, resp, err}
		}()
	}
	return out
}

// get waits for a call that must end.
func (r *sessionRun) get(from <-chan called) called {
	r.Helper()
	select {
	case c := <-from:
		return c
	case <-time.After(sessionWait):
		r.Fatal("a call does not end")
		return called{}
	}
}

// answered checks that a call has its answer.
func (r *sessionRun) answered(c called) {
	r.Helper()
	if c.err != nil || !r.peer.IsAnswer(c.n, c.resp) {
		r.Errorf("call %d: %+v, %v; want its answer", c.n, c.resp, c.err)
	}
}

// is checks how a call has failed.
func (r *sessionRun) is(kind fault.Kind, c called) {
	r.Helper()
	if fault.KindOf(c.err) != kind || c.err == nil {
		r.Errorf("call %d: %v; want an error of kind %s", c.n, c.err, kind)
	}
}
