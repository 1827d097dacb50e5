package source

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// mailbox is a source that counts who fetches, and delivers one payload per run.
type mailbox struct {
	fails  atomic.Int64 // so many runs fail at once
	mu     sync.Mutex
	now    map[string]int
	most   map[string]int
	runs   map[string]int
	tokens []string
}

func newMailbox() *mailbox {
	return &mailbox{now: map[string]int{}, most: map[string]int{}, runs: map[string]int{}}
}

func (m *mailbox) Wants(ch channel.Channel) bool { return ch.Settings.Text("inbound") != "webhook" }

func (m *mailbox) Run(ctx context.Context, ch channel.Keyed, l Link) error {
	m.mu.Lock()
	m.now[ch.ID]++
	m.runs[ch.ID]++
	m.most[ch.ID] = max(m.most[ch.ID], m.now[ch.ID])
	m.tokens = append(m.tokens, ch.Secrets.Current("secret"))
	m.mu.Unlock()
	defer func() { m.mu.Lock(); defer m.mu.Unlock(); m.now[ch.ID]-- }()
	if m.fails.Add(-1) >= 0 {
		return errors.New("the mail server is away")
	}
	l.Up()
	if _, err := l.Deliver(ctx, ch, channel.Inbound{Body: []byte(ch.ID), Pulled: true}); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func (m *mailbox) count(f func() int) int { m.mu.Lock(); defer m.mu.Unlock(); return f() }

type replica struct {
	stop  context.CancelFunc
	over  chan struct{}
	watch func(event.Config)
}

func start(db store.DB, chs *gatewaytest.Channels, m *mailbox, delivered *atomic.Int64) *replica {
	ctx, stop := context.WithCancel(context.Background())
	r := &replica{stop: stop, over: make(chan struct{})}
	runner := New(Deps{
		Type: event.Email, Sources: []Source{m}, Channels: chs, DB: db, Now: time.Now, Log: slog.New(slog.DiscardHandler), Look: 20 * time.Millisecond, Pause: time.Millisecond,
		Watch: func(f func(event.Config)) { r.watch = f },
		Deliver: func(context.Context, channel.Keyed, channel.Inbound) (channel.Reply, error) {
			delivered.Add(1)
			return channel.Reply{}, nil
		},
	})
	go func() { defer close(r.over); _ = runner.Run(ctx) }()
	return r
}

func (r *replica) end() { r.stop(); <-r.over }

func TestReplicasShareTheSources(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, lease.Spec, directory.Connections)
	hook := gatewaytest.Channel(event.Email, "ch_hook", "acme", "")
	hook.Settings["inbound"] = "webhook"
	chs := gatewaytest.NewChannels(gatewaytest.Channel(event.Email, "ch_a", "acme", ""), gatewaytest.Channel(event.Email, "ch_b", "acme", ""), hook)
	m, delivered := newMailbox(), &atomic.Int64{}
	a, b := start(db, chs, m, delivered), start(db, chs, m, delivered)
	storetest.Eventually(t, "both mailboxes are read", func() bool { return m.count(func() int { return m.now["ch_a"] + m.now["ch_b"] }) == 2 })
	a.end()
	storetest.Eventually(t, "the other replica took over", func() bool { return m.count(func() int { return m.now["ch_a"] + m.now["ch_b"] }) == 2 })
	b.end()
	if m.most["ch_a"] != 1 || m.most["ch_b"] != 1 || m.runs["ch_hook"] != 0 || delivered.Load() < 2 {
		t.Errorf("at once %v, runs %v, delivered %d", m.most, m.runs, delivered.Load())
	}
}

func TestASourceFollowsItsChannel(t *testing.T) {
	t.Parallel()
	chs := gatewaytest.NewChannels(gatewaytest.Channel(event.Email, "ch_a", "acme", ""))
	m := newMailbox()
	r := start(storetest.New(t, lease.Spec, directory.Connections), chs, m, &atomic.Int64{})
	defer r.end()
	storetest.Eventually(t, "it runs", func() bool { return m.count(func() int { return m.now["ch_a"] }) == 1 })
	changed := gatewaytest.Channel(event.Email, "ch_a", "acme", "")
	changed.Version, changed.Secrets = 2, channel.Secrets{"secret": {"another"}}
	chs.Put(changed)
	r.watch(event.Config{Entity: "channel", ID: "ch_a", Version: 2})
	storetest.Eventually(t, "it runs with the new secret", func() bool {
		return m.count(func() int { return len(m.tokens) }) == 2 && m.count(func() int { return m.now["ch_a"] }) == 1
	})
	if m.tokens[1] != "another" {
		t.Errorf("tokens %v", m.tokens)
	}
	changed.Enabled = false
	chs.Put(changed)
	r.watch(event.Config{Entity: "channel", ID: "ch_a", Version: 3})
	storetest.Eventually(t, "it stopped", func() bool { return m.count(func() int { return m.now["ch_a"] }) == 0 })
}

func TestAFailingSourceBeginsAgain(t *testing.T) {
	t.Parallel()
	m, delivered := newMailbox(), &atomic.Int64{}
	m.fails.Store(3)
	r := start(storetest.New(t, lease.Spec, directory.Connections), gatewaytest.NewChannels(gatewaytest.Channel(event.Email, "ch_a", "acme", "")), m, delivered)
	defer r.end()
	storetest.Eventually(t, "it came through", func() bool { return delivered.Load() == 1 })
}
