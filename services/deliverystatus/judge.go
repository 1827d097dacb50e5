package deliverystatus

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

// How long documents live after their last change.
const (
	unclaimedFor = 24 * time.Hour      // steps that no attempt claims
	keptFor      = 90 * 24 * time.Hour // everything else: providers report late, people look back
)

// judge turns send results, receipts, watermarks and echoes into statuses. Every handler may run again, at once, in any order.
type judge struct {
	receipts   *store.Collection[receipt]
	attempts   *store.Collection[attempt]
	watermarks *store.Collection[watermark]
	now        func() time.Time
	unclaimed  metric.Int64Counter
}

// handle implements bus.Handler for tributary.receipts, and for the echoes on tributary.inbound.
func (j *judge) handle(ctx context.Context, m bus.Message) error {
	switch m.Event.Type {
	case event.SendSettled:
		r, err := event.Decode[event.SendResult](m.Event)
		if err != nil {
			return fault.New(fault.Invalid, "bad_event", "%w", err)
		}
		return j.settled(ctx, m.Event.Tenant, r)
	case event.ReceiptReceived, event.MessageEchoed:
		in, err := event.Decode[event.Inbound](m.Event)
		if err != nil {
			return fault.New(fault.Invalid, "bad_event", "%w", err)
		}
		in.Type = m.Event.Type
		return j.reported(ctx, m.Event.Tenant, in)
	case event.ReceiptWatermark:
		in, err := event.Decode[event.Inbound](m.Event)
		if err != nil {
			return fault.New(fault.Invalid, "bad_event", "%w", err)
		}
		return j.watermark(ctx, m.Event.Tenant, in)
	}
	return nil
}

// settled handles a send result. For every provider id one Update sets the link and takes the steps that are held already;
// then the attempt; and only then the watermark is read (R1–R3).
func (j *judge) settled(ctx context.Context, tenant string, r event.SendResult) error {
	own := event.Step{Status: r.Status, At: r.At, Source: "send", Error: r.Error}
	held := map[string][]event.Step{}
	for _, id := range r.ExternalIDs {
		doc, err := j.onReceipt(ctx, tenant, r.ChannelID, id, func(d *receipt) bool {
			fresh := d.take(own)
			if d.Link == nil {
				d.Link, fresh = &link{AttemptID: r.AttemptID, Part: r.Part, At: r.At}, true
			}
			return fresh
		})
		if err != nil {
			return err
		}
		held[id] = doc.Steps
	}
	if len(held) == 0 {
		held[""] = []event.Step{own}
	}
	a, err := j.onAttempt(ctx, tenant, r.AttemptID, func(a *attempt) bool {
		fresh := a.identify(r)
		if fresh {
			a.Trace = traceparent.Of(ctx)
		}
		for _, id := range ordered(r.ExternalIDs) {
			i := a.find(r.Part, id)
			if a.Units[i].At.IsZero() {
				a.Units[i].At = r.At
			}
			for _, s := range held[id] {
				fresh = a.add(i, s) || fresh
			}
		}
		return fresh
	})
	if err != nil || r.Action != "" {
		return err
	}
	return j.cover(ctx, tenant, r.ChannelID, r.Peer, a)
}

// ordered is the ids of a result, or the one empty id of a result without.
func ordered(ids []string) []string {
	if len(ids) == 0 {
		return []string{""}
	}
	return ids
}

// reported handles a receipt, or an echo of what may be ours: one Update of the provider id's document, then the attempt's.
func (j *judge) reported(ctx context.Context, tenant string, in event.Inbound) error {
	if in.ExternalID == "" {
		return nil
	}
	s := event.Step{Status: event.Sent, At: in.ProviderAt, Source: "echo"}
	claimed := (*link)(nil)
	if in.Type == event.ReceiptReceived {
		if in.Receipt == nil {
			return fault.New(fault.Invalid, "bad_event", "a receipt without its section")
		}
		s.Status, s.Source, s.Error, s.Via = in.Receipt.Status, "receipt", in.Receipt.Error, in.Receipt.Via
		if id, part, ok := channel.ParseClientRef(in.Receipt.ClientRef); ok {
			claimed = &link{AttemptID: id, Part: part, At: event.At(j.now())}
		}
	}
	if s.At.IsZero() {
		s.At = event.At(j.now())
	}
	doc, err := j.onReceipt(ctx, tenant, in.ChannelID, in.ExternalID, func(d *receipt) bool {
		fresh := d.take(s)
		if d.Link == nil && claimed != nil {
			d.Link, fresh = claimed, true
		}
		return fresh
	})
	if err != nil {
		return err
	}
	if doc.Link == nil {
		j.unclaimed.Add(ctx, 1)
		return nil
	}
	_, err = j.onAttempt(ctx, tenant, doc.Link.AttemptID, func(a *attempt) bool {
		i, fresh := a.find(doc.Link.Part, in.ExternalID), false
		for _, held := range doc.Steps { // also those of a handler that died between its two documents
			fresh = a.add(i, held) || fresh
		}
		return fresh
	})
	if err != nil {
		return err
	}
	if in.Receipt != nil && in.Receipt.Status == event.Read && !in.Receipt.UpTo.IsZero() {
		return j.watermark(ctx, tenant, in)
	}
	return nil
}

