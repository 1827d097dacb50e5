package record

import (
	"context"
	"errors"
	"slices"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// AccountOf names the provider's account that a channel is, by the settings that its type names; empty if it names none.
func AccountOf(info channel.Info, s channel.Settings) string {
	var parts []string
	for _, key := range info.Account {
		if v := s.Text(key); v != "" {
			parts = append(parts, key, v)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return event.Hash(parts...)
}

func (p Person) knownIDs(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = event.DeriveID("knw", p.Tenant, string(p.ChannelType), p.Account, id)
	}
	return out
}

// known returns the contact that the person's ids belong to in the provider's account, and notes contactID for those that are new. A
// channel that is deleted and made again for the same account finds its people so.
func (r *Store) known(ctx context.Context, p Person, contactID string) (string, error) {
	if p.Account == "" {
		return contactID, nil
	}
	ids := p.knownIDs(p.ids())
	found, err := r.Known.GetMany(ctx, ids)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(found, func(k *Known) bool { return k != nil }); i >= 0 {
		contactID = found[i].ContactID
	}
	for i, k := range found {
		if k != nil {
			continue
		}
		k := &Known{ContactID: contactID}
		k.ID, k.Tenant = ids[i], p.Tenant
		err := r.Known.Insert(ctx, k)
		if errors.Is(err, store.ErrExists) {
			return r.known(ctx, p, contactID) // another call was faster: take its contact
		}
		if err != nil {
			return "", err
		}
	}
	return contactID, nil
}

// forget frees ids that are somebody else's from now on.
func (r *Store) forget(ctx context.Context, p Person, ids []string) error {
	if p.Account == "" {
		return nil
	}
	for _, id := range p.knownIDs(ids) {
		if err := r.Known.Delete(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}
