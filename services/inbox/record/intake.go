package record

import (
	"context"
	"errors"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Rules is what settings and capabilities of a channel say about a message that comes in.
type Rules struct {
	Reopen  string // see channel.ReopenNew
	Hours   int
	OUID    string
	QueueID string          // where a conversation that opens waits
	Wakes   bool            // a message ends the snooze
	Acks    bool            // the channel takes the signal Ack
	Opened  channel.Anchors // what came opens the window, beside being a message
}

// RulesOf returns what a channel's policy says about messages that come in.
func RulesOf(ch channel.Channel) Rules {
	p := ch.Policy
	return Rules{Reopen: p.Reopen, Hours: p.ReopenWithinHours, QueueID: p.QueueID, OUID: ch.OUID}
}

// Into puts a change into the thread's chain of conversations and returns the conversation it went into.
//
// change is called inside an Update with the conversation at the end of the chain, open or closed. It returns [ErrNext] to have
// the next conversation of the chain opened and be called again with that one, or store.Unchanged if there is nothing to do. What it
// puts into a conversation that is opened for it is part of the same commit (docs/models/facts.pml, WITH).
// If the thread has no conversation yet, the first is opened. why names who opens: contact, user, api …
func (r *Store) Into(ctx context.Context, t *Thread, rules Rules, by event.Actor, why string, ref *event.Referral, at event.Time,
	change func(*Conversation) error,
) (*Conversation, error) {
	n := max(t.Tail, 1)
	for {
		id := ConversationID(t.Tenant, t.ChannelID, t.ID, n)
		var next, into string
		var followed bool
		alter := func(c *Conversation) error {
			followed = false
			if next, into = c.Next, c.Into; next != "" || into != "" {
				return store.Unchanged
			}
			c.adopt(t, at)
			err := change(c)
			if errors.Is(err, ErrNext) {
				followed = true
				next, err = r.follow(ctx, c, t.Open(c.N+1, c.Window, rules, by, why, ref, at), change, by, at)
			}
			return err
		}
		var c *Conversation
		var err error
		if n == 1 {
			c, err = r.first(ctx, id, func() *Conversation { return t.Open(1, Window{}, rules, by, why, ref, at) }, alter)
		} else {
			c, err = r.Conversations.Update(ctx, id, alter)
		}
		switch {
		case errors.Is(err, store.ErrNotFound): // the hint is ahead of what this store shows: look from the beginning
			n = 1
			continue
		case err != nil:
			return nil, err
		case next == "" && into == "":
			r.remember(ctx, t, n)
			return c, nil
		}
		// n+1 is inserted by whoever applies n's list, in order; so apply it, and go on there.
		if err := r.apply(ctx, id); err != nil {
			return nil, err
		}
		n++
		if followed {
			r.remember(ctx, t, n)
			return r.Conversations.Get(ctx, next)
		}
		if into != "" {
			if t, err = r.Threads.Get(ctx, into); err != nil {
				return nil, fmt.Errorf("thread %s goes on in %s: %w", c.ThreadID, into, err)
			}
			n = max(t.Tail, 1)
		}
	}
}

// apply waits until everything that a conversation tells now is told and recorded.
func (r *Store) apply(ctx context.Context, id string) error {
	err := r.Conversations.Apply(ctx, id)
	if err == nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err} // whoever takes facts is away
}

// ErrNext asks for the next conversation of the chain.
var ErrNext = errors.New("chat: the next conversation is wanted")

// follow makes next, with what change puts into it, the conversation that goes on where this one ended, and returns its id.
func (r *Store) follow(
	ctx context.Context, c, next *Conversation, change func(*Conversation) error, by event.Actor, at event.Time,
) (string, error) {
	next.LastAgentID = c.LastAgentID
	if err := change(next); err != nil && !errors.Is(err, store.Unchanged) {
		return "", err
	}
	record, err := r.Conversations.Imply(ctx, next)
	if err != nil {
		return "", err
	}
	c.Follow(next.ID, record.JSON, by, at)
	return next.ID, nil
}

// first alters the first conversation of a chain, or opens it with what alter puts into it: one commit, so that a conversation is never
// seen without the message that opened it.
func (r *Store) first(
	ctx context.Context, id string, open func() *Conversation, alter func(*Conversation) error,
) (*Conversation, error) {
	var opened *Conversation
	create := func() *Conversation { opened = open(); return opened }
	return r.Conversations.Upsert(ctx, id, create, func(c *Conversation) error {
		err := alter(c)
		if c == opened && errors.Is(err, store.Unchanged) {
			return nil // it is opened with nothing in it
		}
		return err
	})
}

