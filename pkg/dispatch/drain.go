package dispatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

// drain takes the oldest open row of a line one step further.
func (o *Owner[R]) drain(w work, p *Permit) {
	defer p.Release()
	head, ok := w.table.oldest(w.line)
	if !ok {
		return
	}
	ctx, cancel := o.outliving(o.ctx)
	defer cancel()
	left, err := o.advance(ctx, head, p)
	if err != nil {
		o.quiet.Do(func() { o.log.WarnContext(ctx, "waiting rows cannot be taken further", "row", head.id, "error", err) })
		left = head
		left.due = time.Now().Add(5 * o.Timing.Pause)
	}
	w.table.put(w.line, head.id, left)
}

// advance looks at a row and does what it asks for. It returns the row as it is to be seen next; none if it is done.
func (o *Owner[R]) advance(ctx context.Context, head ref, p *Permit) (ref, error) {
	doc, err := o.Rows.Get(ctx, head.id)
	if errors.Is(err, store.ErrNotFound) {
		return ref{}, nil
	}
	if err != nil {
		return ref{}, err
	}
	row := doc.Core()
	ctx = traceparent.With(ctx, row.Trace)
	if row.State.Final() {
		o.apply(ctx, row)
		return ref{}, nil
	}
	left := o.table.refOf(doc)
	if !head.waited(left) && time.Now().Before(left.due) { // it is not what was waited for, and is not due
		return left, nil
	}
	d := &drained[R]{job: job[R]{Owner: o, doc: doc, of: row.Parts}}
	if d.task, err = o.Kind.Task(ctx, doc); err != nil {
		return ref{}, err
	}
	switch {
	case row.State == Calling:
		err = d.foreign(ctx)
	case d.task.Refuse == nil && o.elsewhere(d.task.Scope):
		err = d.handOn(ctx)
	default:
		err = d.claim(ctx, p)
	}
	return d.left, err
}

// drained is a waiting row in the hands of the drainer.
type drained[R Doc] struct {
	job[R]
	left ref // what is left of it; none: it is done
}

// foreign ends another's call whose deadline is over (rule DEADLINE).
func (d *drained[R]) foreign(ctx context.Context) error {
	doc, err := d.giveUp(ctx)
	if err == nil {
		d.left = d.table.refOf(doc)
	}
	return err
}

// claim makes the row ours, waiting → calling by compare-and-set (rule CASDRAIN), and calls; or ends it. Who loses the race reads
// that row again and does not go on to the next one (rule FORGET is bad).
func (d *drained[R]) claim(ctx context.Context, p *Permit) error {
	k := d.known()
	var err error
	if k.broken, err = d.earlierFailed(ctx); err != nil {
		return err
	}
	k.open = p != nil
	s := next(d.doc.Core(), k, d.Now())
	if s.move == stay {
		d.left = d.table.refOf(d.doc)
		return nil
	}
	doc, err := d.take(ctx, token(), s)
	switch {
	case errors.Is(err, errMoved):
		d.left = d.look()
		return nil
	case err != nil:
		return err
	case s.move == end:
		d.settled(ctx, doc.Core())
		return nil
	}
	d.doc = doc
	v := d.deliver(ctx)
	p.Judge(v)
	left, open, err := d.conclude(ctx, v)
	if err == nil && open {
		d.left = d.table.refOf(left)
	}
	return err
}

// take writes the claim, or the end.
func (d *drained[R]) take(ctx context.Context, mine string, s step) (doc R, err error) {
	err = d.insist(ctx, func() (err error) {
		doc, err = d.Rows.Update(ctx, d.doc.Core().ID, func(doc R) error {
			switch r := doc.Core(); {
			case r.State == Calling && r.Token == mine: // rule OWNWRITE
				return store.Unchanged
			case r.State != Waiting:
				return errMoved
			}
			d.write(doc, s, mine)
			return nil
		})
		return err
	})
	return doc, err
}

// look lets the row be read again at once.
func (d *drained[R]) look() ref {
	r := d.table.refOf(d.doc)
	r.at, r.due = event.Time{}, time.Time{}
	return r
}

// earlierFailed reports whether the part before, of those that the task calls, failed or expired.
func (d *drained[R]) earlierFailed(ctx context.Context) (bool, error) {
	n := d.doc.Core().Part - 1
	for slices.Contains(d.task.Skip, n) {
		n--
	}
	if n < 0 {
		return false, nil
	}
	before, err := d.Rows.Get(ctx, d.task.Calls.ID(n))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s := before.Core().State
	return s == Failed || s == Expired, nil
}

// handAgain is how soon a row that was handed on is looked at again, and handed on again if it still waits.
const handAgain = 30 * time.Second

// handOn lets the owner of the home of a waiting row call it: its record comes there, so that the row is adopted (rules HANDON, ADOPT).
// The row stays this partition's: its owners look whether it has ended, and hand it on again should who adopted it be gone.
func (d *drained[R]) handOn(ctx context.Context) error {
	if err := d.publish(ctx, []event.Record{d.Homes.HandOn(d.doc, d.task)}); err != nil {
		return err
	}
	d.left = d.table.refOf(d.doc)
	d.left.due = time.Now().Add(handAgain)
	return nil
}
