package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// DefaultTenant is the tenant that the bootstrap makes.
const DefaultTenant = "default"

// bootstrap makes the tenant 'default' with its owner and API key, where the configuration names them. What is there stays as
// it is: a password that was changed since is not set back.
func (s *server) bootstrap(ctx context.Context, cfg *config.Config) error {
	if cfg.BootstrapAPIKey == "" && cfg.BootstrapAdminEmail == "" {
		return nil
	}
	t := &directory.Tenant{Name: "Default", Settings: directory.DefaultSettings("Default"), Version: 1, CreatedAt: s.at()}
	t.ID, t.Tenant = DefaultTenant, DefaultTenant
	directory.Tell(&t.Meta, "admin", directory.EntityTenant, 1, false, t.CreatedAt)
	if err := s.tenants.Insert(ctx, t); err != nil && !isExists(err) {
		return fmt.Errorf("bootstrap: %w", err)
	}
	if cfg.BootstrapAPIKey != "" {
		if err := s.bootstrapKey(ctx, cfg.BootstrapAPIKey); err != nil {
			return err
		}
	}
	if cfg.BootstrapAdminEmail == "" {
		return nil
	}
	if len(cfg.BootstrapAdminPassword) < 10 {
		return errors.New("TRIBUTARY_BOOTSTRAP_ADMIN_PASSWORD: a password has at least 10 characters")
	}
	u := &directory.User{}
	u.ID, u.Tenant = event.DeriveID("usr", DefaultTenant, "bootstrap owner"), DefaultTenant
	if _, err := s.users.Get(ctx, u.ID); err == nil {
		return nil
	} else if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("bootstrap: %w", err)
	}
	in := userInput{Name: "Owner", Email: cfg.BootstrapAdminEmail, Password: cfg.BootstrapAdminPassword, Role: "owner"}
	if err := in.check(t); err != nil {
		return fmt.Errorf("TRIBUTARY_BOOTSTRAP_ADMIN_EMAIL: %w", err)
	}
	if err := s.addUser(ctx, u, in); err != nil && !isExists(err) {
		return fmt.Errorf("bootstrap: %w", err)
	}
	return nil
}

func (s *server) bootstrapKey(ctx context.Context, text string) error {
	id, ok := auth.SplitAPIKey(text)
	if !ok {
		return errors.New("TRIBUTARY_BOOTSTRAP_API_KEY: want trb_<id>_<secret>, the secret with at least 16 characters")
	}
	k := &directory.APIKey{Name: "bootstrap", Hash: auth.HashAPIKey(text), Scopes: auth.All, Version: 1, CreatedAt: s.at()}
	k.ID, k.Tenant = "key_"+id, DefaultTenant
	directory.Tell(&k.Meta, "admin", directory.EntityAPIKey, 1, false, k.CreatedAt)
	if err := s.keys.Insert(ctx, k); err != nil && !isExists(err) {
		return fmt.Errorf("bootstrap: %w", err)
	}
	return nil
}
