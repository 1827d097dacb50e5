package send

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// attempt is one record in its lane.
type attempt struct {
	*owner
	rendering
	msg    event.Outbound
	tenant string
	lane   string // of the record: channel|peer
	offset int64
	token  string // of this handling of the record
	of     int    // parts: of this rendering, or of an earlier one that had more
	broken bool   // a part has failed: the later ones do too
}

// run takes the parts of the attempt one after the other.
func (a *attempt) run(ctx context.Context) error {
	for n := 0; n < a.of; n++ { // it may turn out that there are more
		if a.msg.Skips(n) { // rule RESUME
			continue
		}
		if err := a.part(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (a *attempt) job(row *Row) *job {
	return &job{owner: a.owner, rendering: a.rendering, row: row, about: part{a.tenant, a.msg, row.Part, a.of}}
}

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

// draft makes the row of a part as it begins: ended, called at once, or waiting.
func (a *attempt) draft(n int) (*Row, *permit) {
	now := a.Now()
	row := &Row{
		AttemptID: a.msg.AttemptID, MessageID: a.msg.MessageID, ChannelID: a.msg.ChannelID, Part: n, Parts: a.of, Key: a.lane,
		Partition: a.at.Partition, Offset: a.offset, SendBy: sendBy(a.msg, now), CreatedAt: event.At(now),
	}
	row.ID, row.Tenant, row.ExpiresAt = RowID(a.tenant, a.msg.AttemptID, n), a.tenant, row.SendBy.Add(keptFor)
	j := a.job(row)
	k := j.known()
	k.broken = a.broken
	s := next(row, k, now)
	var p *permit
	if s.move == wait && !a.table.has(a.lane) { // rule BUSY: nothing of the lane is open, waiting or being called
		if p, _ = a.scope(a.ch.Channel).enter(a.lane); p != nil {
			k.open = true
			s = next(row, k, now)
		}
	}
	j.write(row, s, a.token)
	return row, p
}

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

// call makes the call of a fresh row.
func (a *attempt) call(ctx context.Context, row *Row, p *permit) error {
	ctx, cancel := a.outliving(ctx)
	defer cancel()
	j := a.job(row)
	v := a.deliver(ctx, row, j.about, a.rendering)
	p.judge(v)
	p.release()
	a.broken = a.broken || v.Finding == provider.Failed
	open, err := j.conclude(ctx, v)
	if err == nil && open != nil {
		a.table.add(open)
		a.metrics.waited(ctx)
	}
	return err
}

// again looks at a row that was there before.
func (a *attempt) again(ctx context.Context, row *Row, p *permit) error {
	a.of = max(a.of, row.Parts) // every part that was once announced gets its result
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
		left := due.Left(row.Deadline.Add(a.Timing.Margin).Time, a.Now(), row.allowed()+a.Timing.Margin)
		if err := a.patience(ctx, left); err != nil { // rule DEADLINE
			return err
		}
		j := a.job(row)
		changed, err := a.giveUp(ctx, row, j.about, j.known().repeatable)
		if err != nil {
			return err
		}
		row = changed
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
