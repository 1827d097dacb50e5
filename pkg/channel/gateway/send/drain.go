package send

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
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
	next, err := o.step(ctx, head, p)
	if err != nil {
		o.quiet.Do(func() { o.log.WarnContext(ctx, "waiting sends cannot be taken further", "row", head.id, "error", err) })
		next = head
		next.due = time.Now().Add(5 * o.Timing.Pause)
	}
	w.table.put(w.line, head.id, next)
}

// step looks at a row and does what it asks for. It returns the row as it is to be seen next; none if it is done.
func (o *owner) step(ctx context.Context, head ref, p *permit) (ref, error) {
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
	next := o.refOf(row)
	if !head.waited(next) && time.Now().Before(next.due) { // it is not what was waited for, and is not due
		return next, nil
	}
	d := &drained{owner: o, row: row, about: part{row.Tenant, *row.Outbound, row.Part, row.Parts}}
	if d.rendering, err = o.render(ctx, row.Tenant, *row.Outbound); err != nil {
		return ref{}, err
	}
	if row.State == Calling {
		err = d.foreign(ctx)
	} else {
		err = d.claim(ctx, p)
	}
	return d.next, err
}

// drained is a waiting row in the hands of the drainer.
type drained struct {
	*owner
	rendering
	row   *Row
	about part
	next  ref // what is left of it; none: it is done
}

// again reports whether an unknown outcome may be tried once more.
func (d *drained) again() bool {
	return d.refusal == nil && d.row.Part < len(d.parts) && d.repeatable(d.ch.Channel, d.parts[d.row.Part])
}

// foreign ends another's call whose deadline is over (rule DEADLINE).
func (d *drained) foreign(ctx context.Context) error {
	row, err := d.giveUp(ctx, d.row, d.about, d.again())
	if err == nil {
		d.next = d.refOf(row)
	}
	return err
}

// claim makes the row ours, waiting → calling by compare-and-set (rule CASDRAIN), and calls; or ends it. Who loses the race reads
// that row again and does not go on to the next one (rule FORGET is bad).
func (d *drained) claim(ctx context.Context, p *permit) error {
	end, err := d.ending(ctx)
	if err != nil {
		return err
	}
	if end == nil && p == nil {
		d.next = d.refOf(d.row)
		return nil
	}
	mine := token()
	row, err := d.take(ctx, mine, end)
	switch {
	case errors.Is(err, errMoved):
		d.next = d.look()
		return nil
	case err != nil:
		return err
	case end != nil:
		d.metrics.settled(ctx, end.state, end.err)
		return nil
	}
	d.row = row
	v := d.deliver(ctx, row, d.about, d.rendering)
	p.judge(v)
	return d.conclude(ctx, v)
}

// take writes the claim, or the end.
func (d *drained) take(ctx context.Context, mine string, end *outcome) (row *Row, err error) {
	err = d.insist(ctx, func() (err error) {
		row, err = d.rows.Update(ctx, d.row.ID, func(r *Row) error {
			switch {
			case r.State == Calling && r.Token == mine: // rule OWNWRITE
				return store.Unchanged
			case r.State != Waiting:
				return errMoved
			case end != nil:
				d.emit(r, d.about, *end)
				return nil
			}
			r.call(mine, d.at.Generation, d.budget(d.about.msg), d.Now())
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

// ending is why the row must not be called: it is too late, refused by now, or an earlier part failed.
func (d *drained) ending(ctx context.Context) (*outcome, error) {
	end := func(s State, fe *fault.Error) (*outcome, error) { o := failure(s, fe); return &o, nil }
	n := d.row.Part - 1
	for d.about.msg.Skips(n) {
		n--
	}
	if n >= 0 {
		before, err := d.rows.Get(ctx, RowID(d.row.Tenant, d.row.AttemptID, n))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err == nil && (before.State == Failed || before.State == Expired) {
			return end(Failed, errEarlier)
		}
	}
	switch {
	case !d.Now().Before(d.row.SendBy.Time): // rule EXPIREWAITING: only here, where it waits
		return end(Expired, errExpired)
	case d.refusal != nil:
		return end(Failed, d.refusal)
	case d.row.Part >= len(d.parts):
		return end(Failed, errChanged)
	}
	return nil, nil
}

// conclude writes what became of the call, with the result as a fact (rules OUTCOME, FACT); nothing else would reveal it.
func (d *drained) conclude(ctx context.Context, v provider.Verdict) error {
	o, postponed := d.outcome(v)
	var pause time.Duration
	if postponed {
		pause = d.pause(v.Err, d.row.Tries)
	}
	var row *Row
	err := d.persist(ctx, func() (err error) {
		row, err = d.settle(ctx, d.row, func(r *Row) {
			if postponed {
				r.wait(d.about.msg, provider.Shown(v.Err), pause, d.Now())
			} else {
				d.emit(r, d.about, o)
			}
		})
		return err
	})
	switch {
	case errors.Is(err, errMoved) || errors.Is(err, store.ErrNotFound):
		return d.overtaken(ctx, v)
	case err != nil:
		return err
	case postponed:
		d.next = d.refOf(row)
		return nil
	}
	d.metrics.settled(ctx, o.state, o.err)
	return nil
}

// outcome is what a verdict means for the row; postponed: it waits again.
func (d *drained) outcome(v provider.Verdict) (o outcome, postponed bool) {
	switch {
	case v.Finding == provider.Taken:
		return outcome{state: Sent, status: v.Status, refs: v.Refs, peer: v.Peer}, false
	case v.Finding == provider.Failed:
		return failure(Failed, v.Err), false
	case v.Finding == provider.Unsure && !d.again():
		return failure(Unknown, v.Err), false
	}
	return outcome{}, true
}

// overtaken goes on from a row that is not in the hands of our call any more: by our own write, which the store said had failed;
// or another has given our call up, and only we can say what became of it.
func (d *drained) overtaken(ctx context.Context, v provider.Verdict) error {
	o, postponed := d.outcome(v)
	var there *Row
	err := d.persist(ctx, func() (err error) { there, err = d.rows.Get(ctx, d.row.ID); return err })
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case err == nil && !there.State.Final(): // it waits again, or somebody calls it again
		d.next = d.refOf(there)
		if v.Finding != provider.Taken {
			return nil
		}
	case err == nil && (there.State == o.state || there.State != Unknown):
		d.apply(ctx, there)
		return nil
	case postponed && v.Finding == provider.Refused:
		o = failure(Failed, v.Err)
	case postponed:
		return nil
	}
	d.metrics.settled(ctx, o.state, o.err)
	return d.persist(ctx, func() error { return d.publish(ctx, d.records(d.about, o)) })
}
