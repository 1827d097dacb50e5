package record

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
	var ids []string
	for _, a := range append([]string{p.Peer}, p.Aliases...) {
		if a != "" && !slices.Contains(ids, a) {
			ids = append(ids, a)
		}
	}
	return ids
}

// Thread finds or begins the thread of a person on a channel. First seen wins, and of several ids the first one
// decides, so that every delivery of an event comes to the same thread (docs/models/facts.pml, ALIASES=2). An event
// that names two ids links them: an unknown one is an alias of the known one; where both were known, see [Record.link].
func (r *Store) Thread(ctx context.Context, p Person, at event.Time) (*Thread, error) {
	known, err := r.aliases(ctx, p, p.ids())
	if err != nil {
		return nil, err
	}
	kind, post := p.kind()
	threadID := ThreadID(p.Tenant, p.ChannelID, kind, post, p.Peer)
	if i := slices.IndexFunc(known, func(a *Alias) bool { return a != nil }); i >= 0 {
		threadID = known[i].ThreadID
	}
	for i, k := range known {
		if k != nil {
			continue
		}
		a := &Alias{ThreadID: threadID}
		a.ID, a.Tenant = AliasID(p.Tenant, p.ChannelID, kind, post, p.ids()[i]), p.Tenant
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
	for _, k := range known {
		if err == nil && k.ThreadID != t.ID {
			t, err = r.link(ctx, t, k)
		}
	}
	if err != nil || t.knows(p.ids()) {
		return t, err
	}
	return r.Threads.Update(ctx, t.ID, func(t *Thread) error {
		if t.knows(p.ids()) {
			return store.Unchanged
		}
		t.learn(p.ids())
		return nil
	})
}

// Find returns the thread of a person on a channel; nil if none of their ids was seen there. It makes nothing.
func (r *Store) Find(ctx context.Context, p Person) (*Thread, error) {
	known, err := r.aliases(ctx, p, p.ids())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(known, func(a *Alias) bool { return a != nil })
	if i < 0 {
		return nil, nil
	}
	t, err := r.goesOn(ctx, known[i].ThreadID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil // it is just being made
	}
	return t, err
}

// aliases reads the documents of ids; nil where there is none.
func (r *Store) aliases(ctx context.Context, p Person, ids []string) ([]*Alias, error) {
	kind, post := p.kind()
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = AliasID(p.Tenant, p.ChannelID, kind, post, id)
	}
	return r.Aliases.GetMany(ctx, keys)
}

// thread reads the thread's document, or that of the thread in which it goes on, or makes it with its contact.
func (r *Store) thread(ctx context.Context, id string, p Person, at event.Time) (*Thread, error) {
	t, err := r.goesOn(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		t = p.begin(id, at)
		if err := r.contact(ctx, t, p, at); err != nil {
			return nil, err
		}
		if err = r.Threads.Insert(ctx, t); errors.Is(err, store.ErrExists) {
			return r.goesOn(ctx, id)
		}
	}
	return t, err
}

// goesOn reads a thread, or the one in which it goes on.
func (r *Store) goesOn(ctx context.Context, id string) (*Thread, error) {
	t, err := r.Threads.Get(ctx, id)
	for err == nil && t.Into != "" {
		t, err = r.Threads.Get(ctx, t.Into)
	}
	return t, err
}

func (p Person) begin(id string, at event.Time) *Thread {
	kind, _ := p.kind()
	t := &Thread{
		ChannelID: p.ChannelID, ChannelType: p.ChannelType, Kind: kind, Post: p.Post, Peer: p.Peer, Aliases: p.ids(),
		ContactID: ContactID(p.Tenant, id), Profile: hashOf(p.Profile), CreatedAt: at,
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
func (r *Store) contact(ctx context.Context, t *Thread, p Person, at event.Time) error {
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

// learn takes over what the provider says about the person; names that people gave stay. It reports whether that was
// news.
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

// Learn updates a contact from a profile that came with a message. The thread remembers the last one, because nearly
// all messages come with the profile that is known.
func (r *Store) Learn(ctx context.Context, t *Thread, p *event.Profile, at event.Time) error {
	hash := hashOf(p)
	if hash == "" || hash == t.Profile {
		return nil
	}
	_, err := r.Contacts.Update(ctx, t.ContactID, func(c *Contact) error {
		if !c.learn(p) {
			return store.Unchanged
		}
		c.UpdatedAt = at
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) { // a contact that was deleted learns nothing
		return err
	}
	_, err = r.Threads.Update(ctx, t.ID, func(d *Thread) error {
		if d.Profile == hash {
			return store.Unchanged
		}
		d.Profile = hash
		return nil
	})
	return err
}

// hashOf tells profiles apart by what a contact takes over of them; nobody's is empty.
func hashOf(p *event.Profile) string {
	if p == nil || (p.Name == "" && p.Phone == "" && p.Email == "") {
		return ""
	}
	return event.Hash(p.Name, p.Phone, p.Email)
}
