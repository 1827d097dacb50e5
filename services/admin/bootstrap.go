package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// DefaultTenant is the tenant that the bootstrap makes.
const DefaultTenant = "default"

// Bootstrap are the settings of what the service makes by itself.
type Bootstrap struct {
	APIKey        string `key:"bootstrap_api_key" secret:"true" help:"an API key (trb_<id>_<secret>, the secret with at least 16 characters) of the tenant 'default', created at first start"`
	AdminEmail    string `key:"bootstrap_admin_email" help:"owner of the tenant 'default', created at first start"`
	AdminPassword string `key:"bootstrap_admin_password" secret:"true" help:"that owner's password, at least 10 characters"`
}

// Check returns what is wrong with the values.
func (b *Bootstrap) Check() error {
	var errs []error
	if _, ok := auth.SplitAPIKey(b.APIKey); !ok && b.APIKey != "" {
		errs = append(errs, fmt.Errorf("%s: want trb_<id>_<secret>, the secret with at least 16 characters", config.EnvName("bootstrap_api_key")))
	}
	if b.AdminEmail != "" && len(b.AdminPassword) < 10 {
		errs = append(errs, fmt.Errorf("%s: a password has at least 10 characters", config.EnvName("bootstrap_admin_password")))
	}
	return errors.Join(errs...)
}

// bootstrap makes the tenant 'default' with its owner and API key as the configuration names them. A value that was replaced there
// takes effect: another key revokes the one before, another address or password of the owner is the owner's from then on. A value
// that stays the same changes nothing: a password that was changed over the API since is not set back, a key that was revoked stays
// revoked. A value that is not configured any more leaves what it made, and the log says so.
func (s *server) bootstrap(ctx context.Context, cfg *Bootstrap) error {
	if cfg.APIKey != "" || cfg.AdminEmail != "" {
		t := &directory.Tenant{Name: "Default", Settings: directory.DefaultSettings("Default"), Version: 1, CreatedAt: s.at()}
		t.ID, t.Tenant = DefaultTenant, DefaultTenant
		directory.Tell(&t.Meta, "admin", directory.EntityTenant, 1, false, t.CreatedAt)
		if err := s.tenants.Insert(ctx, t); err != nil && !isExists(err) {
			return fmt.Errorf("bootstrap: %w", err)
		}
	}
	if err := s.bootstrapKey(ctx, cfg.APIKey); err != nil {
		return err
	}
	if cfg.AdminEmail == "" {
		return nil
	}
	if err := s.bootstrapOwner(ctx, cfg.AdminEmail, cfg.AdminPassword); err != nil {
		return fmt.Errorf("TRIBUTARY_BOOTSTRAP_ADMIN_EMAIL: %w", err)
	}
	return nil
}

// bootstrapKey makes the key the only live one that a configuration has made; with none configured it only says which one lives.
func (s *server) bootstrapKey(ctx context.Context, text string) error {
	id, ok := auth.SplitAPIKey(text)
	if ok {
		if err := s.setBootstrapKey(ctx, "key_"+id, auth.HashAPIKey(text)); err != nil {
			return fmt.Errorf("bootstrap: %w", err)
		}
	}
	q := store.Query{Where: []store.Eq{{Field: "tenant", Value: DefaultTenant}}, Order: "created_at", Limit: store.MaxLimit}
	for {
		keys, next, _, err := s.keys.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("bootstrap: %w", err)
		}
		for _, k := range keys {
			if k.Revoked || !bootstrapped(k) || ok && k.ID == "key_"+id {
				continue
			}
			if !ok {
				s.log.WarnContext(ctx, "an API key that an earlier configuration made is still valid; revoke it if it is not used", "key", k.ID)
				continue
			}
			if _, err := s.endKey(ctx, k.ID, func(*directory.APIKey) error { return nil }); err != nil {
				return fmt.Errorf("bootstrap: %w", err)
			}
			s.log.WarnContext(ctx, "TRIBUTARY_BOOTSTRAP_API_KEY was replaced: the key before is revoked", "key", k.ID)
		}
		if q.Cursor = next; next == "" {
			return nil
		}
	}
}

// bootstrapped reports whether a configuration made the key. Keys of the first versions carry no mark; nobody had created them.
func bootstrapped(k *directory.APIKey) bool {
	return k.Bootstrap || k.Name == "bootstrap" && k.CreatedBy == ""
}

