package rest

import (
	"context"
	"errors"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/chat"
)

// SendDecided queues a message that routing wants sent. One that the channel cannot carry, or that comes too late for its
// conversation, is dropped: nobody waits for it.
func (s *Server) SendDecided(ctx context.Context, conversationID string, d event.Decision) error {
	doc, err := s.Record.Conversations.Get(ctx, conversationID)
	if err != nil || d.Content == nil {
		return unlessGone(err)
	}
	m := &chat.Message{
		Direction: chat.Out, CreatedAt: s.at(), Content: *d.Content, Via: chat.Via{Kind: "automation", Label: "routing"},
		Sender: chat.Sender{Type: "system", Name: "routing"},
	}
	m.ID = event.DeriveID("msg", doc.Tenant, d.ID)
	check, err := s.checker(ctx, doc, m)
	if err != nil {
		return unlessRefused(err)
	}
	_, _, err = s.Record.Post(ctx, conversationID, m, func(c *chat.Conversation) error {
		if c.Status == chat.Closed {
			return store.Unchanged
		}
		dispatch, err := check(c)
		if err != nil {
			return err
		}
		dispatch.By = event.Actor{Kind: "automation", ID: "routing"}
		c.Send(m, dispatch)
		return nil
	})
	return unlessRefused(err)
}

func unlessGone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// unlessRefused drops what is refused for good, so that only trouble of our own is tried again.
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