// adopt takes over what the thread has learned about how to reach the person.
func (c *Conversation) adopt(t *Thread, at event.Time) {
	c.Peer, c.Aliases, c.ContactID = t.Peer, t.Aliases, t.ContactID
	c.block(t.Blocked, event.Actor{Kind: "system"}, at)
	c.Window.open(t.Window().Anchors)
}

// remember moves the thread's hint to the end of the chain; losing it costs a walk, nothing else.
func (r *Store) remember(ctx context.Context, t *Thread, n int) {
	if n <= max(t.Tail, 1) {
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

// told is how many facts of a conversation may wait to be published while more messages are added to it.
const told = 256

// Received puts messages of a customer that came one after the other into the thread, whatever state it is in, in one commit; where a
// conversation follows for them, only the first goes in with it, as the fact that says so carries the document.
// Those that are in already are left out. Only the first may carry a referral.
func (r *Store) Received(ctx context.Context, t *Thread, rules Rules, ms ...*Message) (*Conversation, error) {
	first, ids := ms[0], make([]string, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	by, at := event.Actor{Kind: "contact", ID: t.ContactID, Name: first.Sender.Name}, first.CreatedAt
	follows, left := false, 0
	c, err := r.Into(ctx, t, rules, by, "contact", first.Content.Referral, at, func(c *Conversation) error {
		fresh, err := r.absent(ctx, c, ids...)
		if err != nil {
			return err
		}
		if len(fresh) == 0 {
			return store.Unchanged
		}
		if c.Status == Closed && !c.ReopenAfter(rules.Reopen, rules.Hours, at) {
			follows = true
			return ErrNext
		}
		if c.Status == Closed {
			if err := c.Reopen(by, "contact", at); err != nil {
				return err
			}
		}
		if c.Status == Snoozed && rules.Wakes {
			if err := c.Snooze(event.Time{}, by, at); err != nil {
				return err
			}
		}
		c.Window.open(rules.Opened)
		for _, m := range ms {
			if !fresh[m.ID] {
				continue
			}
			delete(fresh, m.ID) // a repeat among them
			c.Receive(m)
			if rules.Acks {
				c.acknowledge(m)
			}
			if follows {
				break
			}
		}
		left, follows = len(fresh), false
		return nil
	})
	if err == nil && left > 0 {
		return r.Received(ctx, t, rules, ms...)
	}
	if err == nil && len(c.Pending) > told { // so that the document does not grow faster than it is told
		err = r.apply(ctx, c.ID)
	}
	return c, err
}

// Echoed puts a message into the thread that the business sent from another client of the account.
func (r *Store) Echoed(ctx context.Context, t *Thread, rules Rules, m *Message) (c *Conversation, fresh bool, err error) {
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

// Post puts a message of ours into a conversation. add is called inside the Update, after it is certain that the message is not
// in yet, whatever the conversation's status. It reports whether the message was in before.
func (r *Store) Post(ctx context.Context, conversationID string, m *Message, add func(*Conversation) error) (c *Conversation, repeated bool, err error) {
	c, err = r.Conversations.Update(ctx, conversationID, func(c *Conversation) error {
		there, err := r.Exists(ctx, c, m.ID)
		if repeated = there; err != nil {
			return err
		}
		if there {
			return store.Unchanged
		}
		return add(c)
	})
	return c, repeated, err
}

// Lapse closes a conversation for automation, unless the customer has written since it looked: saw is the last inbound message
// that it knows of. It reports whether the conversation was closed by this call.
func (r *Store) Lapse(ctx context.Context, conversationID, saw string, by event.Actor, why string, at event.Time) (closed bool, err error) {
	_, err = r.Conversations.Update(ctx, conversationID, func(c *Conversation) error {
		if closed = c.Status != Closed && c.Window.LastInboundID == saw; !closed {
			return store.Unchanged
		}
		return c.Shut(by, nil, true, why, "", at)
	})
	return closed && err == nil, err
}

// Withdraw takes a message that the customer has deleted out of what is unread.
func (r *Store) Withdraw(ctx context.Context, m *Message) error {
	_, err := r.Conversations.Update(ctx, m.ConversationID, func(c *Conversation) error { return unless(!c.withdraw(m.Inbound)) })
	return err
}
