package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/source"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	openTime    = 15 * time.Second // for a connection to be opened and accepted
	deliverTime = 8 * time.Second  // for what came in to be made durable
	stopTime    = 20 * time.Second // for partitions to be released when the process stops
	closeTime   = lease.TTL / 5    // for calls under way to end when a connection is closed: less than a source has for letting go
)

// Channels finds configured channels; directory.Directory is one.
type Channels interface {
	source.Channels
	Channel(ctx context.Context, id string) (channel.Keyed, error)
}

// Deps is what a Host works with.
type Deps struct {
	Type      event.ChannelType
	Session   Session
	MaxBody   int64 // bytes of one payload that comes in
	Channels  Channels
	Watch     func(func(event.Config)) // calls back for every change of configuration; may be nil
	DB        store.DB
	Deliver   source.Deliver
	Partition func(ctx context.Context, topic, key string) (int, error) // in which a key lies
	Dial      func(ctx context.Context, addr string, secure bool) (net.Conn, error)
	Now       func() time.Time
	Log       *slog.Logger
	Free      time.Duration // between looks whether another process has let go of a connection; default 500 ms
	Pause     time.Duration // after a connection has failed; doubles up to 32 times; default 1 s
}

// Host keeps the connections of a channel type: a [provider.Transport] for what is sent, and a [source.Source] for what comes in.
type Host struct {
	Deps
	runner *source.Runner

	mu    sync.Mutex
	owned map[int]int // by partition: in how many generations it is ours now
	live  map[string]*live
	moved chan struct{} // closed at the next change of live or owned
}

// live is an open connection.
type live struct {
	conn      Conn
	version   int64 // of the channel
	partition int
}

// New returns a host; Run does the work. It needs the collections of [source.New].
func New(d Deps) *Host {
	if d.Free == 0 {
		d.Free = 500 * time.Millisecond
	}
	h := &Host{Deps: d, owned: map[int]int{}, live: map[string]*live{}, moved: make(chan struct{})}
	h.runner = source.New(source.Deps{
		Type: d.Type, Sources: []source.Source{h}, Channels: d.Channels, Watch: d.Watch, DB: d.DB, Deliver: d.Deliver, Now: d.Now, Log: d.Log, Free: d.Free, Pause: d.Pause,
	})
	return h
}

// Loop keeps the connections of the partitions that are owned. After the end of ctx it waits until these were released, as calls are under
// way until then, but not long.
func (h *Host) Loop(ctx context.Context) error {
	keep, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	unhook := context.AfterFunc(ctx, func() {
		h.await(stopTime, func() bool { return len(h.owned) == 0 })
		stop()
	})
	defer unhook()
	return h.runner.Run(keep)
}

// Home returns the partition whose owner has the channel's connection; ok is false for a channel that has none.
func (h *Host) Home(ctx context.Context, ch channel.Channel) (partition int, ok bool, err error) {
	if !h.Session.Wants(ch) {
		return 0, false, nil
	}
	partition, err = h.Partition(ctx, event.TopicOutbound(h.Type), event.Key(ch.ID))
	return partition, err == nil, err
}

// Own says that a partition is ours until release is called, which closes its connections and waits for that, but not long.
func (h *Host) Own(partition int) (release func()) {
	h.change(func() { h.owned[partition]++ })
	h.runner.Wake()
	return func() {
		h.change(func() {
			if h.owned[partition]--; h.owned[partition] == 0 {
				delete(h.owned, partition)
			}
		})
		h.runner.Wake()
		h.await(lease.TTL/3, func() bool {
			for _, l := range h.live {
				if l.partition == partition && h.owned[partition] == 0 {
					return false
				}
			}
			return true
		})
	}
}

// change alters what is known under the lock, and wakes whoever waits for it.
func (h *Host) change(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	close(h.moved)
	h.moved = make(chan struct{})
}

// await waits until ok, which is asked under the lock, but not longer than d.
func (h *Host) await(d time.Duration, ok func() bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		h.mu.Lock()
		done, moved := ok(), h.moved
		h.mu.Unlock()
		if done {
			return
		}
		select {
		case <-moved:
		case <-timer.C:
			return
		}
	}
}

// Ready reports whether a call for a channel can be made now. One that needs no connection, or will be refused, needs none to wait for.
func (h *Host) Ready(ctx context.Context, id string) bool {
	ch, err := h.Channels.Channel(ctx, id)
	if err != nil || !ch.Enabled || !h.Session.Wants(ch.Channel) {
		return true
	}
	return h.find(ch.Channel) != nil
}

