package session

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// careless is a session that dials, and lets go of nothing by itself.
type careless struct {
	addr    string
	opened  atomic.Int64
	panics  string       // open, do
	link    atomic.Value // Link, of the newest connection
	another bool         // channels have no connection
}

func (c *careless) Wants(channel.Channel) bool { return !c.another }

func (c *careless) Open(ctx context.Context, _ channel.Keyed, l Link) (Conn, error) {
	c.link.Store(l)
	if c.panics == "open" {
		defer c.opened.Add(1)
		panic("open")
	}
	raw, err := l.Dial(ctx, c.addr, false)
	if err != nil {
		return nil, err
	}
	c.opened.Add(1)
	return &carelessConn{raw, c}, nil
}

type carelessConn struct {
	net.Conn
	of *careless
}

func (c *carelessConn) Do(context.Context, channel.Request) (channel.Response, error) {
	if c.of.panics == "do" {
		panic("do")
	}
	return channel.Response{Status: 200}, nil
}

func (c *carelessConn) Wait() error { _, err := io.Copy(io.Discard, c.Conn); return err }

func (c *carelessConn) Close(context.Context) error { return nil }

// site is what hosts of several processes share: a store, and a server that counts its connections.
type site struct {
	t    *testing.T
	db   store.DB
	chs  *gatewaytest.Channels
	addr string
	now  atomic.Int64
	most atomic.Int64
}

func newSite(t *testing.T) *site {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, db: storetest.New(t, lease.Spec, directory.Connections), addr: l.Addr().String(),
		chs: gatewaytest.NewChannels(gatewaytest.Channel(event.SMS, "ch_a", "acme", ""))}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.most.Store(max(s.most.Load(), s.now.Add(1)))
			go func() { _, _ = io.Copy(io.Discard, c); s.now.Add(-1); _ = c.Close() }()
		}
	}()
	return s
}

// start begins a host that owns the channel's partition; stop ends it.
func (s *site) start(session Session) (h *Host, release, stop func()) {
	client := gatewaytest.Egress(s.t)
	h = New(Deps{
		Type: event.SMS, Session: session, MaxBody: 100, Channels: s.chs, DB: s.db, Dial: client.Dial, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Deliver: func(context.Context, channel.Keyed, channel.Inbound) (channel.Reply, error) {
			return channel.Reply{}, nil
		},
		Partition: func(context.Context, string, string) (int, error) { return 3, nil },
		Free:      5 * time.Millisecond, Pause: time.Millisecond,
	})
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); _ = h.Loop(ctx) }()
	release = h.Own(3)
	return h, release, func() { cancel(); <-over }
}

func ch() channel.Keyed { return gatewaytest.Channel(event.SMS, "ch_a", "acme", "") }

func TestRuleONEBIND_TheOwnerBeforeLetsGoFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := &careless{addr: s.addr}, &careless{addr: s.addr}
	first, release, stop := s.start(a)
	storetest.Eventually(t, "the first has it", func() bool { return first.Ready(t.Context(), "ch_a") })
	second, releaseB, stopB := s.start(b)
	if b.opened.Load() != 0 || second.Ready(t.Context(), "ch_a") {
		t.Error("two owners have a connection")
	}
	release()
	if first.Ready(t.Context(), "ch_a") {
		t.Error("a partition was released, and its connection is open")
	}
	storetest.Eventually(t, "the second has it", func() bool { return second.Ready(t.Context(), "ch_a") })
	releaseB()
	stop()
	stopB()
	storetest.Eventually(t, "all is closed", func() bool { return s.now.Load() == 0 })
	if s.most.Load() != 1 {
		t.Errorf("%d connections at once", s.most.Load())
	}
}

func TestRuleCUT_WhatTheSessionDoesNotCloseIsCut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := &careless{addr: s.addr}
	h, release, stop := s.start(c)
	storetest.Eventually(t, "it is open", func() bool { return h.Ready(t.Context(), "ch_a") && s.now.Load() == 1 })
	if resp, err := h.Do(t.Context(), ch(), channel.Request{}); err != nil || resp.Status != 200 {
		t.Errorf("%+v %v", resp, err)
	}
	release()
	storetest.Eventually(t, "it is cut", func() bool { return s.now.Load() == 0 })
	if _, err := h.Do(t.Context(), ch(), channel.Request{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a call without a connection: %v, want unavailable", err)
	}
	late := c.link.Load().(Link)
	if _, err := late.Dial(t.Context(), s.addr, false); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a dial of a session that was cut: %v", err)
	}
	stop()
}

func TestACallOfAnotherVersionIsNotMade(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h, release, stop := s.start(&careless{addr: s.addr})
	storetest.Eventually(t, "it is open", func() bool { return h.Ready(t.Context(), "ch_a") })
	newer := ch()
	newer.Version = 2
	if _, err := h.Do(t.Context(), newer, channel.Request{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v, want unavailable", err)
	}
	release()
	stop()
}

func TestWhatPanicsIsAnError(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := &careless{addr: s.addr, panics: "open"}
	_, release, stop := s.start(c)
	storetest.Eventually(t, "it is tried again", func() bool { return c.opened.Load() > 1 })
	release()
	stop()
	c = &careless{addr: s.addr, panics: "do"}
	h, release, stop := s.start(c)
	storetest.Eventually(t, "it is open", func() bool { return h.Ready(t.Context(), "ch_a") })
	if _, err := h.Do(t.Context(), ch(), channel.Request{}); !fault.Is(err, fault.Unknown) {
		t.Errorf("%v, want unknown", err)
	}
	release()
	stop()
}

func TestWhatComesInIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := &careless{addr: s.addr}
	h, release, stop := s.start(c)
	storetest.Eventually(t, "it is open", func() bool { return h.Ready(t.Context(), "ch_a") })
	deliver := c.link.Load().(Link).Deliver
	if _, err := deliver(t.Context(), channel.Inbound{Body: make([]byte, 101)}); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v, want invalid", err)
	}
	if _, err := deliver(t.Context(), channel.Inbound{Body: make([]byte, 100)}); err != nil {
		t.Error(err)
	}
	release()
	stop()
}

func TestReadinessOfChannelsWithoutConnections(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h, release, stop := s.start(&careless{addr: s.addr, another: true})
	if _, ok, err := h.Home(t.Context(), ch().Channel); ok || err != nil || !h.Ready(t.Context(), "ch_a") || !h.Ready(t.Context(), "ch_gone") {
		t.Error("a channel without a connection waits for one")
	}
	release()
	stop()
}
