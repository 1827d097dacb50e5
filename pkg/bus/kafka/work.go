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

// together is how many records of a key are handled together at most.
const together = 64

// work handles records of one key until they are done: handled, or among the dead letters. false means that the generation ended
// first; what is left stays open and will be read again.
func (p *partition) work(items []item) bool {
	for len(items) > 0 {
		done := p.handleTogether(items)
		for _, it := range items[:done] {
			p.finish(it)
		}
		items = items[done:]
		if len(items) == 0 {
			return true
		}
		if !p.handleAlone(items[0]) {
			return false
		}
		items = items[1:]
	}
	return true
}

// handleTogether offers records to the subscription's handler of many, and returns how many of the first it has done. What comes
// next is handled alone, which is where failures are dealt with.
func (p *partition) handleTogether(items []item) (done int) {
	if p.sub.Together == nil || len(items) < 2 {
		return 0
	}
	ms := make([]bus.Message, 0, len(items))
	for _, it := range items {
		m, err := decode(it.record)
		if err != nil || (p.reading.Err() != nil && !p.fills(m.Offset)) {
			break
		}
		ms = append(ms, m)
	}
	if len(ms) < 2 {
		return 0
	}
	probe, ok := p.enter(ms[len(ms)-1].Offset)
	if !ok {
		return 0
	}
	defer func() { p.leave(); p.gate.leave(probe, probe && done == 0) }()
	ctx, cancel := context.WithTimeoutCause(p.handling, p.sub.Deadline, errDeadline)
	defer cancel()
	ctx, end := p.meter.processing(ctx, p.sub.Group, ms[0], items[0].headers)
	linkTo(ctx, items[1:len(ms)])
	var err error
	defer func() { end(done, err) }()
	defer recovered(ctx, &err, p.logger)
	done = p.sub.Together(ctx, ms)
	return done
}

// handleAlone handles one record until it is done. false means that the generation ended first.
func (p *partition) handleAlone(it item) bool {
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
	p.finish(it)
	return true
}

// finish notes that a record is done.
func (p *partition) finish(it item) {
	p.track.mark(it.entry)
	p.room.Release(it.weight)
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
			p.logger.WarnContext(about(p.handling, m, h), "record failed", "offset", m.Offset, "type", m.Event.Type, "error", describe(v.err))
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
	defer func() { done(1, err) }()
	defer recovered(ctx, &err, p.logger)
	if err = p.handle(ctx, m); err != nil && errors.Is(context.Cause(ctx), errDeadline) {
		err = fmt.Errorf("%w of %s: %w", errDeadline, p.sub.Deadline, err)
	}
	return err
}

var errDeadline = errors.New("bus: the handler did not end within the deadline")
