package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Person is who an event is about, in the provider's terms.
type Person struct {
	Tenant, ChannelID string
	ChannelType       event.ChannelType
	Peer              string
	Aliases           []string
	Post              *event.Post
	Profile           *event.Profile
	OUID              string
}

func (p Person) kind() (kind, post string) {
	if p.Post != nil {
		return Comments, p.Post.ID
	}
	return Messages, ""
}

func (p Person) ids() []string {
	ids := []string{p.Peer}
	for _, a := range p.Aliases {
		if a != "" && !slices.Contains(ids, a) {
			ids = append(ids, a)
		}
	}
	return ids
}

// Thread finds or begins the thread of a person on a channel. First seen wins; an event that names two ids links them: the
// unknown one is an alias of the known one, and where both were known the one goes on in the other once nothing is open there.
func (r *Record) Thread(ctx context.Context, p Person, at event.Time) (*Thread, error) {
	kind, post := p.kind()
	ids := p.ids()
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = AliasID(p.Tenant, p.ChannelID, kind, post, id)
	}
	known, err := r.Aliases.GetMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	threadID := ThreadID(p.Tenant, p.ChannelID, kind, post, p.Peer)
	if i := slices.IndexFunc(known, func(a *Alias) bool { return a != nil }); i >= 0 {
		threadID = known[i].ThreadID
	}
	for i, k := range known {
		if k != nil {
			continue
		}
		a := &Alias{ThreadID: threadID}
		a.ID, a.Tenant = keys[i], p.Tenant
		err := r.Aliases.Insert(ctx, a)
		if errors.Is(err, store.ErrExists) {
			return r.Thread(ctx, p, at) // somebody was faster: see what they decided
		}
		if err != nil {
			return nil, err
		}
		known[i] = a
	}
	t, err := r.thread(ctx, threadID, p, at)
	if err != nil {
		return nil, err
	}
	for _, k := range known {
		if k.ThreadID != threadID {
			if err := r.link(ctx, k, t); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// thread reads the thread's document or makes it, with its contact, and lets it learn the person's ids.
func (r *Record) thread(ctx context.Context, id string, p Person, at event.Time) (*Thread, error) {
	t, err := r.Threads.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		t = p.begin(id, at)
		if err := r.contact(ctx, t, p, at); err != nil {
			return nil, err
		}
		if err = r.Threads.Insert(ctx, t); errors.Is(err, store.ErrExists) {
			t, err = r.Threads.Get(ctx, id)
		}
	}
	if err != nil {
		return nil, err
	}
	if t.knows(p.ids()) {
		return t, nil
	}
	return r.Threads.Update(ctx, id, func(t *Thread) error {
		if t.knows(p.ids()) {
			return store.Unchanged
		}
		t.learn(p.ids())
		return nil
	})
}

func (p Person) begin(id string, at event.Time) *Thread {
	kind, _ := p.kind()
	t := &Thread{
		ChannelID: p.ChannelID, ChannelType: p.ChannelType, Kind: kind, Post: p.Post, Peer: p.Peer, Aliases: p.ids(),
		ContactID: ContactID(p.Tenant, id), CreatedAt: at,
	}
	t.ID, t.Tenant = id, p.Tenant
	return t
}

func (t *Thread) knows(ids []string) bool {
	return t.Peer == ids[0] && !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(t.Aliases, id) })
}

func (t *Thread) learn(ids []string) {
	t.Peer = ids[0]
	for _, id := range ids {
		if !slices.Contains(t.Aliases, id) {
			t.Aliases = append(t.Aliases, id)
		}
	}
}

// contact makes the person's record. It is derived from the thread, so that a repeat finds it.
func (r *Record) contact(ctx context.Context, t *Thread, p Person, at event.Time) error {
	c := &Contact{
		OriginID: t.ChannelID, OUID: p.OUID, CreatedAt: at, UpdatedAt: at,
		Identities: []Identity{{ChannelID: t.ChannelID, ChannelType: t.ChannelType, Peer: t.Peer, ThreadID: t.ID}},
	}
	c.ID, c.Tenant = t.ContactID, t.Tenant
	c.learn(p.Profile)
	if err := r.Contacts.Insert(ctx, c); err != nil && !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("contact of thread %s: %w", t.ID, err)
	}
	return nil
}

// learn takes over what the provider says about the person; names that people gave stay. It reports whether that was news.
func (c *Contact) learn(p *event.Profile) bool {
	if p == nil {
		return false
	}
	before := [3]string{c.Name, c.Phone, c.Email}
	if p.Name != "" && !c.Named {
		c.Name = p.Name
	}
	if c.Phone == "" {
		c.Phone = p.Phone
	}
	if c.Email == "" {
		c.Email = p.Email
	}
	return before != [3]string{c.Name, c.Phone, c.Email}
}

// Learn updates a contact from a profile that came with a message.
func (r *Record) Learn(ctx context.Context, contactID string, p *event.Profile, at event.Time) error {
	if p == nil {
		return nil
	}
	_, err := r.Contacts.Update(ctx, contactID, func(c *Contact) error {
		if !c.learn(p) {
			return store.Unchanged
		}
		c.UpdatedAt = at
		return nil
	})
	return err
}

// link lets an alias that began a thread of its own lead into t, once that thread has nothing open. Until then both go on.
func (r *Record) link(ctx context.Context, a *Alias, t *Thread) error {
	other, err := r.Threads.Get(ctx, a.ThreadID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it is just being made
	}
	if err != nil {
		return err
	}
	tail, err := r.Tail(ctx, other)
	if err != nil {
		return err
	}
	if tail != nil && tail.Status != Closed {
		return nil // the next event that names both asks again
	}
	_, err = r.Aliases.Update(ctx, a.ID, func(d *Alias) error {
		if d.ThreadID == t.ID {
			return store.Unchanged
		}
		d.ThreadID = t.ID
		return nil
	})
	return err
}

// Tail returns the last conversation of the thread's chain, nil if there is none.
func (r *Record) Tail(ctx context.Context, t *Thread) (*Conversation, error) {
	n := max(t.Tail, 1)
	var last *Conversation
	for {
		c, err := r.Conversations.Get(ctx, ConversationID(t.Tenant, t.ChannelID, t.ID, n))
		switch {
		case errors.Is(err, store.ErrNotFound) && last == nil && n > 1:
			n = 1
			continue
		case errors.Is(err, store.ErrNotFound):
			return last, nil
		case err != nil:
			return nil, err
		case c.Next == "":
			return c, nil
		}
		last = c
		n++
	}
}
