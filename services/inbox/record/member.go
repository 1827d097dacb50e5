package record

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	memberFor = 90 * 24 * time.Hour // how long a member's name is kept after it was learned
	renamed   = 50                  // of a conversation's newest messages those that get a name which was learned after them
)

// MemberName is how somebody of a channel's groups is called; empty if that was not learned.
func (r *Store) MemberName(ctx context.Context, tenant, channelID, author string) (string, error) {
	m, err := r.Members.Get(ctx, MemberID(tenant, channelID, author))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return m.Name, nil
}

// Introduce keeps how a member of the thread's group is called. Messages that they have just written, before it was known, get the name.
func (r *Store) Introduce(ctx context.Context, t *Thread, author, name string, at event.Time) error {
	fresh := func() *Member {
		m := &Member{}
		m.Tenant = t.Tenant
		return m
	}
	_, err := r.Members.Upsert(ctx, MemberID(t.Tenant, t.ChannelID, author), fresh, func(m *Member) error {
		m.Name, m.ExpiresAt = name, at.Add(memberFor)
		return nil
	})
	if err != nil {
		return err
	}
	tail, err := r.Tail(ctx, t)
	if err != nil || tail == nil {
		return err
	}
	if err := r.apply(ctx, tail.ID); err != nil { // a message that is in must be found
		return err
	}
	q := store.Query{Where: []store.Eq{{Field: "conversation_id", Value: tail.ID}}, Order: "seq", Desc: true, Limit: renamed}
	ms, _, _, err := r.Messages.Query(ctx, q)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if m.Sender.Author != author || m.Sender.Name != "" {
			continue
		}
		if _, err := r.Messages.Update(ctx, m.ID, func(m *Message) error { return unless(!m.name(author, name, at)) }); err != nil {
			return err
		}
	}
	return nil
}

// name gives the message the name of its author, if it has none. It reports whether it did.
func (m *Message) name(author, name string, at event.Time) bool {
	if m.Sender.Author != author || m.Sender.Name != "" {
		return false
	}
	m.Sender.Name = name
	m.updated("sender", author, event.Actor{Kind: "system"}, at)
	return true
}
