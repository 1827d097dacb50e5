package measure

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
	"github.com/tributaryhq/tributary/deploy/bench/stream"
	"github.com/tributaryhq/tributary/deploy/bench/target"
)

// watched is a target whose messages are watched on the event stream.
type watched struct {
	s      *stand.Stand
	plan   *target.Plan
	job    load.Job
	stream *stream.Stream

	acks  atomic.Int64
	mu    sync.Mutex
	acked []call // answered 2xx
}

type call struct {
	k   int64
	due time.Time
}

// fullWatched starts everything that a deployment has, and watches its WhatsApp channel.
func (b *Bench) fullWatched(ctx context.Context, name string) (*stand.Stand, *watched, error) {
	s, err := b.full(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	w, err := watch(ctx, s, "whatsapp")
	if err != nil {
		b.done(s, &err)
		return nil, nil, err
	}
	return s, w, nil
}

// watch aims at the first channel of a type, listens to the stream, and has everybody write once: their conversations are there.
func watch(ctx context.Context, s *stand.Stand, typ string) (*watched, error) {
	to, err := s.Target(ctx, typ)
	if err != nil {
		return nil, err
	}
	events, err := stream.Open(ctx, s.URL("inbox"), stand.Key)
	if err != nil {
		return nil, err
	}
	w, err := listen(s, to, events)
	if err != nil {
		return nil, err
	}
	if _, err := load.Open(ctx, w.job, 16, 1000, time.Duration(to.People)*time.Millisecond); err != nil {
		return nil, err
	}
	return w, w.drained(ctx, time.Minute)
}

// listen aims at a target whose messages are looked for on a stream.
func listen(s *stand.Stand, to *target.Target, events *stream.Stream) (w *watched, err error) {
	w = &watched{s: s, stream: events}
	w.plan, w.job, err = aim(to)
	w.job.OK = func(k int64, due time.Time, _ []byte) {
		w.mu.Lock()
		w.acked = append(w.acked, call{k, due})
		w.mu.Unlock()
		w.acks.Add(1)
	}
	return w, err
}

// lag is how many acknowledged messages are not on the stream yet.
func (w *watched) lag() int64 {
	seen, _ := w.stream.Seen()
	return max(0, w.acks.Load()-seen)
}

// drain waits until everything acknowledged has been seen, and returns how much was not in time.
func (w *watched) drain(ctx context.Context, most time.Duration) (left int64, err error) {
	for until := time.Now().Add(most); w.lag() > 0 && time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if err := w.stream.Err(); err != nil {
			return w.lag(), fmt.Errorf("the event stream ended: %w", err)
		}
		if ctx.Err() != nil {
			return w.lag(), ctx.Err()
		}
	}
	return w.lag(), nil
}

// drained is drain that must not leave anything.
func (w *watched) drained(ctx context.Context, most time.Duration) error {
	left, err := w.drain(ctx, most)
	if err == nil && left > 0 {
		err = fmt.Errorf("%d messages did not appear on the stream in %s", left, most)
	}
	return err
}

// mark is how the message of a call is called on the stream and in the inbox.
func (w *watched) mark(k int64) stream.Mark {
	ref, row := w.plan.Ref(k)
	return stream.MarkFor(stand.Tenant, row["channel"], ref)
}

// latencies are from when a call was due until its message was on the stream, of calls from the from-th on.
func (w *watched) latencies(from int) (l load.Latencies, missing int) {
	for _, c := range w.acked[from:] {
		if at, ok := w.stream.When(w.mark(c.k)); ok {
			l = append(l, at.Sub(c.due))
		} else {
			missing++
		}
	}
	l.Sort()
	return l, missing
}
