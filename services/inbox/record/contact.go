package record

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Happening is a row of the timeline to be: in the thread's open conversation, or, without one, of the contact.
type Happening struct {
	Category, Type string
	By             event.Actor
	Reference      *event.Referral
	Data           any
	Ref            string // the occurrence on the channel; a repeat makes no second row
	At             event.Time
	Opened         channel.Anchors // it opens the channel's window
	Control        *Control        // it says who has the conversation
}

// Control says who has a conversation at the provider since a time: this app or, on standby, another one.
type Control struct {
	Standby bool       `json:"standby"`
	Since   event.Time `json:"-"`
}

// Happened puts a row where it belongs. Where that is, is decided once, in a document of its own: the conversation may be closed
// or opened between two deliveries, and a row has one place.
func (r *Store) Happened(ctx context.Context, t *Thread, h Happening) error {
	id := event.DeriveID("evt", t.Tenant, t.ChannelID, h.Type, h.Ref)
	if there, err := r.noted(ctx, nil, id); err != nil || there {
		return err
	}
	conversation, err := r.place(ctx, t, id, h.At)
	if err != nil {
		return err
	}
	if conversation != "" {
		return r.note(ctx, conversation, t, id, h)
	}
	if err := r.keepOpened(ctx, t, h.Opened); err != nil {
		return err
	}
	_, err = r.Contacts.Update(ctx, t.ContactID, func(c *Contact) error {
		there, err := r.noted(ctx, c.Pending, id)
		if err != nil {
			return err
		}
		if there {
			return store.Unchanged
		}
		c.happened(t, id, h)
		return nil
	})
	return err
}

// placedFor is how long the place of a row is remembered; then the row itself tells.
const placedFor = 24 * time.Hour

// place returns the conversation that a row belongs to, empty for the contact.
func (r *Store) place(ctx context.Context, t *Thread, id string, at event.Time) (string, error) {
	tail, err := r.Tail(ctx, t)
	if err != nil {
		return "", err
	}
	p := &Placement{}
	p.ID, p.Tenant, p.ExpiresAt = id, t.Tenant, at.Add(placedFor)
	if tail != nil && tail.Status != Closed {
		p.ConversationID = tail.ID
	}
	err = r.Placements.Insert(ctx, p)
	if errors.Is(err, store.ErrExists) {
		p, err = r.Placements.Get(ctx, id)
	}
	if err != nil {
		return "", err
	}
	return p.ConversationID, nil
}

// unless is store.Unchanged for what is there.
func unless(there bool) error {
	if there {
		return store.Unchanged
	}
	return nil
}

// keepOpened remembers what opened the window for the conversation to come.
func (r *Store) keepOpened(ctx context.Context, t *Thread, opened channel.Anchors) error {
	if len(opened) == 0 {
		return nil
	}
	_, err := r.Threads.Update(ctx, t.ID, func(t *Thread) error {
		before := freeEntry(t.Anchors, t.FreeUntil)
		t.Anchors, t.FreeUntil = before.Open(opened...), event.Time{}
		return nil
	})
	return err
}

// Opens notes what opened the channel's window and is neither a message nor a row of the timeline: in the person's open conversation, or for
// the one to come. It makes no thread.
func (r *Store) Opens(ctx context.Context, p Person, opened channel.Anchors) error {
	if len(opened) == 0 {
		return nil
	}
	t, err := r.Find(ctx, p)
	if err != nil || t == nil {
		return err
	}
	tail, err := r.Tail(ctx, t)
	if err != nil {
		return err
	}
	if tail == nil || tail.Status == Closed {
		return r.keepOpened(ctx, t, opened)
	}
	_, err = r.Conversations.Update(ctx, tail.ID, func(c *Conversation) error {
		c.Window.open(opened)
		return nil
	})
	return err
}

