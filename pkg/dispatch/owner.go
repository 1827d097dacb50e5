package dispatch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Owner has one partition for one generation. It knows which rows of its keys are open.
type Owner[R Doc] struct {
	*Engine[R]
	At    bus.Assignment
	ctx   context.Context // ends when the partition is lost
	table *table
	leave func() // lets go of the partition's connections; nil without Homes
	log   *slog.Logger
	quiet rate.Sometimes // for what would be logged by every line at once
}

// Assign takes a partition over: it reads the rows that are open below the first record to come. All others come again by
// their records, in their order (rules TAKEOVER, SCANBELOW). The owner is released when ctx has ended.
func (e *Engine[R]) Assign(ctx context.Context, a bus.Assignment) (*Owner[R], error) {
	o := e.owner(ctx, a)
	if e.Homes != nil {
		o.leave = e.Homes.Own(a.Partition)
	}
	for row, err := range e.open(ctx, a) {
		if err != nil {
			o.Release()
			return nil, fmt.Errorf("open rows of partition %d: %w", a.Partition, Away(err))
		}
		o.table.add(row)
	}
	return o, nil
}

func (e *Engine[R]) owner(ctx context.Context, a bus.Assignment) *Owner[R] {
	o := &Owner[R]{
		Engine: e, At: a, ctx: ctx, log: e.Log.With("partition", a.Partition, "generation", a.Generation),
		quiet: rate.Sometimes{First: 1, Interval: 10 * time.Second},
	}
	o.table = newTable(o, e.Scopes)
	return o
}

// open reads the open rows of a partition below the first record to come, page by page (rule PAGED).
func (e *Engine[R]) open(ctx context.Context, a bus.Assignment) iter.Seq2[R, error] {
	return e.Rows.All(ctx, store.Query{Where: []store.Eq{{Field: "partition", Value: int64(a.Partition)}},
		Range: &store.Range{Field: "open_offset", To: a.Offset}, Limit: 500})
}

// Release forgets everything; calls of the drainer that are under way are waited for, but not long. Connections are closed after them.
func (o *Owner[R]) Release() {
	if o.leave != nil {
		defer o.leave()
	}
	o.table.close()
	ended := make(chan struct{})
	go func() { o.table.busy.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(o.Timing.Retire):
		o.log.Warn("calls are still under way at the end of the generation")
	}
}

// Run is the lane: it takes one record's task as far as it goes now. The records of a lane are run one after the other, in their order.
func (o *Owner[R]) Run(ctx context.Context, lane string, offset int64, t *Task[R]) error {
	a := &attempt[R]{Owner: o, task: t, lane: lane, offset: offset, token: token(), of: len(t.Parts)}
	return a.run(ctx)
}

// Busy reports whether anything of a lane is open.
func (o *Owner[R]) Busy(lane string) bool { return o.table.has(lane) }

// Publish publishes records, as often as is needed, until ctx or the partition ends.
func (o *Owner[R]) Publish(ctx context.Context, recs ...event.Record) error {
	return o.insist(ctx, func() error { return o.publish(ctx, recs) })
}

// elsewhere implements drainer.
func (o *Owner[R]) elsewhere(scope string) bool {
	return o.Homes != nil && o.Homes.Elsewhere(o.ctx, scope, o.At.Partition)
}

// done implements drainer.
func (o *Owner[R]) done() <-chan struct{} { return o.ctx.Done() }

// outliving is a context for a call and what follows from it: it lasts a while longer than the partition is ours, because only
// we can say what became of the call.
func (o *Owner[R]) outliving(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(o.ctx, func() { time.AfterFunc(o.Longest+o.Timing.Retire, cancel) })
	return ctx, func() { unhook(); cancel() }
}

// insist repeats f while our own store or broker is away, until ctx or the partition ends.
func (o *Owner[R]) insist(ctx context.Context, f func() error) error {
	return o.repeat(ctx, o.ctx.Done(), f)
}

// persist is insist for what only we know, because the call has been made: it does not end with the partition.
func (o *Owner[R]) persist(ctx context.Context, f func() error) error { return o.repeat(ctx, nil, f) }

func (o *Owner[R]) repeat(ctx context.Context, stop <-chan struct{}, f func() error) error {
	for {
		err := f()
		if err == nil || final(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return Away(err)
		case <-stop:
			return ErrStopped
		case <-time.After(o.Timing.Pause):
		}
	}
}

// final reports whether an error of the store is an answer, not trouble.
func final(err error) bool {
	for _, e := range []error{store.ErrExists, store.ErrNotFound, errMoved, ErrStopped} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// token is what only this try of this process knows.
func token() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return event.Hash(string(b[:]))
}
