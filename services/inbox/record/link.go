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

// link joins the thread of an alias with t, now that both are known to be one person: the younger one goes on in the older.
// It returns the thread that goes on. While the younger one has a conversation open, or never had any, both go on as they are;
// the next event that names both asks again.
func (r *Store) link(ctx context.Context, t *Thread, a *Alias) (*Thread, error) {
	other, err := r.goesOn(ctx, a.ThreadID)
	if errors.Is(err, store.ErrNotFound) {
		return t, nil // it is just being made
	}
	if err != nil {
		return nil, err
	}
	older, younger := t, other
	if other.before(t) {
		older, younger = other, t
	}
	if older.ID != younger.ID {
		joined, err := r.join(ctx, younger, older)
		if err != nil || !joined {
			return t, err
		}
		if older, err = r.inform(ctx, older, younger); err != nil {
			return nil, err
		}
	}
	_, err = r.Aliases.Update(ctx, a.ID, func(d *Alias) error {
		if d.ThreadID == older.ID {
			return store.Unchanged
		}
		d.ThreadID = older.ID
		return nil
	})
	return older, err
}

// inform lets the thread that goes on know what the other one knew of the peer.
func (r *Store) inform(ctx context.Context, older, younger *Thread) (*Thread, error) {
	return r.Threads.Update(ctx, older.ID, func(t *Thread) error {
		if !t.Traits.absorb(younger.Traits) {
			return store.Unchanged
		}
		t.UsernameKey, t.Unprojected = usernameKey(t.Traits.Username.Value), true
		return nil
	})
}

// before orders threads for good, so that two never go on in each other.
func (t *Thread) before(u *Thread) bool {
	return cmp.Or(t.CreatedAt.Compare(u.CreatedAt.Time), cmp.Compare(t.ID, u.ID)) < 0
}

// join lets a thread go on in an older one, from the end of its chain on: whoever comes to the end finds the way, and what the
// chain holds is applied before anybody takes it, so that no message is taken for missing there.
func (r *Store) join(ctx context.Context, younger, older *Thread) (bool, error) {
	tail, err := r.end(ctx, younger)
	if err != nil || tail == nil {
		return false, err
	}
	tail, err = r.Conversations.Update(ctx, tail.ID, func(c *Conversation) error {
		if c.Status != Closed || c.Next != "" || c.Into != "" {
			return store.Unchanged
		}
		c.Into = older.ID
		return nil
	})
	if err != nil || tail.Into == "" {
		return false, err
	}
	if err := r.apply(ctx, tail.ID); err != nil {
		return false, err
	}
	_, err = r.Threads.Update(ctx, younger.ID, func(t *Thread) error {
		if t.Into != "" {
			return store.Unchanged
		}
		t.Into = tail.Into
		return nil
	})
	return tail.Into == older.ID, err
}

// Tail returns the last conversation of the thread's chain, or of the thread in which it goes on; nil if there is none.
func (r *Store) Tail(ctx context.Context, t *Thread) (*Conversation, error) {
	for {
		c, err := r.end(ctx, t)
		if err != nil || c == nil || c.Into == "" {
			return c, err
		}
		if t, err = r.Threads.Get(ctx, c.Into); err != nil {
			return nil, fmt.Errorf("thread %s goes on in %s: %w", c.ThreadID, c.Into, err)
		}
	}
}

// end returns the last conversation of the thread's own chain.
func (r *Store) end(ctx context.Context, t *Thread) (*Conversation, error) {
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

// Renamed follows a change of ids: the new ones lead to the thread of the old ones, and the old ones are free: whoever shows up
// under them next is somebody else. note is called with the thread before they are set free. What was set free by this very
// change, named by ref, is left alone, so a repeat does nothing.
func (r *Store) Renamed(ctx context.Context, p Person, old, fresh []string, ref string, at event.Time, note func(*Thread) error) error {
	known, err := r.aliases(ctx, p, old)
	if err != nil {
		return err
	}
	var left []string
	for i, a := range known {
		if a != nil && a.ThreadID != p.stranger(old[i], ref) {
			left = append(left, old[i])
		}
	}
	if len(left) == 0 {
		return nil // done before, or nobody we know
	}
	o := p.Observed
	p.Peer, p.Aliases, p.Observed = left[0], append(slices.Clone(left[1:]), fresh...), Observed{}
	t, err := r.Thread(ctx, p, at)
	if err != nil {
		return err
	}
	if len(fresh) > 0 {
		if t, err = r.rename(ctx, t, old, fresh, o, at); err != nil {
			return err
		}
	}
	if err := note(t); err != nil {
		return err
	}
	if err := r.forget(ctx, p, left); err != nil {
		return err
	}
	if tail, err := r.end(ctx, t); err != nil || tail != nil {
		if err == nil {
			err = r.apply(ctx, tail.ID) // a message that is in must be found by its id when it comes again
		}
		if err != nil {
			return err
		}
	}
	for _, id := range left {
		if err := r.free(ctx, p, id, ref); err != nil {
			return err
		}
	}
	return nil
}

// rename gives the thread its new ids, and the contact what follows from them: a number among the old ones is not its phone number
// any more. What a contact of an earlier version knows is settled before, by the ids that it had then.
func (r *Store) rename(ctx context.Context, t *Thread, old, fresh []string, o Observed, at event.Time) (*Thread, error) {
	if err := r.project(ctx, t.ContactID, at); err != nil {
		return nil, err
	}
	o.Left = slices.DeleteFunc(slices.Clone(old), func(id string) bool { return slices.Contains(fresh, id) })
	t, err := r.Threads.Update(ctx, t.ID, func(t *Thread) error {
		t.learn(fresh)
		t.Aliases = slices.DeleteFunc(t.Aliases, func(id string) bool { return slices.Contains(o.Left, id) })
		t.observe(o)
		t.Unprojected = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r.projected(ctx, t, at)
}

// free takes an id away from its thread.
func (r *Store) free(ctx context.Context, p Person, id, ref string) error {
	kind, post := p.kind()
	_, err := r.Aliases.Update(ctx, AliasID(p.Tenant, p.ChannelID, kind, post, id), func(a *Alias) error {
		a.ThreadID = p.stranger(id, ref)
		return nil
	})
	return err
}

// stranger is the thread of whoever comes under an id after it was set free.
func (p Person) stranger(id, ref string) string {
	kind, post := p.kind()
	return ThreadID(p.Tenant, p.ChannelID, kind, post, id+"#"+ref)
}
