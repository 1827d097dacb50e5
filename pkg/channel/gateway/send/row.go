package send

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Row is one part of one attempt to send a message.
type Row struct {
	dispatch.Row
	AttemptID string `json:"attempt_id"`
	MessageID string `json:"message_id"`
	ChannelID string `json:"channel_id"`

	Status event.DeliveryStatus `json:"status,omitempty"` // outcome, where it is written
	Refs   []string             `json:"external_ids,omitempty"`

	Outbound *event.Outbound `json:"outbound,omitempty"` // while it is open and has waited
}

// Scope implements dispatch.Doc: what a channel may do is its own.
func (r *Row) Scope() string { return r.ChannelID }

// Bulk implements dispatch.Doc: a message of a broadcast lets others of its channel go first.
func (r *Row) Bulk() bool { return r.Outbound != nil && r.Outbound.By.Kind == "broadcast" }

// Spec declares the collection of send rows of a type.
func Spec(t event.ChannelType) store.Spec { return dispatch.Spec("sends_" + string(t)) }

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
