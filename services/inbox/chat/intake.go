package chat

import (
	"context"
	"errors"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Rules is what a channel's settings say about opening.
type Rules struct {
	Reopen string // new, reopen, reopen_within_hours
	Hours  int
	OUID   string
}

// Into puts a change into the thread's chain of conversations and returns the conversation it went into.
//
// change is called inside an Update with the conversation at the end of the chain, open or closed. It returns [ErrNext] to have
// the next conversation of the chain opened and be called again with that one, or store.Unchanged if there is nothing to do.
// If the thread has no conversation yet, the first is opened. why names who opens: contact, user, api …
func (r *Record) Into(ctx context.Context, t *Thread, rules Rules, by event.Actor, why string, ref *event.Referral, at event.Time,
	change func(*Conversation) error,
) (*Conversation, error) {
	n := max(t.Tail, 1)
	for {
		id := ConversationID(t.Tenant, t.ChannelID, t.ID, n)
		var next string
		c, err := r.Conversations.Update(ctx, id, func(c *Conversation) error {
			next = c.Next
			if next != "" {
				return store.Unchanged
			}
			c.adopt(t)
			err := change(c)
			if errors.Is(err, ErrNext) {
				next, err = r.follow(c, t, rules, by, why, ref, at)
			}
			return err
		})
		switch {
		case errors.Is(err, store.ErrNotFound) && n == 1:
			if err := r.first(ctx, t, rules, by, why, ref, at); err != nil {
				return nil, err
			}
			continue
		case errors.Is(err, store.ErrNotFound): // the hint is ahead of what this store shows: look from the beginning
			n = 1
			continue
		case err != nil:
			return nil, err
		case next == "":
			r.remember(ctx, t, n)
			return c, nil
		}
		// n+1 is inserted by whoever applies n's list, in order; so apply it, and go on there.
		if err := r.Conversations.Apply(ctx, id); err != nil {
			return nil, fmt.Errorf("conversation %s is to follow %s: %w", next, id, err)
		}
		n++
	}
}

// ErrNext asks for the next conversation of the chain.
var ErrNext = errors.New("chat: the next conversation is wanted")

func (r *Record) follow(c *Conversation, t *Thread, rules Rules, by event.Actor, why string, ref *event.Referral, at event.Time) (string, error) {
	next := t.Open(c.N+1, c.Window, rules.OUID, by, why, ref, at)
	next.LastAgentID = c.LastAgentID
	record, err := r.Conversations.Imply(next)
	if err != nil {
		return "", err
	}
	c.Follow(next.ID, record.JSON, by, at)
	return next.ID, nil
}

func (r *Record) first(ctx context.Context, t *Thread, rules Rules, by event.Actor, why string, ref *event.Referral, at event.Time) error {
	err := r.Conversations.Insert(ctx, t.Open(1, Window{}, rules.OUID, by, why, ref, at))
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// adopt takes over what the thread has learned about how to reach the person.
func (c *Conversation) adopt(t *Thread) {
	c.Peer, c.Aliases, c.ContactID = t.Peer, t.Aliases, t.ContactID
}

// remember moves the thread's hint to the end of the chain; losing it costs a walk, nothing else.
func (r *Record) remember(ctx context.Context, t *Thread, n int) {
	if n <= t.Tail {
		return
	}
	_, err := r.Threads.Update(ctx, t.ID, func(d *Thread) error {
		if n <= d.Tail {
			return store.Unchanged
		}
		d.Tail = n
		return nil
	})
	if err == nil {
		t.Tail = n
	}
}

// Received puts a customer's message into the thread, whatever state it is in. It reports whether the message was new.
func (r *Record) Received(ctx context.Context, t *Thread, rules Rules, m *Message, ref *event.Referral) (c *Conversation, fresh bool, err error) {
	by := event.Actor{Kind: "contact", ID: t.ContactID, Name: m.Sender.Name}
	c, err = r.Into(ctx, t, rules, by, "contact", ref, m.CreatedAt, func(c *Conversation) error {
		fresh = false
		if there, err := r.Exists(ctx, c, m.ID); err != nil {
			return err
		} else if there {
			return store.Unchanged
		}
		if c.Status == Closed && !c.ReopenAfter(rules.Reopen, rules.Hours, m.CreatedAt) {
			return ErrNext
		}
		if c.Status == Closed {
			if err := c.Reopen(by, "contact", m.CreatedAt); err != nil {
				return err
			}
		}
		fresh = true
		c.Receive(m, ref)
		return nil
	})
	return c, fresh && err == nil, err
}

// Echoed puts a message into the thread that the business sent from another client of the account.
func (r *Record) Echoed(ctx context.Context, t *Thread, rules Rules, m *Message) (c *Conversation, fresh bool, err error) {
	by := event.Actor{Kind: "user", Name: m.Sender.Name}
	c, err = r.Into(ctx, t, rules, by, "native_app", nil, m.CreatedAt, func(c *Conversation) error {
		fresh = false
		if there, err := r.Exists(ctx, c, m.ID); err != nil {
			return err
		} else if there {
			return store.Unchanged
		}
		if c.Status == Closed {
			return ErrNext
		}
		fresh = true
		c.Echo(m)
		return nil
	})
	return c, fresh && err == nil, err
}