// watermark raises the peer's mark, then looks for the attempts it covers.
func (j *judge) watermark(ctx context.Context, tenant string, in event.Inbound) error {
	if in.Receipt == nil {
		return fault.New(fault.Invalid, "bad_event", "a watermark without its section")
	}
	upTo := in.Receipt.UpTo
	if upTo.IsZero() && in.ExternalID != "" { // up to and including a message: its time, once it is known
		doc, err := j.onReceipt(ctx, tenant, in.ChannelID, in.ExternalID, func(d *receipt) bool {
			return d.take(event.Step{Status: in.Receipt.Status, At: event.At(j.now()), Source: "watermark"})
		})
		if err != nil || doc.Link == nil {
			return err // the send result that brings the link finds the step, and raises the mark
		}
		upTo = doc.Link.At
	}
	if upTo.IsZero() {
		return nil
	}
	return j.raise(ctx, tenant, in.ChannelID, in.Peer, in.Receipt.Status, upTo)
}

func (j *judge) raise(ctx context.Context, tenant, channelID, peer string, status event.DeliveryStatus, upTo event.Time) error {
	fresh := func() *watermark { w := &watermark{}; w.Tenant = tenant; return w }
	_, err := j.watermarks.Upsert(ctx, watermarkID(tenant, channelID, peer), fresh, func(w *watermark) error {
		if !w.raise(status, upTo) {
			return store.Unchanged
		}
		return nil
	})
	if err != nil {
		return err
	}
	q := store.Query{
		Where: []store.Eq{{Field: "waits_for", Value: event.Key(channelID, peer)}},
		Range: &store.Range{Field: "at", To: upTo.String(), ToIncl: true}, Limit: 200,
	}
	for a, err := range j.attempts.All(ctx, q) {
		if err != nil {
			return err
		}
		if err := j.mark(ctx, a, status, upTo); err != nil {
			return err
		}
	}
	return nil
}

// cover reads the watermark after the attempt was written, and marks what it covers.
func (j *judge) cover(ctx context.Context, tenant, channelID, peer string, a *attempt) error {
	for _, u := range a.Units { // a "read up to this message" that came before the send result
		for _, s := range u.Steps {
			if s.Source == "watermark" && !u.At.IsZero() {
				if err := j.raise(ctx, tenant, channelID, peer, s.Status, u.At); err != nil {
					return err
				}
			}
		}
	}
	w, err := j.watermarks.Get(ctx, watermarkID(tenant, channelID, peer))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := j.mark(ctx, a, event.Delivered, w.Delivered); err != nil {
		return err
	}
	return j.mark(ctx, a, event.Read, w.Read)
}

// mark gives every unit that the provider took until then the step.
func (j *judge) mark(ctx context.Context, a *attempt, status event.DeliveryStatus, upTo event.Time) error {
	if upTo.IsZero() {
		return nil
	}
	_, err := j.onAttempt(ctx, a.Tenant, a.ID, func(a *attempt) bool {
		fresh := false
		for i, u := range a.Units {
			if !u.At.IsZero() && !u.At.After(upTo) {
				fresh = a.add(i, event.Step{Status: status, At: upTo, Source: "watermark"}) || fresh
			}
		}
		return fresh
	})
	return err
}

func (j *judge) onReceipt(ctx context.Context, tenant, channelID, externalID string, change func(*receipt) bool) (*receipt, error) {
	fresh := func() *receipt {
		r := &receipt{ChannelID: channelID, ExternalID: externalID}
		r.Tenant = tenant
		return r
	}
	return j.receipts.Upsert(ctx, receiptID(tenant, channelID, externalID), fresh, func(r *receipt) error {
		if !change(r) {
			return store.Unchanged
		}
		r.ExpiresAt = event.At(j.now()).Add(unclaimedFor)
		if r.Link != nil {
			r.ExpiresAt = event.At(j.now()).Add(keptFor)
		}
		return nil
	})
}

// onAttempt changes an attempt. What it tells is told in the trace of the send; a receipt comes in a trace of its own, which links there.
func (j *judge) onAttempt(ctx context.Context, tenant, id string, change func(*attempt) bool) (*attempt, error) {
	fresh := func() *attempt {
		a := &attempt{Status: event.Queued}
		a.Tenant = tenant
		return a
	}
	a, err := j.attempts.Upsert(ctx, id, fresh, func(a *attempt) error {
		if !change(a) {
			return store.Unchanged
		}
		a.tell(event.At(j.now()))
		a.ExpiresAt = event.At(j.now()).Add(keptFor)
		return nil
	})
	if err == nil && a.Trace != "" && traceparent.Trace(a.Trace) != trace.SpanContextFromContext(ctx).TraceID() {
		trace.SpanFromContext(ctx).AddLink(trace.LinkFromContext(traceparent.With(ctx, a.Trace)))
	}
	return a, err
}
