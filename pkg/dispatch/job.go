package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// job is a row in the hands of a lane or a drainer: what both do with it.
type job[R Doc] struct {
	*Owner[R]
	task *Task[R]
	doc  R
	of   int // parts that its results are said to have
}

// known is what the task says about the part.
func (j *job[R]) known() known {
	n := j.doc.Core().Part
	k := known{refusal: j.task.Refuse, missing: n >= len(j.task.Parts)}
	if k.refusal == nil && !k.missing {
		k.repeatable, k.keyless = j.task.Parts[n].Repeatable, j.task.Parts[n].Keyless
	}
	return k
}

// write makes a step the row's.
func (j *job[R]) write(doc R, s step, token string) {
	row, now := doc.Core(), j.Now()
	switch s.move {
	case call:
		row.call(token, j.At.Generation, j.task.Budget, now)
	case wait:
		var pause time.Duration
		if s.pause {
			pause = j.pause(s.why, row.Tries)
		}
		if s.lingers {
			pause = max(pause, due.Left(row.Deadline.Time, now, row.allowed()))
		}
		row.wait(s.why.Shown(), pause, now)
		j.task.Calls.Keep(doc)
	case end:
		j.emit(doc, s.outcome)
	}
}

// emit makes the outcome the row's, and its result a fact of the same write (rules OUTCOME, FACT).
func (j *job[R]) emit(doc R, o Outcome) {
	row := doc.Core()
	row.end(o, j.Now())
	j.task.Calls.Done(doc, o)
	for _, rec := range j.records(o) {
		row.Emit(rec.Topic, rec.Key, rec.Event)
	}
}

func (j *job[R]) records(o Outcome) []event.Record {
	return j.task.Calls.Records(j.doc.Core().Part, j.of, o)
}

// deliver makes the call of the row. It goes on when the partition is lost or the handler is abandoned: only its deadline ends it.
func (j *job[R]) deliver(ctx context.Context) Verdict {
	row, began := j.doc.Core(), time.Now() // before the clock is read: a process that is held up in between has less time left, never more
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), began.Add(due.Left(row.Deadline.Time, j.Now(), row.allowed())))
	defer cancel()
	if ctx.Err() != nil { // too late: no byte has left
		return Verdict{Finding: Deferred, Err: errLate}
	}
	return j.task.Calls.Call(ctx, row.Part)
}

// conclude does what follows from the verdict of our own call. It returns the row if that is still open.
func (j *job[R]) conclude(ctx context.Context, v Verdict) (left R, open bool, err error) {
	k := j.known()
	k.verdict = &v
	s := next(j.doc.Core(), k, j.Now())
	if s.move == end && !s.written {
		return left, false, j.publishEnd(ctx, s.outcome)
	}
	err = j.persist(ctx, func() (err error) {
		left, err = j.settle(ctx, func(doc R) { j.write(doc, s, "") })
		return err
	})
	switch {
	case errors.Is(err, errMoved) || errors.Is(err, store.ErrNotFound):
		return j.overtaken(ctx, k)
	case err != nil:
		return left, false, err
	case s.move == end:
		j.settled(ctx, left.Core())
		return left, false, nil
	}
	return left, true, nil
}

// overtaken goes on from a row that is not in the hands of our call any more. Either our own write did it, although the store
// returned an error; or another gave our call up, and only we know what became of it.
func (j *job[R]) overtaken(ctx context.Context, k known) (left R, open bool, err error) {
	var row *Row // nil: it is gone
	err = j.persist(ctx, func() (err error) { left, err = j.Rows.Get(ctx, j.doc.Core().ID); return err })
	switch {
	case err == nil:
		row = left.Core()
	case !errors.Is(err, store.ErrNotFound):
		return left, false, err
	}
	k.lost = true
	if s := next(row, k, j.Now()); s.move == end {
		if err := j.publishEnd(ctx, s.outcome); err != nil {
			return left, false, err
		}
	}
	switch {
	case row == nil:
		return left, false, nil
	case row.State.Final():
		j.apply(ctx, row)
		return left, false, nil
	}
	return left, true, nil // rule KEEP
}

// publishEnd publishes a result. The row stays as it is: for a call that is done at once there is one write. Only if Kafka does not
// take the result, it goes into the row as a fact.
func (j *job[R]) publishEnd(ctx context.Context, o Outcome) error {
	j.Metrics.Settled(ctx, o.State, o.Code())
	recs := j.records(o)
	return j.persist(ctx, func() error {
		failed := j.publish(ctx, recs)
		if failed == nil {
			return nil
		}
		_, err := j.settle(ctx, func(doc R) { j.emit(doc, o) })
		if err == nil {
			j.log.WarnContext(ctx, "kafka does not take a result: it is a fact of its row now", "row", j.doc.Core().ID, "error", failed)
		}
		if errors.Is(err, errMoved) || errors.Is(err, store.ErrNotFound) {
			return failed // another made it unknown: the late word can only be published
		}
		return err
	})
}

// settle changes the row if it is still in the hands of the call that ours is; errMoved if not.
func (j *job[R]) settle(ctx context.Context, change func(R)) (R, error) {
	row := j.doc.Core()
	return j.Rows.Update(ctx, row.ID, func(doc R) error {
		if r := doc.Core(); r.State != Calling || r.Token != row.Token {
			return errMoved
		}
		change(doc)
		return nil
	})
}

func (o *Owner[R]) publish(ctx context.Context, recs []event.Record) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timing.Publish)
	defer cancel()
	return o.Bus.Publish(ctx, recs...)
}

// giveUp ends a call that nobody of this process makes, after its deadline, if it is still that very call (rule REVCHECK): it
// becomes unknown, or waits again where it can be repeated. It returns the row as it then is.
func (j *job[R]) giveUp(ctx context.Context) (R, error) {
	k, seen := j.known(), j.doc.Core()
	s := next(seen, known{abandoned: true, repeatable: k.repeatable}, j.Now())
	var doc R
	err := j.insist(ctx, func() (err error) {
		doc, err = j.Rows.Update(ctx, seen.ID, func(doc R) error {
			if doc.Core().Rev() != seen.Rev() {
				return store.Unchanged
			}
			j.write(doc, s, "")
			return nil
		})
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		seen.State = Expired
		return j.doc, nil
	}
	if err == nil && doc.Core().State == Unknown {
		j.settled(ctx, doc.Core())
	}
	return doc, err
}

// settled counts a row that has ended.
func (o *Owner[R]) settled(ctx context.Context, row *Row) {
	o.Metrics.Settled(ctx, row.State, Outcome{Err: row.Error}.Code())
}

// apply publishes the result of a final row at once, should whoever wrote it not have come to it. If that fails, a sweeper will.
func (o *Owner[R]) apply(ctx context.Context, row *Row) {
	if len(row.Pending) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timing.Publish)
	defer cancel()
	if err := o.Rows.Apply(ctx, row.ID); err != nil {
		o.quiet.Do(func() { o.log.WarnContext(ctx, "results are left to be swept", "row", row.ID, "error", err) })
	}
}
