package admin

import (
	"context"
	"slices"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// authority is what a key, a user or a role lets its holder do, and in which organization unit; no unit is all of them.
type authority struct {
	permissions []auth.Permission
	ouID        string
}

// mayGive refuses to hand out authority that the caller lacks, and to act on whoever has it: every operation that makes, changes
// or ends a key, a user or a role asks it, with the authority before and after.
func (s *server) mayGive(ctx context.Context, p *auth.Principal, all ...authority) error {
	for _, a := range all {
		for _, x := range a.permissions {
			if !p.May(x) {
				return fault.New(fault.Denied, "forbidden", "this needs the permission %s: you can give only what you have, and act only on those who have no more", x)
			}
		}
		if err := s.inside(ctx, p, a.ouID); err != nil {
			return err
		}
	}
	return nil
}

// inside refuses authority beyond the caller's organization unit and those below it, where the tenant isolates units.
func (s *server) inside(ctx context.Context, p *auth.Principal, ouID string) error {
	if p.OUID == "" || p.OUID == ouID {
		return nil
	}
	t, err := s.directory.Tenant(ctx, p.Tenant)
	if err != nil || !t.Settings.EnforceOUIsolation {
		return err
	}
	if ouID != "" {
		u, err := s.directory.Unit(ctx, p.Tenant, ouID)
		if err != nil && !fault.Is(err, fault.Gone) {
			return err
		}
		if slices.Contains(u.Path, p.OUID) {
			return nil
		}
	}
	return fault.New(fault.Denied, "forbidden", "your organization unit is %s: this needs one that is it or lies below it", p.OUID)
}

// shownTo chooses how a thing is shown: whole to whoever has the permission to read it, by its name to the other users of the
// tenant, who work with it. An API key is for what its scopes say, and needs the permission.
func shownTo[T any](p *auth.Principal, x auth.Permission, whole, name func(T) map[string]any) (func(T) map[string]any, error) {
	if p.May(x) {
		return whole, nil
	}
	if p.Kind == "user" {
		return name, nil
	}
	return nil, p.Require(x)
}
