package outgoing

import (
	"context"
	"errors"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Decided queues a message that routing decided on. It is dropped if the channel cannot carry it, or if its conversation is closed, gone, or
// with another app: routing does not wait for its fate.
func (o *Outbox) Decided(ctx context.Context, conversationID string, d event.Decision) error {
	doc, err := o.Record.Conversations.Get(ctx, conversationID)
	if errors.Is(err, store.ErrNotFound) || err == nil && d.Content == nil {
		return nil
	}
	if err != nil {
		return err
	}
	routing := event.Actor{Kind: "automation", ID: "routing"}
	by := Author{
		Tenant: doc.Tenant, Actor: routing, By: routing, Via: record.Via{Kind: "automation", Label: "routing"},
		Sender: record.Sender{Type: "system", Name: "routing"},
	}
	m := &record.Message{Direction: record.Out, CreatedAt: o.at(), Content: *d.Content, Via: by.Via, Sender: by.Sender}
	m.ID = event.DeriveID("msg", doc.Tenant, d.ID)
	check, err := o.checker(ctx, doc, by, m)
	if err != nil {
		return unlessRefused(err)
	}
	_, _, err = o.Record.Post(ctx, conversationID, m, func(c *record.Conversation) error {
		if c.Status == record.Closed || c.Standby {
			return store.Unchanged
		}
		dispatch, err := check(c)
		if err != nil {
			return err
		}
		c.Send(m, dispatch)
		return nil
	})
	return unlessRefused(err)
}

// unlessRefused returns nil for a refusal that is final, so that only trouble of our own is tried again.
func unlessRefused(err error) error {
	if err == nil {
		return nil
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Window, fault.Conflict, fault.Gone:
		return nil
	}
	return err
}
