package record

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// The fields of a contact that a person can set and a provider fills.
const (
	FieldName   = "name"
	FieldPhone  = "phone"
	FieldEmail  = "email"
	FieldAvatar = "avatar_url"
)

// project makes the contact what its threads say of their peers; fields that a person has set stay. It is the only place where a
// provider's word reaches a contact (docs/adr/0016-a-contact-is-projected-from-its-threads.md). It reports whether the
// contact changed.
func (c *Contact) project(ts []*Thread) (changed bool) {
	changed = c.inherit(ts)
	fill := func(field string, into *string, trait func(*Thread) Trait) {
		best := Trait{}
		for _, t := range ts {
			if x := trait(t); x.beats(best) {
				best = x
			}
		}
		if best.Source == "" || slices.Contains(c.Edited, field) || *into == best.Value {
			return
		}
		*into, changed = best.Value, true
	}
	fill(FieldName, &c.Name, func(t *Thread) Trait { return t.Traits.Name })
	fill(FieldPhone, &c.Phone, func(t *Thread) Trait { return t.Traits.Phone })
	fill(FieldEmail, &c.Email, func(t *Thread) Trait { return t.Traits.Email })
	fill(FieldAvatar, &c.AvatarURL, func(t *Thread) Trait { return t.Traits.Avatar })
	for i := range c.Identities {
		was := c.Identities[i]
		for _, t := range ts {
			if t.ID == was.ThreadID {
				c.Identities[i] = t.identity(was)
			}
		}
		changed = changed || c.Identities[i] != was
	}
	return changed
}

// identity is how a contact shows the thread. Whether a peer of an earlier version can be reached is known to the contact alone.
func (t *Thread) identity(was Identity) Identity {
	i := Identity{
		ChannelID: t.ChannelID, ChannelType: t.ChannelType, Peer: t.Peer, Display: t.Traits.Name.Value, Username: t.Traits.Username.Value,
		Phone: t.Traits.Phone.Value, Group: t.Traits.Group, Unreachable: t.Traits.Unreachable, ThreadID: t.ID,
	}
	if t.Traits.ReachAt.IsZero() {
		i.Unreachable = was.Unreachable
	}
	return i
}

// inherit decides once, for a contact of an earlier version, which fields a person has set: they were not marked, except the
// name. A phone number that is an id of the contact came from the provider. A group had name and phone of its last writer.
func (c *Contact) inherit(ts []*Thread) bool {
	if c.Named { // also written by an earlier version that still runs
		c.mark(FieldName)
	}
	changed := c.Named || !c.Projected
	if c.Named = false; c.Projected {
		return changed
	}
	c.Projected = true
	if len(c.Identities) == 1 {
		c.Identities[0].Unreachable = c.Reach
	}
	own := false
	for _, t := range ts {
		own = own || slices.Contains(append([]string{t.Peer}, t.Aliases...), strings.TrimPrefix(c.Phone, "+"))
		if t.Traits.Group {
			c.Phone, c.Email = "", ""
			if !slices.Contains(c.Edited, FieldName) {
				c.Name = ""
			}
		}
	}
	if c.Phone != "" && !own {
		c.mark(FieldPhone)
	}
	if c.Email != "" {
		c.mark(FieldEmail)
	}
	if c.AvatarURL != "" {
		c.mark(FieldAvatar)
	}
	return true
}

// Edit changes a contact for a person. The fields that edit returns are the person's from then on, also those that it emptied.
func (r *Store) Edit(ctx context.Context, contactID string, edit func(*Contact) (fields []string, err error)) (*Contact, error) {
	return r.Contacts.Update(ctx, contactID, func(c *Contact) error {
		ts, err := r.threadsOf(ctx, c)
		if err != nil {
			return err
		}
		c.inherit(ts)
		fields, err := edit(c)
		if err != nil {
			return err
		}
		c.mark(fields...)
		c.project(ts)
		return nil
	})
}

// mark makes fields the person's.
func (c *Contact) mark(fields ...string) {
	c.Edited = append(c.Edited, fields...)
	slices.Sort(c.Edited)
	c.Edited = slices.Compact(c.Edited)
}

// projected gives the contact what the thread has learned. A process that dies between the two leaves the mark in the thread, and
// the next event of the peer finds it.
func (r *Store) projected(ctx context.Context, t *Thread, at event.Time) (*Thread, error) {
	if !t.Unprojected {
		return t, nil
	}
	if err := r.project(ctx, t.ContactID, at); err != nil {
		return nil, err
	}
	return r.Threads.Update(ctx, t.ID, func(d *Thread) error {
		if !d.Unprojected || d.Traits != t.Traits || d.Peer != t.Peer {
			return store.Unchanged // a newer word is projected by whoever brought it
		}
		d.Unprojected = false
		return nil
	})
}

// project projects a contact; one that was deleted stays so. The threads are read in the Update, on every try, so that of two that
// project at once the later sees both words.
func (r *Store) project(ctx context.Context, contactID string, at event.Time) error {
	return r.alter(ctx, contactID, func(c *Contact) (bool, error) {
		ts, err := r.threadsOf(ctx, c)
		if err != nil || !c.project(ts) {
			return false, err
		}
		c.UpdatedAt = at
		return true, nil
	})
}

// threadsOf reads the threads of a contact; one that is just being made is left out.
func (r *Store) threadsOf(ctx context.Context, c *Contact) ([]*Thread, error) {
	ids := make([]string, len(c.Identities))
	for i, x := range c.Identities {
		ids[i] = x.ThreadID
	}
	ts, err := r.Threads.GetMany(ctx, ids)
	return slices.DeleteFunc(ts, func(t *Thread) bool { return t == nil }), err
}

// alter changes a contact; one that was deleted stays so.
func (r *Store) alter(ctx context.Context, contactID string, change func(*Contact) (bool, error)) error {
	_, err := r.Contacts.Update(ctx, contactID, func(c *Contact) error {
		changed, err := change(c)
		if err != nil {
			return err
		}
		return unless(!changed)
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
