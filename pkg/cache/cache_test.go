package cache

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) (*Cache, *server) {
	t.Helper()
	s := serve(t)
	return s.connect(), s
}

func (s *server) connect() *Cache {
	s.Helper()
	c, err := Open(s.url)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = c.Close() })
	return c
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal(what)
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "http://h", "redis://", "redis://h/x", "redis://h?addr=h2:1", "redis://:geheim@h:port:1"} {
		if _, err := Open(u); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", u, err)
		}
	}
	o, err := options("rediss://u:p@h1/3?addr=h2:6380&master=m")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(o.Addrs, " ") != "h1:6379 h2:6380" || o.DB != 3 || o.MasterName != "m" || o.Password != "p" || o.TLSConfig == nil || !o.ContextTimeoutEnabled {
		t.Errorf("options: %+v", o)
	}
}

func TestValuesExpire(t *testing.T) {
	t.Parallel()
	c, m := open(t)
	ctx := t.Context()
	if err := c.Put(ctx, "a", []byte("1"), time.Second); err != nil {
		t.Fatal(err)
	}
	if v, ok, err := c.Lookup(ctx, "a"); string(v) != "1" || !ok || err != nil {
		t.Errorf("lookup: %s %v %v", v, ok, err)
	}
	m.pass(time.Second)
	if _, ok, err := c.Lookup(ctx, "a"); ok || err != nil {
		t.Errorf("after its lifetime: %v %v", ok, err)
	}
	if err := errors.Join(c.Put(ctx, "b", nil, time.Minute), c.Delete(ctx, "b"), c.Delete(ctx, "b")); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := c.Lookup(ctx, "b"); ok {
		t.Error("deleted and still there")
	}
}

func TestRedisAwayIsUnavailableAndQuick(t *testing.T) {
	t.Parallel()
	c, m := open(t)
	m.cut()
	start := time.Now()
	_, _, err := c.Lookup(t.Context(), "a")
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("lookup: %v", err)
	}
	if err := c.Put(t.Context(), "a", nil, time.Second); !fault.Is(err, fault.Unavailable) {
		t.Errorf("put: %v", err)
	}
	if _, err := c.Lease(t.Context(), "l", time.Second); !fault.Is(err, fault.Unavailable) {
		t.Errorf("lease: %v", err)
	}
	if d := time.Since(start); d > 30*time.Second { // each gives up after a few seconds, also on a busy machine
		t.Errorf("it took %s to find out", d)
	}
}

func TestLeaseHasOneHolder(t *testing.T) {
	t.Parallel()
	c, m := open(t)
	ctx := t.Context()
	a, err := c.Lease(ctx, "poll", time.Second)
	if err != nil || a == nil {
		t.Fatalf("first: %v %v", a, err)
	}
	if b, err := c.Lease(ctx, "poll", time.Second); b != nil || err != nil {
		t.Fatalf("second: %v %v", b, err)
	}
	m.pass(900 * time.Millisecond)
	if held, err := a.Renew(ctx); !held || err != nil {
		t.Fatalf("renew: %v %v", held, err)
	}
	m.pass(900 * time.Millisecond)
	if b, _ := c.Lease(ctx, "poll", time.Second); b != nil {
		t.Fatal("taken although it was renewed")
	}
	m.pass(200 * time.Millisecond)
	b, err := c.Lease(ctx, "poll", time.Second)
	if b == nil || err != nil {
		t.Fatalf("after its end: %v %v", b, err)
	}
	if held, _ := a.Renew(ctx); held {
		t.Error("the old holder renewed another's lease")
	}
	if err := a.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if held, _ := b.Renew(ctx); !held {
		t.Error("the old holder gave back another's lease")
	}
}

func TestHoldEndsWhenTheLeaseIsLost(t *testing.T) {
	t.Parallel()
	c, m := open(t)
	ran, err := c.Hold(t.Context(), "poll", 150*time.Millisecond, func(ctx context.Context) error {
		if again, err := c.Hold(ctx, "poll", time.Second, func(context.Context) error { return nil }); again || err != nil {
			t.Errorf("held twice: %v %v", again, err)
		}
		m.flush() // Redis lost its data
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute):
			t.Error("the loss was not noticed")
		}
		return ctx.Err()
	})
	if !ran || !errors.Is(err, context.Canceled) {
		t.Errorf("hold: %v %v", ran, err)
	}
	var kept atomic.Bool
	if ran, err := c.Hold(t.Context(), "poll", time.Second, func(ctx context.Context) error {
		tick := time.NewTimer(2500 * time.Millisecond) // lifetimes of a second: a busy machine may hold one renewal up
		defer tick.Stop()
		select {
		case <-ctx.Done():
		case <-tick.C:
			kept.Store(true)
		}
		return nil
	}); !ran || err != nil || !kept.Load() {
		t.Errorf("hold over several lifetimes: %v %v %v", ran, err, kept.Load())
	}
	if l, _ := c.Lease(t.Context(), "poll", time.Second); l == nil {
		t.Error("the lease was not given back")
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	c, m := open(t)
	other := m.connect()
	ctx, cancel := context.WithCancel(t.Context())
	one, two, quiet := c.Watch(ctx, "mailbox"), c.Watch(ctx, "mailbox"), c.Watch(ctx, "elsewhere")
	for _, w := range []<-chan []byte{one, two, quiet} {
		if p := <-w; p != nil {
			t.Fatalf("the first signal is %q, want nil", p)
		}
	}
	// The second watch may have been told once more, by the subscription of the first.
	next := func(w <-chan []byte) string {
		for p := range w {
			if p != nil {
				return string(p)
			}
		}
		return "closed"
	}
	if err := other.Notify(ctx, "mailbox", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if a, b := next(one), next(two); a != "hello" || b != "hello" {
		t.Errorf("signals: %q %q", a, b)
	}
	select {
	case p := <-quiet:
		t.Errorf("a signal for somebody else: %q", p)
	default:
	}
	cancel()
	if got := next(one); got != "closed" {
		t.Errorf("after the end: %q", got)
	}
	eventually(t, "nobody watches and Redis is still asked", func() bool { return m.channels() == 0 })
}

func TestLostSignalsAreTold(t *testing.T) {
	t.Parallel()
	c, m := open(t)
	w := c.Watch(t.Context(), "mailbox")
	if p := <-w; p != nil {
		t.Fatalf("the first signal is %q", p)
	}
	m.cut()
	m.heal()
	select {
	case p := <-w:
		if p != nil {
			t.Errorf("after the reconnection: %q, want nil", p)
		}
	case <-time.After(time.Minute):
		t.Fatal("nobody told that signals may be lost")
	}
}
