package channeltest_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/session"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/session/sessiontest"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// linePeer plays the peer of the small protocol.
type linePeer struct {
	*sessiontest.Peer
	ch channel.Keyed

	mu   sync.Mutex
	held []chan struct{}
	seen map[string]bool
	acts map[string]string
}

func newLinePeer(t *testing.T) channeltest.SessionPeer {
	ch := gatewaytest.Channel(event.SMS, "ch_a", "acme", "")
	p := &linePeer{Peer: sessiontest.NewPeer(t, ch.Secrets.Current("api_token")), ch: ch, seen: map[string]bool{}, acts: map[string]string{}}
	p.ch.Settings["api_base_url"] = p.URL()
	p.Script(func(body []byte, _ int) sessiontest.Act {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.seen[string(body)] = true
		switch p.acts[string(body)] {
		case "hold":
			c := make(chan struct{})
			p.held = append(p.held, c)
			return sessiontest.Act{Wait: c}
		case "cut":
			return sessiontest.Act{Cut: true}
		}
		return sessiontest.Act{}
	})
	return p
}

func body(n int) string { return fmt.Sprint("call ", n) }

func (p *linePeer) Channel() channel.Keyed { return p.ch }
func (p *linePeer) Refuse()                { p.Password("another") }
func (p *linePeer) Request(n int) channel.Request {
	return channel.Request{URL: p.URL(), Body: []byte(body(n))}
}
func (p *linePeer) Seen(n int) bool { p.mu.Lock(); defer p.mu.Unlock(); return p.seen[body(n)] }
func (p *linePeer) Hold(n int)      { p.mu.Lock(); defer p.mu.Unlock(); p.acts[body(n)] = "hold" }
func (p *linePeer) CutAt(n int)     { p.mu.Lock(); defer p.mu.Unlock(); p.acts[body(n)] = "cut" }
func (p *linePeer) Bound() int      { now, _, _ := p.Binds(); return now }
func (p *linePeer) Goodbyes() int   { return p.Unbinds() }
func (p *linePeer) Push(n int) func() bool {
	return p.Peer.Push([]byte(fmt.Sprint("push ", n))).Acknowledged
}

func (p *linePeer) IsAnswer(n int, r channel.Response) bool {
	return r.Status == 200 && string(r.Body) == "ref of "+body(n)
}

func (p *linePeer) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range slices.Backward(p.held) {
		close(c)
	}
	p.held = nil
}

func (p *linePeer) Write(huge bool) {
	if huge {
		p.Raw(binary.BigEndian.AppendUint32(nil, 1<<31))
		return
	}
	p.Raw([]byte{0, 0, 0, 3, 'a', 'b', 'c'})
}

// faulty is a session that breaks one rule.
type faulty struct {
	sessiontest.Session
	fault string
}

func (f faulty) Open(ctx context.Context, ch channel.Keyed, l session.Link) (session.Conn, error) {
	if deliver := l.Deliver; f.fault == "acknowledges early" {
		l.Deliver = func(ctx context.Context, in channel.Inbound) (channel.Reply, error) {
			go func() { _, _ = deliver(ctx, in) }()
			return channel.Reply{}, nil
		}
	}
	conn, err := f.Session.Open(ctx, ch, l)
	if f.fault == "takes a denial for an outage" && err != nil {
		err = fault.New(fault.Unavailable, "not_connected", "the peer refused")
	}
	if err != nil {
		return nil, err
	}
	return &faultyConn{Conn: conn, fault: f.fault}, nil
}

type faultyConn struct {
	session.Conn
	fault string
	mu    sync.Mutex
	last  *channel.Response
}

func (c *faultyConn) Do(ctx context.Context, req channel.Request) (channel.Response, error) {
	if c.fault == "writes too late" && ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	resp, err := c.Conn.Do(ctx, req)
	switch {
	case c.fault == "claims that nothing was sent" && err != nil:
		err = fault.New(fault.Unavailable, "not_connected", "nothing was sent")
	case c.fault == "mixes answers up":
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.last == nil {
			c.last = &resp
		}
		return *c.last, err
	}
	return resp, err
}

func (c *faultyConn) Close(ctx context.Context) error {
	if c.fault == "waits for no call" {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		ctx = ended
	}
	return c.Conn.Close(ctx)
}

const sessionFaultEnv = "CHANNELTEST_SESSION_FAULT"

func TestSessionOfTheToy(t *testing.T) {
	t.Parallel()
	channeltest.RunSession(t, faulty{sessiontest.Session{Idle: time.Minute}, os.Getenv(sessionFaultEnv)}, newLinePeer)
}

func TestFaultsOfSessionsAreFound(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for fault, says := range map[string]string{
		"acknowledges early":           "acknowledged before it was durable",
		"mixes answers up":             "want its answer",
		"claims that nothing was sent": "want an error of kind unknown",
		"takes a denial for an outage": "want an error of kind denied",
		"waits for no call":            "want its answer",
		"writes too late":              "after its context had ended",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestSessionOfTheToy$")
			cmd.Env = append(os.Environ(), sessionFaultEnv+"="+fault)
			if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), says) {
				t.Errorf("want %q, got %v\n%.3000s", says, err, out)
			}
		})
	}
}
