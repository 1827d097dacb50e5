package dispatch

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// The machine decides what happens to a row; lanes and drainers do it. Its rules are those of docs/models/outbound.pml.

// move is what is done with a row.
type move uint8

// The moves.
const (
	stay move = iota // nothing: the row is as it must be
	call             // it is written as being called, then called
	wait             // it waits until a drainer takes it
	end              // it ends with an outcome
)

// step is a move with what it needs.
type step struct {
	move    move
	outcome Outcome      // of an end
	written bool         // an end is written into the row, with its result as a fact (rules OUTCOME, FACT); else the result is only published
	why     *fault.Error // why it waits; nil: it was not called yet
	pause   bool         // it waits for a while: it was refused
	lingers bool         // and at least until the deadline of its call, as that may still arrive
}

// known is what is known about a part besides its row.
type known struct {
	refusal    *fault.Error // why the message must not be sent
	missing    bool         // the rendering does not have the part
	broken     bool         // an earlier part of the attempt failed or expired
	open       bool         // the key has no earlier open row, and the scope has room for a call
	repeatable bool         // a call of unknown outcome can be made again
	keyless    bool         // and the other side does not know the repetition by a key: its effect is that of the first call, whenever it arrives

	verdict   *Verdict // of our own call
	lost      bool     // the row is not in the hands of our call any more, or is gone
	abandoned bool     // another's call has not ended by its deadline
}

// next returns what is done with a row now. It is pure. A row that is not stored yet has no state; one that is gone is nil.
func next(row *Row, k known, now time.Time) step {
	switch {
	case k.verdict != nil && k.lost:
		return lateWord(row, k)
	case k.verdict != nil:
		return answered(row, k)
	case row.State == Calling && k.abandoned && k.repeatable:
		return step{move: wait, why: errNoWord}
	case row.State == Calling && k.abandoned: // rule WRITEUNKNOWN
		return step{move: end, outcome: failure(Unknown, errNoWord), written: true}
	case row.State == Calling || row.State.Final() && row.State != "":
		return step{}
	}
	switch { // it waits, or is not there yet
	case k.refusal != nil:
		return step{move: end, outcome: failure(Failed, k.refusal), written: true}
	case k.missing:
		return step{move: end, outcome: failure(Failed, ErrChanged), written: true}
	case k.broken:
		return step{move: end, outcome: failure(Failed, errEarlier), written: true}
	case !now.Before(row.SendBy.Time): // rule EXPIREWAITING: nothing else expires
		return step{move: end, outcome: failure(Expired, errExpired), written: true}
	case k.open:
		return step{move: call}
	case row.State == "":
		return step{move: wait}
	}
	return step{}
}

// answered is what follows our own call of a row that is still in its hands.
func answered(row *Row, k known) step {
	v := k.verdict
	switch {
	case v.Finding == Deferred:
		return step{move: wait, why: v.Err, pause: true}
	case v.Finding == Unsure && k.repeatable: // rule LINGER
		return step{move: wait, why: v.Err, pause: true, lingers: k.keyless}
	}
	o := outcomeOf(v)
	// A fast end is one write less: the row stays as it was when it was called. What has waited ends in its row, as nothing else would
	// reveal it; a failure, where later parts and those who handle them must find it; and what has no key, as a record that comes again would
	// have it called again, after what was called since (rule DONE).
	return step{move: end, outcome: o, written: row.Waited || k.keyless || o.State == Failed && row.Part < row.Parts-1}
}

// lateWord is what follows our own call of a row that another has taken on: what only we know is published.
func lateWord(row *Row, k known) step {
	o := outcomeOf(k.verdict)
	switch {
	case row != nil && !row.State.Final() && o.State != Sent: // it is called again, or will be
		return step{}
	case row != nil && row.State.Final() && (row.State != Unknown || o.State == Unknown):
		return step{}
	}
	return step{move: end, outcome: o}
}

// outcomeOf is what a verdict means for a part that is not called again.
func outcomeOf(v *Verdict) Outcome {
	switch v.Finding {
	case Taken:
		return Outcome{State: Sent, Answer: v.Answer}
	case Unsure:
		return failure(Unknown, v.Err)
	}
	return failure(Failed, v.Err)
}

// ErrChanged says that a task has another number of parts than when it was begun.
var ErrChanged = fault.New(fault.Gone, "render_changed",
	"it is made of another number of parts than when it was begun; send what is missing as a new message")

var (
	errEarlier = fault.New(fault.Gone, "earlier_part_failed", "an earlier part failed, so this one was not sent")
	errExpired = fault.New(fault.Gone, "send_expired", "it could not be sent in time")
	errNoWord  = fault.New(fault.Unknown, "no_word", "whoever was sending it stopped without a word; it may have been sent")
	errLate    = fault.New(fault.Unavailable, "too_late", "the time for this call was over before it began")
)
