package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Why a record is a dead letter.
const (
	reasonUndecodable = "undecodable" // not an event of ours
	reasonPoison      = "poison"      // the handler said Invalid
	reasonExhausted   = "exhausted"   // still failing after the subscription's patience
)

// work handles one record until it is done: handled, or among the dead letters. false means that the generation ended first; the
// record stays open and will be read again.
func (p *partition) work(it item) bool {
	m, err := decode(it.record)
	reason, attempts, failed := reasonUndecodable, 0, time.Now()
	if err == nil {
		var v verdict
		if v = p.attempt(m, it.headers); v.stopped {
			return false
		}
		err, reason, attempts, failed = v.err, v.reason, v.attempts, v.failed
	}
	if err != nil && !p.bury(it.record, burial{reason: reason, err: err, attempts: attempts, failed: failed}) {
		return false
	}
	p.track.mark(it.entry)
	p.room.Release(it.weight)
	return true
}

// verdict is what became of a record: done if err is nil, a dead letter for reason, or stopped by the generation's end.
type verdict struct {
	err      error
	reason   string
	attempts int
	failed   time.Time // first
	stopped  bool
}

// attempt calls the handler until it succeeds, or until the record must be given up.
func (p *partition) attempt(m bus.Message, h headers) (v verdict) {
	pause := retryMin
	for {
		probe, ok := p.enter(m.Offset)
		if !ok {
			return verdict{stopped: true}
		}
		if !probe && p.gate.shut() { // while it waited for its slot
			p.leave()
			continue
		}
		v.attempts++
		v.err = p.call(m, h)
		p.leave()
		away := fault.Is(v.err, fault.Unavailable) && p.reading.Err() == nil
		p.gate.leave(probe, away)
		switch {
		case v.err == nil:
			return v
		case p.reading.Err() != nil:
			return verdict{stopped: true}
		case away:
			v.failed = time.Time{} // the record is not to blame: its patience begins anew
			continue
		case fault.Is(v.err, fault.Invalid):
			v.reason = reasonPoison
		}
		if v.failed.IsZero() {
			v.failed = time.Now()
			p.logger.Warn("record failed", "offset", m.Offset, "type", m.Event.Type, "event", m.Event.ID, "error", describe(v.err))
		}
		if v.reason == "" && time.Since(v.failed) >= p.sub.Patience {
			v.reason = reasonExhausted
		}
		if v.reason != "" {
			return v
		}
		sleep(p.reading, nil, min(max(jitter(pause), fault.Of(v.err).After), p.sub.Patience))
		pause = min(2*pause, retryMax)
	}
}

// enter waits until the handler may be called: for our store and broker, and for one of the subscription's slots. ok is false if
// the generation ended first; else the caller must leave the gate with the same probe, and the slot.
func (p *partition) enter(offset int64) (probe, ok bool) {
	if probe, ok = p.gate.enter(p.reading); !ok && !p.fills(offset) {
		return false, false
	}
	if p.slots != nil {
		select {
		case p.slots <- struct{}{}:
		case <-p.handling.Done():
			p.gate.leave(probe, probe)
			return false, false
		}
	}
	if !p.begin(offset) {
		p.leave()
		p.gate.leave(probe, probe)
		return false, false
	}
	return probe, true
}

// begin reports whether a record's handler may run, and notes how far handlers have come.
func (p *partition) begin(offset int64) bool {
	if p.reading.Err() != nil {
		return p.fills(offset)
	}
	for {
		top := p.top.Load()
		if offset <= top || p.top.CompareAndSwap(top, offset) {
			return true
		}
	}
}

// fills reports whether a record is handled although the generation has ended: others above it were, and whatever is done above a
// gap is not committed, so that the next owner would handle it again.
func (p *partition) fills(offset int64) bool {
	return offset <= p.top.Load() && !p.gate.shut() && p.handling.Err() == nil
}

func (p *partition) leave() {
	if p.slots != nil {
		<-p.slots
	}
}

// call runs the handler once, under its deadline, in a span, and survives its panic.
func (p *partition) call(m bus.Message, h headers) (err error) {
	ctx, cancel := context.WithTimeoutCause(p.handling, p.sub.Deadline, errDeadline)
	defer cancel()
	ctx, done := p.meter.processing(ctx, p.sub.Group, m, h)
	defer func() { done(err) }()
	defer recovered(&err, p.logger)
	if err = p.handle(ctx, m); err != nil && errors.Is(context.Cause(ctx), errDeadline) {
		err = fmt.Errorf("%w of %s: %w", errDeadline, p.sub.Deadline, err)
	}
	return err
}

var errDeadline = errors.New("bus: the handler did not end within the deadline")
