package channeltest

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/session"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// correlates: several calls are under way at once, and are answered in another order.
func (r *sessionRun) correlates() {
	r.connect()
	ns := []int{1, 2, 3, 4, 5}
	for _, n := range ns {
		r.peer.Hold(n)
	}
	calls := r.call(r.Context(), ns...)
	for _, n := range ns {
		r.eventually("all calls are under way at once", func() bool { return r.peer.Seen(n) })
	}
	r.peer.Release()
	for range ns {
		r.answered(r.get(calls))
	}
}

func (r *sessionRun) closed() {
	r.connect()
	r.answered(r.get(r.call(r.Context(), 1)))
	r.peer.Cut()
	r.finished()
	r.is(fault.Unavailable, r.get(r.call(r.Context(), 2)))
	if r.peer.Seen(2) {
		r.Error("a call was made that is said not to be")
	}
}

func (r *sessionRun) unanswered() {
	r.connect()
	r.peer.Hold(1)
	ctx, cancel := context.WithCancel(r.Context())
	held := r.call(ctx, 1)
	r.eventually("the call is under way", func() bool { return r.peer.Seen(1) })
	cancel()
	r.is(fault.Unknown, r.get(held))
	r.answered(r.get(r.call(r.Context(), 2))) // the connection goes on
	r.peer.Release()
	r.answered(r.get(r.call(r.Context(), 3))) // a late answer is no other call's
	r.peer.CutAt(4)
	r.is(fault.Unknown, r.get(r.call(r.Context(), 4)))
	r.finished()
}

func (r *sessionRun) ended() {
	r.connect()
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	if c := r.get(r.call(ctx, 1)); c.err == nil {
		r.Error("a call was made after its context had ended")
	}
	if r.peer.Seen(1) {
		r.Error("something was written after the context had ended")
	}
}

func (r *sessionRun) acknowledges() {
	r.hold = true
	r.refuse.Store(1)
	r.connect()
	acknowledged := r.peer.Push(1)
	r.eventually("it is delivered", func() bool { return r.inside.Load() == 1 })
	r.answered(r.get(r.call(r.Context(), 1))) // a round trip later
	if acknowledged() {
		r.Error("acknowledged before it was durable")
	}
	close(r.wait)
	r.eventually("what was refused is brought again and acknowledged", func() bool {
		if len(r.over) > 0 { // a protocol without a word for it ends the connection
			r.connect()
		}
		return acknowledged()
	})
	if r.delivered.Load() == 0 {
		r.Error("acknowledged, and never durable")
	}
}

// most is how many deliveries of one connection may wait at once.
const most = 256

func (r *sessionRun) waits() {
	r.hold = true
	r.connect()
	for n := range 2 * most {
		r.peer.Push(n)
	}
	r.eventually("something is delivered", func() bool { return r.inside.Load() > 0 })
	for n := range 3 {
		r.answered(r.get(r.call(r.Context(), n)))
	}
	if n := r.inside.Load(); n > most {
		r.Errorf("%d deliveries at once, at most %d", n, most)
	}
	close(r.wait)
}

func (r *sessionRun) nonsense() {
	for _, huge := range []bool{false, true} {
		r.connect()
		r.eventually("it is accepted", func() bool { return r.peer.Bound() == 1 })
		r.peer.Write(huge)
		r.finished()
		r.is(fault.Unavailable, r.get(r.call(r.Context(), 1)))
		r.eventually("the peer sees the end", func() bool { return r.peer.Bound() == 0 })
	}
}

func (r *sessionRun) denied() {
	r.peer.Refuse()
	ctx, cancel := context.WithTimeout(r.Context(), sessionWait)
	defer cancel()
	_, err := r.session.Open(ctx, r.peer.Channel(), session.Link{Deliver: r.deliver, Dial: r.dial, Fence: 1, Now: time.Now})
	if !fault.Is(err, fault.Denied) {
		r.Errorf("%v, want an error of kind denied", err)
	}
	if r.peer.Bound() != 0 {
		r.Error("a connection is left")
	}
}

func (r *sessionRun) goodbye() {
	r.connect()
	r.peer.Hold(1)
	held := r.call(r.Context(), 1)
	r.eventually("the call is under way", func() bool { return r.peer.Seen(1) })
	ctx, cancel := context.WithTimeout(r.Context(), sessionWait)
	defer cancel()
	over := make(chan error, 1)
	go func() { over <- r.conn.Close(ctx) }()
	r.eventually("no call begins any more", func() bool {
		_, err := r.conn.Do(r.Context(), r.peer.Request(2))
		return fault.Is(err, fault.Unavailable)
	})
	r.peer.Release()
	r.answered(r.get(held))
	if err := <-over; err != nil {
		r.Errorf("close: %v", err)
	}
	r.finished()
	if r.Failed() {
		return
	}
	r.eventually("the peer was told", func() bool { return r.peer.Goodbyes() == 1 && r.peer.Bound() == 0 })
}

func (r *sessionRun) late() {
	r.connect()
	r.peer.Hold(1)
	held := r.call(r.Context(), 1)
	r.eventually("the call is under way", func() bool { return r.peer.Seen(1) })
	ctx, cancel := context.WithTimeout(r.Context(), 50*time.Millisecond)
	defer cancel()
	_ = r.conn.Close(ctx) // says that it could not end in order, or not
	r.is(fault.Unknown, r.get(held))
	r.finished()
	r.eventually("the peer sees the end", func() bool { return r.peer.Bound() == 0 })
}

func (r *sessionRun) cut() {
	r.connect()
	r.peer.Hold(1)
	held := r.call(r.Context(), 1)
	r.eventually("the call is under way", func() bool { return r.peer.Seen(1) })
	r.cutLines()
	r.is(fault.Unknown, r.get(held))
	r.finished()
}
