package admin

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
)

// rests reports whether a claim may still be waiting for its owner's document.
func (s *server) rests(since event.Time) bool {
	return s.now().Sub(since.Time) < directory.ClaimRests
}

// claim takes the provider's accounts for the channel, once across tenants. It is done before the channel's document names
// them. What is claimed so far is in d.Claims, also after an error.
func (s *server) claim(ctx context.Context, d *directory.Channel, info channel.Info) error {
	d.Claims = nil
	for _, key := range info.Account {
		account := d.Settings.Text(key)
		if account == "" {
			continue
		}
		id := directory.AccountClaim(d.Type, key, account)
		taken := fault.New(fault.Conflict, "account_claimed", "another channel has the %s %s", strings.ReplaceAll(key, "_", " "), account)
		_, err := s.claims.Upsert(ctx, id, func() *directory.Claim { return &directory.Claim{} }, func(have *directory.Claim) error {
			if have.ChannelID == d.ID && s.rests(have.Since) {
				return store.Unchanged
			}
			if have.ChannelID != d.ID && have.ChannelID != "" {
				if free, err := s.vacant(ctx, have); err != nil {
					return err
				} else if !free {
					return taken
				}
			}
			have.Tenant, have.ChannelID, have.Since = d.Tenant, d.ID, s.at()
			return nil
		})
		if err != nil {
			return httpapi.StoreError(err)
		}
		d.Claims = append(d.Claims, id)
	}
	return nil
}

// vacant reports whether a claim is nobody's any more: its channel is deleted, or was given a minute to name it and does not.
func (s *server) vacant(ctx context.Context, claim *directory.Claim) (bool, error) {
	owner, err := s.channels.Get(ctx, claim.ChannelID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return !s.rests(claim.Since), nil
	case err != nil:
		return false, err
	}
	return owner.Deleted || (!slices.Contains(owner.Claims, claim.ID) && !s.rests(claim.Since)), nil
}

// release gives claims back. One that stays behind is free anyway, a minute later.
func (s *server) release(ctx context.Context, claims []string, channelID string) {
	for _, id := range claims {
		have, err := s.claims.Get(ctx, id)
		if err == nil && have.ChannelID == channelID {
			_ = s.claims.Remove(ctx, have) // changed meanwhile: it is somebody else's now
		}
	}
}

func minus(a, b []string) (out []string) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// claimEmail takes an address for a user, once across tenants, before the user's document names it.
func (s *server) claimEmail(ctx context.Context, tenant, userID, email string) error {
	_, err := s.emails.Upsert(ctx, directory.EmailClaim(email), func() *directory.Email { return &directory.Email{} }, func(have *directory.Email) error {
		if have.UserID == userID && s.rests(have.Since) {
			return store.Unchanged
		}
		if have.UserID != userID && have.UserID != "" {
			owner, err := s.users.Get(ctx, have.UserID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if (err == nil && owner.Email == email) || s.rests(have.Since) {
				return fault.At("/email", "name_taken", "another user has this address")
			}
		}
		have.Tenant, have.UserID, have.Since = tenant, userID, s.at()
		return nil
	})
	return err
}

// releaseEmail gives an address back that the user does not have.
func (s *server) releaseEmail(ctx context.Context, userID, email string) {
	have, err := s.emails.Get(ctx, directory.EmailClaim(email))
	if err == nil && have.UserID == userID {
		_ = s.emails.Remove(ctx, have) // changed meanwhile: not ours to free
	}
}
