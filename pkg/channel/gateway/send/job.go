package send

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// job is a row in the hands of a lane or a drainer: what both do with it.
type job struct {
	*owner
	rendering
	row   *Row
	about part
}

// known is what the rendering says about the part.
func (j *job) known() known {
	n := j.row.Part
	k := known{refusal: j.refusal, missing: n >= len(j.parts)}
	if k.refusal == nil && !k.missing {
		k.repeatable, k.keyless = repeatable(j.rendering, j.parts[n]), sameTwice(j.rendering) && j.parts[n].Key == ""
	}
	return k
}

// write makes a step the row's.
func (j *job) write(r *Row, s step, token string) {
	if s.move == call {
		r.call(token, j.at.Generation, j.budget(j.rendering), j.Now())
		return
	}
	j.letGo(r, j.about, s)
}

// letGo makes a step the row's that gives it to no caller: it waits, or ends.
func (o *owner) letGo(r *Row, p part, s step) {
	switch s.move {
	case wait:
		var pause time.Duration
		now := o.Now()
		if s.pause {
			pause = o.pause(s.why, r.Tries)
		}
		if s.lingers {
			pause = max(pause, due.Left(r.Deadline.Time, now, r.allowed()))
		}
		r.wait(p.msg, provider.Shown(s.why), pause, now)
	case end:
		o.emit(r, p, s.outcome)
	}
}

// deliver makes the call of a row. It goes on when the partition is lost or the handler is abandoned: only its deadline ends it.
func (o *owner) deliver(ctx context.Context, row *Row, p part, r rendering) provider.Verdict {
	began := time.Now() // before the clock is read: a process that is held up in between has less time left, never more
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), began.Add(due.Left(row.Deadline.Time, o.Now(), row.allowed())))
	defer cancel()
	if ctx.Err() != nil { // too late: no byte has left
		return provider.Verdict{Finding: provider.Refused, Err: errLate}
	}
	return o.Sender.Send(ctx, r.ch, r.msg, r.parts[p.n], provider.About{Tenant: p.tenant, Message: p.msg.MessageID, Attempt: p.msg.AttemptID, Part: p.n})
}

var errLate = fault.New(fault.Unavailable, "too_late", "the time for this call was over before it began")

// conclude does what follows from the verdict of our own call. It returns the row if that is still open.
func (j *job) conclude(ctx context.Context, v provider.Verdict) (*Row, error) {
	k := j.known()
	k.verdict = &v
	s := next(j.row, k, j.Now())
	if s.move == end && !s.written {
		return nil, j.publishEnd(ctx, s.outcome)
	}
	var row *Row
	err := j.persist(ctx, func() (err error) {
		row, err = j.settle(ctx, j.row, func(r *Row) { j.write(r, s, "") })
		return err
	})
	switch {
	case errors.Is(err, errMoved) || errors.Is(err, store.ErrNotFound):
		return j.overtaken(ctx, k)
	case err != nil:
		return nil, err
	case s.move == end:
		j.metrics.settled(ctx, s.outcome.state, s.outcome.err)
		return nil, nil
	}
	return row, nil
}

// overtaken goes on from a row that is not in the hands of our call any more. Either our own write did it, although the store
// returned an error; or another gave our call up, and only we know what became of it.
func (j *job) overtaken(ctx context.Context, k known) (*Row, error) {
	var there *Row
	err := j.persist(ctx, func() (err error) { there, err = j.rows.Get(ctx, j.row.ID); return err })
	switch {
	case errors.Is(err, store.ErrNotFound):
		there = nil
	case err != nil:
		return nil, err
	}
	k.lost = true
	if s := next(there, k, j.Now()); s.move == end {
		if err := j.publishEnd(ctx, s.outcome); err != nil {
			return nil, err
		}
	}
	switch {
	case there == nil:
		return nil, nil
	case there.State.Final():
		j.apply(ctx, there)
		return nil, nil
	}
	return there, nil // rule KEEP
}

// publishEnd publishes a result. The row stays as it is: for a send that is done at once there is one write. Only if Kafka does not
// take the result, it goes into the row as a fact.
func (j *job) publishEnd(ctx context.Context, o outcome) error {
	j.metrics.settled(ctx, o.state, o.err)
	recs := j.records(j.about, o)
	return j.persist(ctx, func() error {
		failed := j.publish(ctx, recs)
		if failed == nil {
			return nil
		}
		_, err := j.settle(ctx, j.row, func(r *Row) { j.emit(r, j.about, o) })
		if err == nil {
			j.log.WarnContext(ctx, "kafka does not take a result: it is a fact of its row now", "attempt", j.row.AttemptID, "error", failed)
		}
		if errors.Is(err, errMoved) || errors.Is(err, store.ErrNotFound) {
			return failed // another made it unknown: the late word can only be published
		}
		return err
	})
}

// settle changes a row if it is still in the hands of the call that ours is; errMoved if not.
func (o *owner) settle(ctx context.Context, row *Row, change func(*Row)) (*Row, error) {
	return o.rows.Update(ctx, row.ID, func(r *Row) error {
		if r.State != Calling || r.Token != row.Token {
			return errMoved
		}
		change(r)
		return nil
	})
}

func (o *owner) publish(ctx context.Context, recs []event.Record) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timing.Publish)
	defer cancel()
	return o.Bus.Publish(ctx, recs...)
}

// giveUp ends a call that nobody of this process makes, after its deadline, if it is still that very call (rule REVCHECK): it
// becomes unknown, or waits again where it can be repeated. It returns the row as it then is.
func (o *owner) giveUp(ctx context.Context, seen *Row, p part, repeatable bool) (*Row, error) {
	s := next(seen, known{abandoned: true, repeatable: repeatable}, o.Now())
	var row *Row
	err := o.insist(ctx, func() (err error) {
		row, err = o.rows.Update(ctx, seen.ID, func(r *Row) error {
			if r.Rev() != seen.Rev() {
				return store.Unchanged
			}
			o.letGo(r, p, s)
			return nil
		})
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		gone := *seen
		gone.State = Expired
		return &gone, nil
	}
	if err == nil && row.State == Unknown {
		o.metrics.settled(ctx, row.State, row.Error)
	}
	return row, err
}

// apply publishes the result of a final row at once, should whoever wrote it not have come to it. If that fails, a sweeper will.
func (o *owner) apply(ctx context.Context, row *Row) {
	if len(row.Pending) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timing.Publish)
	defer cancel()
	if err := o.rows.Apply(ctx, row.ID); err != nil {
		o.quiet.Do(func() { o.log.WarnContext(ctx, "results are left to be swept", "row", row.ID, "error", err) })
	}
}

// pause is how long a row waits after a refusal, at most due.Longest whatever the provider says.
func (w *Worker) pause(why *fault.Error, tries int) time.Duration {
	return min(max(why.After, w.backoff(tries)), due.Longest)
}
