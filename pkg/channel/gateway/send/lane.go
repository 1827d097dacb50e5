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

// call makes the call of a fresh row in its lane and says what came of it.
func (a *attempt) call(ctx context.Context, row *Row, p *permit) error {
	ctx, cancel := a.outliving(ctx)
	defer cancel()
	v := a.deliver(ctx, row, a.about(row.Part), a.rendering)
	p.judge(v)
	p.release()
	switch v.Finding {
	case provider.Taken:
		return a.say(ctx, row, outcome{state: Sent, status: v.Status, refs: v.Refs, peer: v.Peer})
	case provider.Failed:
		a.broken = true
		o := failure(Failed, v.Err)
		if row.Part < len(a.parts)-1 { // the later parts, and whoever handles them after us, must find it
			return a.write(ctx, row, o)
		}
		return a.say(ctx, row, o)
	case provider.Unsure:
		if a.repeatable(a.ch.Channel, a.parts[row.Part]) {
			return a.postpone(ctx, row, v.Err)
		}
		return a.say(ctx, row, failure(Unknown, v.Err))
	}
	return a.postpone(ctx, row, v.Err)
}

// say publishes a result. The row stays as it is: for a send that is done at once there is one write. Only if Kafka does not take
// the result, it goes into the row as a fact.
func (a *attempt) say(ctx context.Context, row *Row, o outcome) error {
	a.metrics.settled(ctx, o.state, o.err)
	recs := a.records(a.about(row.Part), o)
	return a.persist(ctx, func() error {
		failed := a.publish(ctx, recs)
		if failed == nil {
			return nil
		}
		_, err := a.settle(ctx, row, func(r *Row) { a.emit(r, a.about(row.Part), o) })
		if err == nil {
			a.log.WarnContext(ctx, "kafka does not take a result: it is a fact of its row now", "attempt", a.msg.AttemptID, "error", failed)
		}
		if errors.Is(err, errMoved) || errors.Is(err, store.ErrNotFound) {
			return failed // another made it unknown: the late word can only be published
		}
		return err
	})
}

// write makes the outcome the row's, with its result as a fact; if another has ended the row, it is only said.
func (a *attempt) write(ctx context.Context, row *Row, o outcome) error {
	err := a.persist(ctx, func() error {
		_, err := a.settle(ctx, row, func(r *Row) { a.emit(r, a.about(row.Part), o) })
		return err
	})
	if errors.Is(err, errMoved) || errors.Is(err, store.ErrNotFound) {
		return a.say(ctx, row, o)
	}
	a.metrics.settled(ctx, o.state, o.err)
	return err
}

// postpone lets the row wait: it surely did not arrive, or it may be repeated.
func (a *attempt) postpone(ctx context.Context, row *Row, why *fault.Error) error {
	pause := a.pause(why, row.Tries)
	var waiting *Row
	err := a.persist(ctx, func() (err error) {
		waiting, err = a.settle(ctx, row, func(r *Row) { r.wait(a.msg, provider.Shown(why), pause, a.Now()) })
		return err
	})
	if errors.Is(err, errMoved) {
		return a.overtaken(ctx, row, why)
	}
	if err == nil {
		a.table.add(waiting)
		a.metrics.waited(ctx)
	}
	return err
}

// overtaken goes on from a row that is not in the hands of our call any more. Either our own write did it, although the store
// said that it failed; or another gave our call up, and the late word is that nothing was sent.
func (a *attempt) overtaken(ctx context.Context, row *Row, why *fault.Error) error {
	var there *Row
	err := a.persist(ctx, func() (err error) { there, err = a.rows.Get(ctx, row.ID); return err })
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	case err == nil && there.State != Unknown:
		return a.again(ctx, there, nil)
	case why.Kind == fault.Unknown:
		return a.say(ctx, row, failure(Unknown, why))
	}
	return a.say(ctx, row, failure(Failed, why))
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

// pause is how long a row waits after a refusal, at most due.Longest whatever the provider says.
func (w *Worker) pause(why *fault.Error, tries int) time.Duration {
	return min(max(why.After, w.backoff(tries)), due.Longest)
}
