package chat

import (
	"context"
	"errors"

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
}

// Happened puts a row where it belongs. change, if not nil, alters the contact; it may be called for a repeat, too.
func (r *Record) Happened(ctx context.Context, t *Thread, h Happening, change func(*Contact)) error {
	id := event.DeriveID("evt", t.Tenant, t.ChannelID, h.Type, h.Ref)
	tail, err := r.Tail(ctx, t)
	if err != nil {
		return err
	}
	noted := false
	if tail != nil && tail.Status != Closed {
		if noted, err = r.note(ctx, tail.ID, id, h); err != nil {
			return err
		}
	}
	if noted && change == nil {
		return nil
	}
	_, err = r.Contacts.Update(ctx, t.ContactID, func(c *Contact) error {
		if change != nil {
			change(c)
			c.UpdatedAt = h.At
		}
		if !noted {
			c.happened(t, id, h) // the row's id is derived: an equal one that is there already stays
		}
		return nil
	})
	return err
}

// note adds the row to an open conversation; false: it has been closed meanwhile.
func (r *Record) note(ctx context.Context, conversationID, id string, h Happening) (bool, error) {
	noted := true
	_, err := r.Conversations.Update(ctx, conversationID, func(c *Conversation) error {
		noted = true
		there, err := r.noted(ctx, c, id)
		switch {
		case err != nil:
			return err
		case there:
			return store.Unchanged
		case c.Status == Closed:
			noted = false
			return store.Unchanged
		}
		what := happened(h.Category, h.Type, h.Reference, h.Data)
		what.ID = id
		c.say(event.ConversationNoted, h.At, h.By, fact{happened: what})
		return nil
	})
	return noted, err
}

// noted is to rows what [Record.Exists] is to messages.
func (r *Record) noted(ctx context.Context, c *Conversation, id string) (bool, error) {
	for _, f := range c.Pending {
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

// happened emits a row of the contact.
func (c *Contact) happened(t *Thread, id string, h Happening) {
	what := happened(h.Category, h.Type, h.Reference, h.Data)
	what.ID = id
	c.Emit(event.TopicConversations, t.ID, event.New(id, event.ConversationNoted, Source, c.Tenant, c.ID, h.At, event.Conversation{
		ThreadID: t.ID, ContactID: c.ID, ChannelID: t.ChannelID, ChannelType: t.ChannelType, Peer: t.Peer, Kind: t.Kind, At: h.At, By: h.By,
		OUID: c.OUID, Happened: what,
	}))
}

// Retire takes ids away from a thread whose person has others now: whoever shows up under them next is somebody else.
func (r *Record) Retire(ctx context.Context, p Person, old []string, ref string) error {
	kind, post := p.kind()
	for _, id := range old {
		_, err := r.Aliases.Update(ctx, AliasID(p.Tenant, p.ChannelID, kind, post, id), func(a *Alias) error {
			fresh := ThreadID(p.Tenant, p.ChannelID, kind, post, id+"#"+ref)
			if a.ThreadID == fresh {
				return store.Unchanged
			}
			a.ThreadID = fresh
			return nil
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// Display is the name to show: the name, else phone or e-mail, else the id on the channel.
func (c *Contact) Display() string {
	for _, s := range []string{c.Name, c.Phone, c.Email} {
		if s != "" {
			return s
		}
	}
	if len(c.Identities) > 0 {
		return c.Identities[0].Peer
	}
	return c.ID
}
