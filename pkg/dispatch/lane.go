package dispatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

// attempt is one record in its lane.
type attempt[R Doc] struct {
	*Owner[R]
	task   *Task[R]
	lane   string
	offset int64
	token  string // of this handling of the record
	of     int    // parts: of this task, or of one that was made of the record earlier and had more
	broken bool   // a part has failed: the later ones do too
}

// run takes the parts of the attempt one after the other.
func (a *attempt[R]) run(ctx context.Context) error {
	for n := 0; n < a.of; n++ { // it may turn out that there are more
		if slices.Contains(a.task.Skip, n) { // rule RESUME
			continue
		}
		if err := a.part(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (a *attempt[R]) job(doc R) *job[R] {
	return &job[R]{Owner: a.Owner, task: a.task, doc: doc, of: a.of}
}

// part inserts the row of a part and does what the row then asks for. If the row is there already, the record has come again.
func (a *attempt[R]) part(ctx context.Context, n int) error {
	doc, permit := a.draft(ctx, n)
	defer permit.Release()
	for {
		err := a.insist(ctx, func() error { return a.Rows.Insert(ctx, doc) })
		if err == nil {
			return a.inserted(ctx, doc, permit)
		}
		if !errors.Is(err, store.ErrExists) {
			return err
		}
		var there R
		err = a.insist(ctx, func() (err error) { there, err = a.Rows.Get(ctx, doc.Core().ID); return err })
		if errors.Is(err, store.ErrNotFound) {
			continue // it expired between the two looks
		}
		if err != nil {
			return err
		}
		return a.again(ctx, there, permit)
	}
}

// draft makes the row of a part as it begins: ended, called at once, or waiting.
func (a *attempt[R]) draft(ctx context.Context, n int) (R, *Permit) {
	now := a.Now()
	doc := a.task.Calls.New()
	row := doc.Core()
	row.ID, row.Tenant, row.ExpiresAt = a.task.Calls.ID(n), a.task.Tenant, a.task.SendBy.Add(KeptFor)
	row.Part, row.Parts, row.Key, row.Partition, row.Offset = n, a.of, a.lane, a.At.Partition, a.offset
	row.SendBy, row.CreatedAt, row.Trace = a.task.SendBy, event.At(now), traceparent.Of(ctx)
	j := a.job(doc)
	k := j.known()
	k.broken = a.broken
	s := next(row, k, now)
	var p *Permit
	if s.move == wait && !a.table.has(a.lane) { // rule BUSY: nothing of the lane is open, waiting or being called
		if p, _ = a.Scopes.of(a.task.Scope).enter(a.lane); p != nil {
			k.open = true
			s = next(row, k, now)
		}
	}
	j.write(doc, s, a.token)
	return doc, p
}

// inserted goes on from a row that this try has made.
func (a *attempt[R]) inserted(ctx context.Context, doc R, p *Permit) error {
	switch row := doc.Core(); row.State {
	case Waiting:
		a.table.add(doc)
		a.Metrics.Waited(ctx)
	case Calling:
		return a.call(ctx, doc, p)
	default:
		a.broken = true
		a.settled(ctx, row)
	}
	return nil
}

// call makes the call of a fresh row.
func (a *attempt[R]) call(ctx context.Context, doc R, p *Permit) error {
	ctx, cancel := a.outliving(ctx)
	defer cancel()
	j := a.job(doc)
	v := j.deliver(ctx)
	p.Judge(v)
	p.Release()
	a.broken = a.broken || v.Finding == Rejected
	left, open, err := j.conclude(ctx, v)
	if err == nil && open {
		a.table.add(left)
		a.Metrics.Waited(ctx)
	}
	return err
}

// again looks at a row that was there before.
func (a *attempt[R]) again(ctx context.Context, doc R, p *Permit) error {
	a.of = max(a.of, doc.Core().Parts) // every part that was once announced gets its result
	for {
		switch row := doc.Core(); {
		case row.State.Final(): // its result was a fact of the write that ended it
			a.apply(ctx, row)
			a.broken = a.broken || row.State == Failed || row.State == Expired
			return nil
		case row.State == Waiting || row.Waited: // rule ADOPT: whoever had it may be gone
			a.table.add(doc)
			return nil
		case row.Partition != a.At.Partition || row.Offset != a.offset: // rule COPYRULE
			return nil
		case row.Token == a.token && p != nil: // rule OWNWRITE: the store said it failed, and yet it is ours
			return a.call(ctx, doc, p)
		}
		row := doc.Core()
		left := due.Left(row.Deadline.Add(a.Timing.Margin).Time, a.Now(), row.allowed()+a.Timing.Margin)
		if err := a.patience(ctx, left); err != nil { // rule DEADLINE
			return err
		}
		var err error
		if doc, err = a.job(doc).giveUp(ctx); err != nil {
			return err
		}
	}
}

// patience waits; the key waits with it, no other does.
func (o *Owner[R]) patience(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return Away(ctx.Err())
	case <-o.ctx.Done():
		return ErrStopped
	}
}
