package record

import (
	"cmp"
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
	Observed          Observed // of the person, by what the event says
	OUID              string
	Account           string // the provider's account that the channel is; empty: there is none
	ContactID         string // whose thread it is, if it is begun; empty: it is found out
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
// that names two ids links them: an unknown one is an alias of the known one; where both were known, see [Store.link].
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
	if err != nil {
		return nil, err
	}
	if seen := *t; !t.knows(p.ids()) || seen.observe(p.Observed) || t.Account != p.Account && p.Account != "" {
		if _, err := r.known(ctx, p, t.ContactID); err != nil {
			return nil, err
		}
		t, err = r.Threads.Update(ctx, t.ID, func(t *Thread) error {
			learned := t.learn(p.ids())
			moved := p.Account != "" && t.Account != p.Account
			if moved {
				t.Account = p.Account
			}
			return unless(!t.observe(p.Observed) && !learned && !moved)
		})
		if err != nil {
			return nil, err
		}
	}
	return r.projected(ctx, t, at)
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

// FindUsername returns the newest thread of a channel whose peer has a username; nil if none has it.
func (r *Store) FindUsername(ctx context.Context, tenant, channelID, username string) (*Thread, error) {
	q := store.Query{Where: []store.Eq{{Field: "channel_id", Value: channelID}, {Field: "username_key", Value: usernameKey(username)}}, Limit: 50}
	ts, _, _, err := r.Threads.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	var found *Thread
	for _, t := range ts { // a username can pass from one person to another: who was seen with it last has it
		if t.Tenant == tenant && t.Into == "" && (found == nil || t.Traits.Username.At.After(found.Traits.Username.At)) {
			found = t
		}
	}
	return found, nil
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
		ContactID: cmp.Or(p.ContactID, ContactID(p.Tenant, id)), Account: p.Account, CreatedAt: at,
	}
	t.ID, t.Tenant = id, p.Tenant
	t.observe(p.Observed)
	return t
}

func (t *Thread) knows(ids []string) bool {
	return t.Peer == ids[0] && !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(t.Aliases, id) })
}

// learn takes over ids of the peer, the one to write to first. It reports whether one was new.
func (t *Thread) learn(ids []string) bool {
	if t.knows(ids) {
		return false
	}
	t.Unprojected = t.Unprojected || t.Peer != ids[0]
	t.Peer = ids[0]
	for _, id := range ids {
		if !slices.Contains(t.Aliases, id) {
			t.Aliases = append(t.Aliases, id)
		}
	}
	return true
}

// contact makes the contact of a thread that begins. It is derived from the thread, so that a repeat finds it, unless the person is
// known already: then the thread is one more of theirs.
func (r *Store) contact(ctx context.Context, t *Thread, p Person, at event.Time) error {
	if p.ContactID == "" {
		known, err := r.known(ctx, p, t.ContactID)
		if err != nil {
			return err
		}
		if _, err := r.Contacts.Get(ctx, known); err == nil {
			t.ContactID = known
		} else if !errors.Is(err, store.ErrNotFound) { // deleted, or just being made: then it is the thread's own
			return err
		}
	}
	fresh := func() *Contact {
		c := &Contact{OriginID: t.ChannelID, OUID: p.OUID, Projected: true, CreatedAt: at, UpdatedAt: at}
		c.Tenant = t.Tenant
		return c
	}
	_, err := r.Contacts.Upsert(ctx, t.ContactID, fresh, func(c *Contact) error {
		if slices.ContainsFunc(c.Identities, func(i Identity) bool { return i.ThreadID == t.ID }) {
			return store.Unchanged
		}
		others, err := r.threadsOf(ctx, c)
		if err != nil {
			return err
		}
		c.Identities = append(c.Identities, t.identity(Identity{}))
		c.project(append(others, t))
		return nil
	})
	if err != nil {
		return fmt.Errorf("contact of thread %s: %w", t.ID, err)
	}
	return nil
}