// note adds the row to a conversation, or finds it there.
func (r *Store) note(ctx context.Context, conversationID string, t *Thread, id string, h Happening) error {
	_, err := r.Conversations.Update(ctx, conversationID, func(c *Conversation) error {
		there, err := r.noted(ctx, c.Pending, id)
		if err != nil {
			return err
		}
		if there {
			return store.Unchanged
		}
		c.adopt(t, h.At)
		c.Window.open(h.Opened)
		if h.Control != nil {
			c.control(h.Control.Standby, h.Control.Since)
		}
		what := happened(h.Category, h.Type, h.Reference, h.Data)
		what.ID = id
		c.say(event.ConversationNoted, h.At, h.By, fact{happened: what})
		return nil
	})
	return err
}

// noted is to rows what [Store.Exists] is to messages.
func (r *Store) noted(ctx context.Context, pending []store.Fact, id string) (bool, error) {
	for _, f := range pending {
		if p, err := event.Decode[event.Conversation](f.Event); err == nil && p.Happened != nil && p.Happened.ID == id {
			return true, nil
		}
	}
	_, err := r.Rows.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Opt says whether the person wants marketing since a time; what is older than what is known changes nothing.
func (r *Store) Opt(ctx context.Context, contactID string, out bool, since event.Time) error {
	return r.alter(ctx, contactID, func(c *Contact) (bool, error) {
		if since.Before(c.OptedAt) || (c.OptedOut == out && c.OptedAt == since) {
			return false, nil
		}
		c.OptedOut, c.OptedAt = out, since
		return true, nil
	})
}

// Block blocks or unblocks a contact: its threads, what is open in them, and itself last, so that a call that died half way
// is made good by the next.
func (r *Store) Block(ctx context.Context, c *Contact, blocked bool, by event.Actor, at event.Time) error {
	for _, i := range c.Identities {
		t, err := r.Threads.Update(ctx, i.ThreadID, func(t *Thread) error {
			if t.Blocked == blocked {
				return store.Unchanged
			}
			t.Blocked = blocked
			return nil
		})
		if errors.Is(err, store.ErrNotFound) {
			continue // it is just being made, and will be blocked by the next call
		}
		if err != nil {
			return err
		}
		tail, err := r.Tail(ctx, t)
		if err != nil {
			return err
		}
		if tail == nil {
			continue
		}
		_, err = r.Conversations.Update(ctx, tail.ID, func(c *Conversation) error {
			if c.Blocked == blocked {
				return store.Unchanged
			}
			c.block(blocked, by, at)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return r.alter(ctx, c.ID, func(c *Contact) (bool, error) {
		c.Blocked, c.UpdatedAt = blocked, at
		return true, nil
	})
}

// happened emits a row of the contact.
func (c *Contact) happened(t *Thread, id string, h Happening) {
	what := happened(h.Category, h.Type, h.Reference, h.Data)
	what.ID = id
	c.Emit(event.TopicConversations, t.ID, event.New(id, event.ConversationNoted, Source, c.Tenant, c.ID, h.At, event.Conversation{
		ThreadID: t.ID, ContactID: c.ID, ChannelID: t.ChannelID, ChannelType: t.ChannelType, Peer: t.Peer, Kind: t.Kind, At: h.At, By: h.By,
		OUID: c.OUID, Happened: what,
	}))
}

// Unreachable is why the peer of one of the contact's threads cannot be written to; empty if nothing is known against it.
func (c *Contact) Unreachable(threadID string) string {
	for _, i := range c.Identities {
		if i.ThreadID == threadID {
			return i.Unreachable
		}
	}
	return ""
}

// Display is the name to show: the name, else phone or e-mail, else the username, else the id on the channel. The id of a visitor of
// a web chat says nothing to people; a short name that follows from it does.
func (c *Contact) Display() string {
	shown := []string{c.Name, c.Phone, c.Email}
	for _, i := range c.Identities {
		if i.Username != "" {
			shown = append(shown, "@"+i.Username)
		}
	}
	for _, i := range c.Identities {
		if i.ChannelType == event.WebChat {
			shown = append(shown, "Visitor "+event.Hash(i.Peer)[:6])
		} else {
			shown = append(shown, i.Peer)
		}
	}
	return cmp.Or(append(shown, c.ID)...)
}