// setBootstrapKey inserts the configured key, or gives the one that is there the configured secret and all permissions of this
// version.
func (s *server) setBootstrapKey(ctx context.Context, id, hash string) error {
	k := &directory.APIKey{Name: "bootstrap", Hash: hash, Scopes: auth.All, Version: 1, CreatedAt: s.at(), Bootstrap: true}
	k.ID, k.Tenant = id, DefaultTenant
	directory.Tell(&k.Meta, "admin", directory.EntityAPIKey, 1, false, k.CreatedAt)
	if err := s.keys.Insert(ctx, k); err == nil || !isExists(err) {
		return err
	}
	k, err := s.keys.Update(ctx, id, func(k *directory.APIKey) error {
		switch replaced := k.Hash != hash; {
		case k.Tenant != DefaultTenant || !bootstrapped(k):
			return fmt.Errorf("TRIBUTARY_BOOTSTRAP_API_KEY: its id is that of another key, %s", id)
		case replaced:
			k.Hash, k.Revoked = hash, false
			s.log.WarnContext(ctx, "TRIBUTARY_BOOTSTRAP_API_KEY has another secret: the one before is not valid any more", "key", id)
		case k.Revoked || slices.Equal(k.Scopes, auth.All):
			return store.Unchanged
		}
		k.Scopes, k.Bootstrap = auth.All, true
		k.Version++
		directory.Tell(&k.Meta, "admin", directory.EntityAPIKey, k.Version, false, s.at())
		return nil
	})
	if err != nil {
		return err
	}
	if k.Revoked {
		s.log.WarnContext(ctx, "TRIBUTARY_BOOTSTRAP_API_KEY was revoked over the API and stays so: configure another one", "key", id)
	}
	s.directory.Changed(event.Config{Entity: directory.EntityAPIKey, ID: id, Version: k.Version})
	return nil
}

// bootstrapOwner makes the owner, or takes over what the configuration has replaced since it was last read.
func (s *server) bootstrapOwner(ctx context.Context, email, password string) error {
	t, err := s.tenants.Get(ctx, DefaultTenant)
	if err != nil {
		return err
	}
	in := userInput{Name: "Owner", Email: email, Password: password, Role: "owner"}
	if err := in.check(t); err != nil {
		return err
	}
	configured := directory.Configured{Email: s.keyed("bootstrap " + in.Email), Password: s.keyed("bootstrap " + password)}
	u := &directory.User{Bootstrap: &configured}
	u.ID, u.Tenant = event.DeriveID("usr", DefaultTenant, "bootstrap owner"), DefaultTenant
	have, err := s.users.Get(ctx, u.ID)
	if errors.Is(err, store.ErrNotFound) {
		if err = s.addUser(ctx, u, in); !isExists(err) {
			return err
		}
		have, err = s.users.Get(ctx, u.ID)
	}
	if err != nil || have.Bootstrap != nil && *have.Bootstrap == configured {
		return err
	}
	return s.reconfigureOwner(ctx, have, in, configured)
}

// reconfigureOwner gives the owner what was replaced. Owners of the first versions do not tell what they were configured with: what
// they have then stays, and the next replacement takes effect.
func (s *server) reconfigureOwner(ctx context.Context, have *directory.User, in userInput, configured directory.Configured) error {
	first := have.Bootstrap == nil
	if first {
		if !auth.MatchPassword(in.Password, have.Password) || have.Email != in.Email {
			s.log.WarnContext(ctx, "the owner has another address or password than the bootstrap configures, and keeps it: it may have been changed over the API; "+
				"configure another one to replace it", "user", have.ID)
		}
		in.Email, in.Password = have.Email, ""
	} else if have.Bootstrap.Email == configured.Email {
		in.Email = have.Email
	}
	if !first && have.Bootstrap.Password == configured.Password {
		in.Password = ""
	}
	if in.Email != have.Email {
		if err := s.claimEmail(ctx, have.Tenant, have.ID, in.Email); err != nil {
			return err
		}
	}
	doc, err := s.users.Update(ctx, have.ID, func(d *directory.User) error {
		d.Email, d.Bootstrap = in.Email, &configured
		if in.Password != "" {
			d.Password = auth.HashPassword(in.Password)
			d.Sessions++
			s.log.WarnContext(ctx, "TRIBUTARY_BOOTSTRAP_ADMIN_PASSWORD was replaced: it is the owner's from now on, and their sessions have ended", "user", d.ID)
		}
		d.Version++
		directory.Tell(&d.Meta, "admin", directory.EntityUser, d.Version, false, s.at())
		return nil
	})
	if err != nil {
		return err
	}
	if in.Email != have.Email {
		s.releaseEmail(ctx, have.ID, have.Email)
	}
	s.directory.Changed(event.Config{Entity: directory.EntityUser, ID: doc.ID, Version: doc.Version})
	return nil
}
