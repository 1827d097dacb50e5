package intake_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// hiccup is a store that refuses the first record of every message.
type hiccup struct {
	store.DB
	seen map[string]bool
}

func (h *hiccup) Batch(ctx context.Context, ops []store.Op) []error {
	fails := slices.ContainsFunc(ops, func(op store.Op) bool {
		first := op.Collection == record.MessageSpec.Name && op.Kind == store.Insert && !h.seen[op.ID]
		h.seen[op.ID] = true
		return first
	})
	if !fails {
		return h.DB.Batch(ctx, ops)
	}
	return slices.Repeat([]error{errors.New("the store does not answer")}, len(ops))
}

// A message is in once its conversation's commit is done; where the store stumbles just behind it, it is recorded later. What is about
// it finds it all the same, before it and behind it.
func TestP3_WhatIsAboutAMessageFindsItBeforeItIsRecorded(t *testing.T) {
	t.Parallel()
	for name, behind := range map[string]bool{"before the message": false, "behind it": true} {
		w := newWorld(t, `{}`)
		late := *w.Intake
		late.Record = record.New(&hiccup{w.store, map[string]bool{}}, &w.log, slog.New(slog.DiscardHandler)) // nobody records, unless somebody waits for it
		m, gone := w.text("p", "first"), w.text("p", "secret")
		order := []event.Inbound{
			w.edit(m.ExternalID, "second", w.at()), w.reaction(m.ExternalID, "👍", w.at()),
			w.on(event.MessageDeleted, func(in *event.Inbound) { in.Target = gone.ExternalID }),
		}
		if messages := []event.Inbound{m, gone}; behind {
			order = append(messages, order...)
		} else {
			order = append(order, messages...)
		}
		for _, in := range order {
			w.must(late.Handle(t.Context(), w.record(in)))
		}
		member := w.writes("C1", "U1")
		for _, in := range []event.Inbound{member, w.told("C1", "U1", "Taro")} {
			w.must(late.Handle(t.Context(), w.record(in)))
		}
		w.must(late.Record.Applier.Flush(t.Context()))
		if doc := w.message(member); doc.Sender.Name != "Taro" {
			t.Errorf("%s: a member's name is %q", name, doc.Sender.Name)
		}
		if doc := w.message(m); doc.Content.Text != "second" || len(doc.Reactions) != 1 {
			t.Errorf("%s: %q, reactions %+v", name, doc.Content.Text, doc.Reactions)
		}
		if doc := w.message(gone); doc.DeletedAt.IsZero() || doc.Content.Text != "" {
			t.Errorf("%s: deleted at %s, says %q", name, doc.DeletedAt, doc.Content.Text)
		}
	}
}
