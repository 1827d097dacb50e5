package send

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// owner has one partition for one generation. It knows which rows of its keys are open.
type owner struct {
	*Worker
	at    bus.Assignment
	ctx   context.Context // ends when the partition is lost
	table *table
	busy  sync.WaitGroup // drainer's calls under way
	leave func()         // lets go of the partition's connections; nil for types without sessions
	log   *slog.Logger
	quiet rate.Sometimes // for what would be logged by every line at once
}

// errStopped ends a handler whose partition is lost; its record will come again, to the next owner.
var errStopped = errors.New("send: the partition is lost")

// assign takes a partition over: it reads the rows that are open below the first record to come. All others come again by
// their records, in their order (rules TAKEOVER, SCANBELOW).
func (w *Worker) assign(ctx context.Context, a bus.Assignment) (bus.Handler, func(), error) {
	o := &owner{Worker: w, at: a, ctx: ctx, log: w.Log.With("partition", a.Partition, "generation", a.Generation), quiet: rate.Sometimes{First: 1, Interval: 10 * time.Second}}
	o.table = newTable(o)
	if w.Sessions != nil {
		o.leave = w.Sessions.Own(a.Partition)
	}
	for row, err := range w.open(ctx, a) {
		if err != nil {
			o.release()
			return nil, nil, fmt.Errorf("open sends of partition %d: %w", a.Partition, away(err))
		}
		o.table.add(row)
	}
	return o.handle, o.release, nil
}

// open reads the open rows of a partition below the first record to come, page by page (rule PAGED).
func (w *Worker) open(ctx context.Context, a bus.Assignment) iter.Seq2[*Row, error] {
	return w.rows.All(ctx, store.Query{Where: []store.Eq{{Field: "partition", Value: int64(a.Partition)}},
		Range: &store.Range{Field: "open_offset", To: a.Offset}, Limit: 500})
}

// release forgets everything; calls of the drainer that are under way are waited for, but not long. Connections are closed after them.
func (o *owner) release() {
	if o.leave != nil {
		defer o.leave()
	}
	o.table.close()
	ended := make(chan struct{})
	go func() { o.busy.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(o.Timing.Retire):
		o.log.Warn("calls are still under way at the end of the generation")
	}
}

// handle is the lane: one record, in the order of its key.
func (o *owner) handle(ctx context.Context, m bus.Message) error {
	msg, err := event.Decode[event.Outbound](m.Event)
	if err != nil {
		return fault.New(fault.Invalid, "bad_json", "%v", err)
	}
	r, err := o.render(ctx, m.Event.Tenant, msg)
	if err != nil {
		return err
	}
	if gone, err := o.forward(ctx, m, msg, r); gone || err != nil {
		return err
	}
	if m.Event.Type == event.SignalSend {
		o.signal(ctx, m, msg, r)
		return nil
	}
	if !sendable(m.Event.Type, msg) {
		return fault.New(fault.Invalid, "bad_record", "a record of type %s without attempt, or with an action that does not fit", m.Event.Type)
	}
	if msg.Resume != nil && len(msg.Resume.Skip) >= max(len(r.parts), 1) {
		return fault.New(fault.Invalid, "bad_record", "attempt %s leaves out every part", msg.AttemptID)
	}
	try := &attempt{
		owner: o, rendering: r, msg: msg, tenant: m.Event.Tenant, lane: m.Lane, offset: m.Offset, token: token(), of: len(r.parts),
	}
	return try.run(ctx)
}

// sendable reports whether a record is a message, or an action on one: both have an attempt, rows and results.
func sendable(t event.Type, msg event.Outbound) bool {
	return msg.AttemptID != "" && (t == event.MessageSend && msg.Action == nil || t == event.ActionSend && msg.Action != nil)
}

// outliving is a context for a call and what follows from it: it lasts a while longer than the partition is ours, because only
// we can say what became of the call.
func (o *owner) outliving(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(o.ctx, func() { time.AfterFunc(o.longest()+o.Timing.Retire, cancel) })
	return ctx, func() { unhook(); cancel() }
}

// insist repeats f while our own store or broker is away, until ctx or the partition ends.
func (o *owner) insist(ctx context.Context, f func() error) error {
	return o.repeat(ctx, o.ctx.Done(), f)
}

// persist is insist for what only we know, because the call has been made: it does not end with the partition.
func (o *owner) persist(ctx context.Context, f func() error) error { return o.repeat(ctx, nil, f) }

func (o *owner) repeat(ctx context.Context, stop <-chan struct{}, f func() error) error {
	for {
		err := f()
		if err == nil || final(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return away(err)
		case <-stop:
			return errStopped
		case <-time.After(o.Timing.Pause):
		}
	}
}

// final reports whether an error of the store is an answer, not trouble.
func final(err error) bool {
	for _, e := range []error{store.ErrExists, store.ErrNotFound, errMoved, errStopped} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// errMoved says that a row is not any more what it was.
var errMoved = errors.New("send: the row has changed")
