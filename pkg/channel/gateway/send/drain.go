package send

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// drain takes the oldest open row of a line one step further.
func (o *owner) drain(w work, p *permit) {
	defer p.release()
	head, ok := w.table.oldest(w.line)
	if !ok {
		return
	}
	ctx, cancel := o.outliving(o.ctx)
	defer cancel()
	left, err := o.advance(ctx, head, p)
	if err != nil {
		o.quiet.Do(func() { o.log.WarnContext(ctx, "waiting sends cannot be taken further", "row", head.id, "error", err) })
		left = head
		left.due = time.Now().Add(5 * o.Timing.Pause)
	}
	w.table.put(w.line, head.id, left)
}

// advance looks at a row and does what it asks for. It returns the row as it is to be seen next; none if it is done.
func (o *owner) advance(ctx context.Context, head ref, p *permit) (ref, error) {
	row, err := o.rows.Get(ctx, head.id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return ref{}, nil
	case err != nil:
		return ref{}, err
	case row.State.Final():
		o.apply(ctx, row)
		return ref{}, nil
	case row.Outbound == nil: // cannot be: an open row that waited has its message
		return ref{}, errors.New("an open row without its message")
	}
	left := o.refOf(row)
	if !head.waited(left) && time.Now().Before(left.due) { // it is not what was waited for, and is not due
		return left, nil
	}
	d := &drained{job: job{owner: o, row: row, about: part{row.Tenant, *row.Outbound, row.Part, row.Parts}}}
	if d.rendering, err = o.render(ctx, row.Tenant, *row.Outbound); err != nil {
		return ref{}, err
	}
	switch {
	case row.State == Calling:
		err = d.foreign(ctx)
	case d.refusal == nil && !o.home(row.ChannelID):
		err = d.handOn(ctx)
	default:
		err = d.claim(ctx, p)
	}
	return d.left, err
}

// drained is a waiting row in the hands of the drainer.
type drained struct {
	job
	left ref // what is left of it; none: it is done
}

// foreign ends another's call whose deadline is over (rule DEADLINE).
func (d *drained) foreign(ctx context.Context) error {
	row, err := d.giveUp(ctx, d.row, d.about, d.known().repeatable)
	if err == nil {
		d.left = d.refOf(row)
	}
	return err
}

// claim makes the row ours, waiting → calling by compare-and-set (rule CASDRAIN), and calls; or ends it. Who loses the race reads
// that row again and does not go on to the next one (rule FORGET is bad).
func (d *drained) claim(ctx context.Context, p *permit) error {
	k := d.known()
	var err error
	if k.broken, err = d.earlierFailed(ctx); err != nil {
		return err
	}
	k.open = p != nil
	s := next(d.row, k, d.Now())
	if s.move == stay {
		d.left = d.refOf(d.row)
		return nil
	}
	row, err := d.take(ctx, token(), s)
	switch {
	case errors.Is(err, errMoved):
		d.left = d.look()
		return nil
	case err != nil:
		return err
	case s.move == end:
		d.metrics.settled(ctx, s.outcome.state, s.outcome.err)
		return nil
	}
	d.row = row
	v := d.deliver(ctx, row, d.about, d.rendering)
	p.judge(v)
	open, err := d.conclude(ctx, v)
	if err == nil && open != nil {
		d.left = d.refOf(open)
	}
	return err
}

// take writes the claim, or the end.
func (d *drained) take(ctx context.Context, mine string, s step) (row *Row, err error) {
	err = d.insist(ctx, func() (err error) {
		row, err = d.rows.Update(ctx, d.row.ID, func(r *Row) error {
			switch {
			case r.State == Calling && r.Token == mine: // rule OWNWRITE
				return store.Unchanged
			case r.State != Waiting:
				return errMoved
			}
			d.write(r, s, mine)
			return nil
		})
		return err
	})
	return row, err
}

// look lets the row be read again at once.
func (d *drained) look() ref {
	r := d.refOf(d.row)
	r.at, r.due = event.Time{}, time.Time{}
	return r
}

// earlierFailed reports whether the part before, of those that the attempt sends, failed or expired.
func (d *drained) earlierFailed(ctx context.Context) (bool, error) {
	n := d.row.Part - 1
	for d.about.msg.Skips(n) {
		n--
	}
	if n < 0 {
		return false, nil
	}
	before, err := d.rows.Get(ctx, RowID(d.row.Tenant, d.row.AttemptID, n))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && (before.State == Failed || before.State == Expired), err
}
