// Package send is the outbound worker of a channel service: it delivers the messages on tributary.outbound.<type>.
//
// The protocol is docs/models/outbound.pml, where it is checked; the names of its rules stand in the comments (rule
// BUSY …). In short: every part of an attempt has a send row, inserted as calling before the first byte leaves. A lane
// (one key of one partition) calls at once if nothing of its key is open and the channel has room; otherwise the row
// waits and the lane goes on. Drainers take waiting rows, in order within the key, channel by channel. Whoever finds a
// row in the hands of another waits for its deadline and then makes it unknown by compare-and-set: nothing is called
// twice (promise P7).
package send

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// State is how far a part has come.
type State string

// The states. Waiting and Calling are open, the others final. A part that was called at once and answered stays
// Calling: its result is on tributary.receipts, and a second write would say nothing more.
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

const (
	sendFor = 72 * time.Hour     // how long a row may wait if the message does not say
	keptFor = 7 * 24 * time.Hour // how long rows outlive that
)

// Row is one part of one attempt to send a message.
type Row struct {
	store.Meta
	AttemptID string `json:"attempt_id"`
	MessageID string `json:"message_id"`
	ChannelID string `json:"channel_id"`
	Part      int    `json:"part"`
	Parts     int    `json:"parts"`
	Key       string `json:"key"` // the record's lane: channel|peer. Its name is from when that was the record's key, too
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

	Status event.DeliveryStatus `json:"status,omitempty"` // outcome, where it is written
	Refs   []string             `json:"external_ids,omitempty"`
	Error  *event.Error         `json:"error,omitempty"` // why it waits, or why it ended so

	Outbound   *event.Outbound `json:"outbound,omitempty"`    // while it is open and has waited
	OpenOffset *int64          `json:"open_offset,omitempty"` // as long as Outbound: makes it found by the next owner
	CreatedAt  event.Time      `json:"created_at"`
	UpdatedAt  event.Time      `json:"updated_at"`
}

// Spec declares the collection of send rows of a type.
func Spec(t event.ChannelType) store.Spec {
	return store.Spec{Name: "sends_" + string(t), Facts: true, Expires: true, Indexes: []store.Index{
		{Name: "open", Fields: []string{"partition", "open_offset"}, Sparse: true},
	}}
}

// RowID is the id of the row of one part.
func RowID(tenant, attempt string, part int) string {
	return event.DeriveID("snd", tenant, attempt, strconv.Itoa(part))
}

// Rows returns the rows of an attempt's parts, in their order, without those that were not begun or that the attempt leaves out. Other
// services read them for people to see; only the worker writes them.
func Rows(ctx context.Context, db store.DB, t event.ChannelType, tenant, attempt string, parts int) ([]*Row, error) {
	ids := make([]string, parts)
	for n := range ids {
		ids[n] = RowID(tenant, attempt, n)
	}
	rows, err := store.NewCollection[Row](db, Spec(t)).GetMany(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("send rows of attempt %s: %w", attempt, err)
	}
	return slices.DeleteFunc(rows, func(r *Row) bool { return r == nil }), nil
}

// wait lets the row be drained after a pause, by whoever owns its partition then. The pause is counted from the same reading of
// the clock that the row says it was written at, so that a clock set between two readings cannot make it longer.
func (r *Row) wait(msg event.Outbound, why *event.Error, pause time.Duration, now time.Time) {
	offset := r.Offset
	r.State, r.Waited, r.Token, r.Outbound, r.OpenOffset = Waiting, true, "", &msg, &offset
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
func (r *Row) end(o outcome, now time.Time) {
	r.State, r.Status, r.Refs, r.Error, r.UpdatedAt = o.state, o.status, o.refs, o.err, event.At(now)
	r.Token, r.Outbound, r.OpenOffset, r.NextAt = "", nil, nil, event.Time{}
}

// outcome is what became of a part.
type outcome struct {
	state  State
	status event.DeliveryStatus
	refs   []string
	err    *event.Error
	peer   string // the provider's canonical id of the recipient
	// aliases are other ids of the recipient that the answer proved
	aliases []string
}

func failure(state State, fe *fault.Error) outcome {
	status := event.Failed
	if state == Unknown {
		status = event.Unsure
	}
	return outcome{state: state, status: status, err: provider.Shown(fe)}
}
