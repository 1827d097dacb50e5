package send

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// attempt is one record in its lane.
type attempt struct {
	*owner
	rendering
	msg    event.Outbound
	tenant string
	key    string
	offset int64
	token  string // of this handling of the record
	broken bool   // a part has failed: the later ones do too

	rendered int // parts of this rendering; an earlier one may have had more
}

func (a *attempt) about(n int) part { return part{a.tenant, a.msg, n, len(a.parts)} }

// part inserts the row of a part and does what the row then asks for. If the row is there already, the record has come again.
func (a *attempt) part(ctx context.Context, n int) error {
	row, permit := a.draft(n)
	defer permit.release()
	for {
		err := a.insist(ctx, func() error { return a.rows.Insert(ctx, row) })
		if err == nil {
			return a.inserted(ctx, row, permit)
		}
		if !errors.Is(err, store.ErrExists) {
			return err
		}
		var there *Row
		err = a.insist(ctx, func() (err error) { there, err = a.rows.Get(ctx, row.ID); return err })
		if errors.Is(err, store.ErrNotFound) {
			continue // it expired between the two looks
		}
		if err != nil {
			return err
		}
		return a.again(ctx, there, permit)
	}
}

// draft decides how the part begins: refused, expired, called at once, or waiting.
func (a *attempt) draft(n int) (*Row, *permit) {
	now := a.Now()
	row := &Row{
		AttemptID: a.msg.AttemptID, MessageID: a.msg.MessageID, ChannelID: a.msg.ChannelID, Part: n, Parts: len(a.parts), Key: a.key,
		Partition: a.at.Partition, Offset: a.offset, Digest: digest(a.parts[n]), SendBy: sendBy(a.msg, now), CreatedAt: event.At(now),
	}
	row.ID, row.Tenant, row.ExpiresAt = RowID(a.tenant, a.msg.AttemptID, n), a.tenant, row.SendBy.Add(keptFor)
	switch {
	case a.refusal != nil:
		a.emit(row, a.about(n), failure(Failed, a.refusal))
		return row, nil
	case n >= a.rendered:
		a.emit(row, a.about(n), failure(Failed, errChanged))
		return row, nil
	case a.broken:
		a.emit(row, a.about(n), failure(Failed, errEarlier))
		return row, nil
	case !now.Before(row.SendBy.Time):
		a.emit(row, a.about(n), failure(Expired, errExpired))
		return row, nil
	case a.table.has(a.key): // rule BUSY: something of the key is open, waiting or being called
		row.wait(a.msg, nil, 0, now)
		return row, nil
	}
	permit, _ := a.scope(a.ch.Channel).enter(a.key)
	if permit == nil {
		row.wait(a.msg, nil, 0, now)
		return row, nil
	}
	row.call(a.token, a.at.Generation, a.budget(a.msg), now)
	return row, permit
}

var (
	errEarlier = fault.New(fault.Gone, "earlier_part_failed", "an earlier part of the message failed, so this one was not sent")
	errChanged = fault.New(fault.Gone, "render_changed", "the message is rendered into another number of parts than when it was begun; send what is missing as a new message")
	errExpired = fault.New(fault.Gone, "send_expired", "it could not be sent in time")
)

// inserted goes on from a row that this try has made.
func (a *attempt) inserted(ctx context.Context, row *Row, p *permit) error {
	switch row.State {
	case Waiting:
		a.table.add(row)
		a.metrics.waited(ctx)
	case Calling:
		return a.call(ctx, row, p)
	default:
		a.broken = true
		a.metrics.settled(ctx, row.State, row.Error)
	}
	return nil
}

// again looks at a row that was there before.
func (a *attempt) again(ctx context.Context, row *Row, p *permit) error {
	for len(a.parts) < row.Parts { // every part that was once announced gets its result
		a.parts = append(a.parts, channel.Request{})
	}
	for {
		switch {
		case row.State.Final(): // its result was a fact of the write that ended it
			a.apply(ctx, row)
			a.broken = a.broken || row.State == Failed || row.State == Expired
			return nil
		case row.State == Waiting || row.Waited: // rule ADOPT: whoever had it may be gone
			a.table.add(row)
			return nil
		case row.Partition != a.at.Partition || row.Offset != a.offset: // rule COPYRULE
			return nil
		case row.Token == a.token && p != nil: // rule OWNWRITE: the store said it failed, and yet it is ours
			return a.call(ctx, row, p)
		}
		wait := due.Left(row.Deadline.Add(a.Timing.Margin).Time, a.Now(), row.allowed()+a.Timing.Margin)
		if err := a.patience(ctx, wait); err != nil { // rule DEADLINE
			return err
		}
		next, err := a.giveUp(ctx, row, a.about(row.Part), a.refusal == nil && a.repeatable(a.ch.Channel, a.parts[row.Part]))
		if err != nil {
			return err
		}
		row = next
	}
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

// patience waits; the key waits with it, no other does.
func (o *owner) patience(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return away(ctx.Err())
	case <-o.ctx.Done():
		return errStopped
	}
}

// giveUp ends a call that nobody of this process makes, after its deadline, if it is still that very call (rule REVCHECK): it
// becomes unknown, or waits again where it may be repeated. It returns the row as it then is.
func (o *owner) giveUp(ctx context.Context, seen *Row, p part, again bool) (*Row, error) {
	var row *Row
	err := o.insist(ctx, func() (err error) {
		row, err = o.rows.Update(ctx, seen.ID, func(r *Row) error {
			if r.Rev() != seen.Rev() {
				return store.Unchanged
			}
			if again {
				r.wait(p.msg, provider.Shown(errNoWord), 0, o.Now())
				return nil
			}
			o.emit(r, p, failure(Unknown, errNoWord))
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

var errNoWord = fault.New(fault.Unknown, "no_word", "whoever was sending it stopped without a word; it may have been sent")
