package dispatch

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// State is how far a part has come.
type State string

// The states. Waiting and Calling are open, the others final. A part that was called at once and answered stays
// Calling: its result is published, and a second write would say nothing more.
const (
	Waiting State = "waiting"
	Calling State = "calling"
	Sent    State = "sent"
	Failed  State = "failed"
	Unknown State = "unknown"
	Expired State = "expired"
)

// Final reports whether nothing of the row will change any more.
func (s State) Final() bool { return s != Waiting && s != Calling }

// KeptFor is how long rows outlive the time that they may wait.
const KeptFor = 7 * 24 * time.Hour

// Row is what the engine keeps of one part of one task; the rows of a kind embed it.
type Row struct {
	store.Meta
	Part      int    `json:"part"`
	Parts     int    `json:"parts"`
	Key       string `json:"key"` // the record's lane. Its name is from when that was the record's key, too
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"` // of the record that made the row; a record elsewhere is a copy (rule COPYRULE)

	State      State      `json:"state"`
	Waited     bool       `json:"waited,omitempty"`     // it has waited: its outcome is written here, and said as a fact
	Token      string     `json:"token,omitempty"`      // of the call under way: who wrote it knows it again (rule OWNWRITE)
	Generation int32      `json:"generation,omitempty"` // of the group, when it was called
	Deadline   event.Time `json:"deadline,omitzero"`    // no byte of the call leaves after it
	SendBy     event.Time `json:"send_by"`              // a row that still waits then expires
	Tries      int        `json:"tries,omitempty"`
	NextAt     event.Time `json:"next_at,omitzero"` // waiting: not before

	Error *event.Error `json:"error,omitempty"` // why it waits, or why it ended so
	Trace string       `json:"trace,omitempty"` // of the record, for calls later on

	OpenOffset *int64     `json:"open_offset,omitempty"` // while it is open and has waited: makes it found by the next owner
	CreatedAt  event.Time `json:"created_at"`
	UpdatedAt  event.Time `json:"updated_at"`
}

// Core implements a part of [Doc].
func (r *Row) Core() *Row { return r }

// Spec declares a collection of rows.
func Spec(name string) store.Spec {
	return store.Spec{Name: name, Facts: true, Expires: true, Indexes: []store.Index{
		{Name: "open", Fields: []string{"partition", "open_offset"}, Sparse: true},
	}}
}

// wait lets the row be drained after a pause, by whoever owns its partition then. The pause is counted from the same reading of
// the clock that the row says it was written at, so that a clock set between two readings cannot make it longer.
func (r *Row) wait(why *event.Error, pause time.Duration, now time.Time) {
	offset := r.Offset
	r.State, r.Waited, r.Token, r.OpenOffset = Waiting, true, "", &offset
	r.Error, r.NextAt, r.UpdatedAt = why, event.Time{}, event.At(now)
	if pause > 0 {
		r.NextAt = event.At(now.Add(pause))
	}
}

// call gives the row to the caller with this token, for so long; it is counted like a pause.
func (r *Row) call(token string, generation int32, budget time.Duration, now time.Time) {
	r.State, r.Token, r.Generation, r.Deadline, r.UpdatedAt = Calling, token, generation, event.At(now.Add(budget)), event.At(now)
	r.Tries++
}

// allowed is how long the row may be left as it is: its pause if it waits, else the time of its call. It was written at
// UpdatedAt, by the same clock.
func (r *Row) allowed() time.Duration {
	if r.State == Waiting {
		return r.NextAt.Sub(r.UpdatedAt.Time)
	}
	return r.Deadline.Sub(r.UpdatedAt.Time)
}

// end makes the row final.
func (r *Row) end(o Outcome, now time.Time) {
	r.State, r.Error, r.UpdatedAt = o.State, o.Err, event.At(now)
	r.Token, r.OpenOffset, r.NextAt = "", nil, event.Time{}
}

// Outcome is what became of a part.
type Outcome struct {
	State  State // a final one
	Err    *event.Error
	Answer any // of the verdict, if the part was sent
}

// Code returns the code of the error; empty for none.
func (o Outcome) Code() string {
	if o.Err == nil {
		return ""
	}
	return o.Err.Code
}

func failure(state State, fe *fault.Error) Outcome {
	return Outcome{State: state, Err: fe.Shown()}
}
