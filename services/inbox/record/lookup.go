package record

import (
	"context"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// ByExternalID finds the message of a channel that has a provider's id, nil if there is none. An empty tenant matches all.
func (r *Store) ByExternalID(ctx context.Context, tenant, channelID, externalID string) (*Message, error) {
	if externalID == "" {
		return nil, nil
	}
	q := store.Query{Where: []store.Eq{{Field: "channel_id", Value: channelID}, {Field: "external_ids", Value: externalID}}, Limit: 1}
	ms, _, _, err := r.Messages.Query(ctx, q)
	if err != nil || len(ms) == 0 || (tenant != "" && ms[0].Tenant != tenant) {
		return nil, err
	}
	return ms[0], nil
}

// Recorded waits until every message of a person that is in can be found: a commit is recorded by whoever applies its facts. It makes
// nothing.
func (r *Store) Recorded(ctx context.Context, p Person) error {
	t, err := r.Find(ctx, p)
	if err != nil || t == nil {
		return err
	}
	tail, err := r.Tail(ctx, t)
	if err != nil || tail == nil {
		return err
	}
	return r.apply(ctx, tail.ID)
}

// Anonymous reports whether the thread's newest conversation has a send whose provider id is not known yet.
func (r *Store) Anonymous(ctx context.Context, t *Thread) (bool, error) {
	tail, err := r.Tail(ctx, t)
	if err != nil || tail == nil {
		return false, err
	}
	q := store.Query{Where: []store.Eq{{Field: "conversation_id", Value: tail.ID}}, Order: "seq", Desc: true, Limit: 50}
	ms, _, _, err := r.Messages.Query(ctx, q)
	if err != nil {
		return false, err
	}
	for _, m := range ms {
		if m.Direction == Out && len(m.Attempts) > 0 && len(m.ExternalIDs) == 0 && m.Status.Rank() < event.Failed.Rank() {
			return true, nil
		}
	}
	return false, nil
}

const excerptRunes = 120

// Excerpt is the beginning of what the message says, for quotes and lists.
func (m *Message) Excerpt() string {
	text := m.Content.Text
	if utf8.RuneCountInString(text) <= excerptRunes {
		return text
	}
	runes := []rune(text)
	return string(runes[:excerptRunes-1]) + "…"
}