func (h *Host) find(ch channel.Channel) *live {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.live[ch.ID]; l != nil && l.version == ch.Version {
		return l
	}
	return nil
}

var errAway = fault.New(fault.Unavailable, "not_connected", "nothing was sent: the channel's connection is not open here")

// Do implements provider.Transport.
func (h *Host) Do(ctx context.Context, ch channel.Keyed, req channel.Request) (resp channel.Response, err error) {
	l := h.find(ch.Channel)
	if l == nil {
		return channel.Response{}, errAway
	}
	defer func() {
		if recover() != nil {
			err = fault.New(fault.Unknown, "no_answer", "the connection panicked during the call")
		}
	}()
	return l.conn.Do(ctx, req)
}

// Wants implements source.Source: the channel has a connection, and its partition is ours.
func (h *Host) Wants(ch channel.Channel) bool {
	ctx, cancel := context.WithTimeout(context.Background(), deliverTime)
	defer cancel()
	p, ok, err := h.Home(ctx, ch)
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.live[ch.ID]; err != nil && l != nil { // the broker is away; what is open stays
		return h.owned[l.partition] > 0
	}
	return ok && h.owned[p] > 0
}

// Run implements source.Source.
func (h *Host) Run(ctx context.Context, ch channel.Keyed, l source.Link) error {
	partition, _, err := h.Home(ctx, ch.Channel)
	if err != nil {
		return err
	}
	lines := newLines(h.Dial)
	defer lines.cut()
	conn, err := h.open(ctx, ch, Link{Deliver: h.deliver(ch, l.Deliver), Dial: lines.Dial, Fence: l.Fence, Now: h.Now})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- waited(conn) }()
	h.change(func() { h.live[ch.ID] = &live{conn: conn, version: ch.Version, partition: partition} })
	l.Up()
	select {
	case err = <-ended:
		ended <- err
	case <-ctx.Done():
		err = ctx.Err()
	}
	h.close(ctx, ch, conn, lines)
	ended <- <-ended // it is let go of only then
	h.change(func() { delete(h.live, ch.ID) })
	return err
}

// open opens a connection in time.
func (h *Host) open(ctx context.Context, ch channel.Keyed, l Link) (conn Conn, err error) {
	defer func() {
		if recover() != nil {
			err = fault.New(fault.Internal, "open_failed", "the session panicked while it opened a connection")
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	return h.Session.Open(ctx, ch, l)
}

// waited is Wait of a connection that is not trusted to survive.
func waited(conn Conn) (err error) {
	defer func() {
		if recover() != nil {
			err = fault.New(fault.Internal, "connection_failed", "the connection panicked")
		}
	}()
	if err = conn.Wait(); err == nil {
		err = errEnded
	}
	return err
}

var errEnded = fault.New(fault.Unavailable, "connection_ended", "the provider has ended the connection")

// close ends a connection within its time: in order, or by cutting it off. No call begins on it any more.
func (h *Host) close(ctx context.Context, ch channel.Keyed, conn Conn, l *lines) {
	h.change(func() { h.live[ch.ID].version = -1 })
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	unhook := context.AfterFunc(ctx, l.cut)
	defer unhook()
	if err := conn.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		h.Log.WarnContext(ctx, "a connection was not closed in order", "channel", ch.ID, "error", fault.KindOf(err))
	}
	l.cut()
}

// deliver is [Link.Deliver] for a channel: bounded in size and time. What came in over a connection that we opened proves itself.
func (h *Host) deliver(ch channel.Keyed, to source.Deliver) func(context.Context, channel.Inbound) (channel.Reply, error) {
	return func(ctx context.Context, in channel.Inbound) (channel.Reply, error) {
		if int64(len(in.Body)) > h.MaxBody {
			return channel.Reply{}, fault.New(fault.Invalid, "too_large", "a payload of %d bytes came in, the limit of the type is %d", len(in.Body), h.MaxBody)
		}
		ctx, cancel := context.WithTimeout(ctx, deliverTime)
		defer cancel()
		in.Pulled = true
		reply, err := to(ctx, ch, in)
		if err != nil {
			return reply, fmt.Errorf("channel %s: %w", ch.ID, err)
		}
		return reply, nil
	}
}
