package admin

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/admin/api"
)

// GetTenantSettings implements api.ServerInterface.
func (s *server) GetTenantSettings(c *gin.Context) {
	t, err := s.tenants.Get(c.Request.Context(), httpapi.Caller(c).Tenant)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.JSON(http.StatusOK, t.Settings)
}

// PatchTenantSettings implements api.ServerInterface.
func (s *server) PatchTenantSettings(c *gin.Context) {
	p, ctx := httpapi.Caller(c), c.Request.Context()
	raw, err := httpapi.Raw(c)
	if err == nil {
		err = p.Require(auth.SettingsWrite)
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	var before directory.Settings
	t, err := s.tenants.Update(ctx, p.Tenant, func(t *directory.Tenant) error {
		before = t.Settings
		if err := httpapi.MergePatchOver(&t.Settings, directory.DefaultSettings(""), raw); err != nil {
			return err
		}
		if err := checkSettings(t); err != nil {
			return err
		}
		if before.EnforceOUIsolation && !t.Settings.EnforceOUIsolation { // which gives the caller all units
			if err := s.mayGive(ctx, p, authority{}); err != nil {
				return err
			}
		}
		t.Version++
		directory.Tell(&t.Meta, "admin", directory.EntityTenant, t.Version, false, s.at())
		return nil
	})
	if err == nil {
		s.directory.Changed(event.Config{Entity: directory.EntityTenant, ID: t.ID, Version: t.Version})
		err = s.record(c, "tenant_settings.changed", t.ID, before, t.Settings)
	}
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.JSON(http.StatusOK, t.Settings)
}

func checkSettings(t *directory.Tenant) error {
	var bad httpapi.Fields
	if m := t.Settings.OfflineReassignMinutes; m < 5 || m > 600 {
		bad.Add("/offline_reassign_interval_minutes", "out_of_range", "5 to 600 minutes")
	}
	if n := len([]rune(t.Settings.SpaceName)); n < 1 || n > 128 {
		bad.Add("/space_name", "out_of_range", "the name of the space has 1 to 128 characters")
	}
	for i, r := range t.Settings.AnswerAssignsRoles {
		if _, builtin := auth.Roles[r]; !builtin && t.Roles[r] == nil {
			bad.Add("/answer_assigns_roles/"+strconv.Itoa(i), "bad_value", "there is no role %q", r)
		}
	}
	return bad.Err()
}

// ListUnits implements api.ServerInterface.
func (s *server) ListUnits(c *gin.Context, _ api.ListUnitsParams) {
	q := store.Query{Where: []store.Eq{{Field: "tenant", Value: httpapi.Caller(c).Tenant}}, Order: "name"}
	list(c, s.units, q, showUnit)
}

// CreateUnit implements api.ServerInterface.
func (s *server) CreateUnit(c *gin.Context, _ api.CreateUnitParams) {
	u, err := s.createUnit(c)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.JSON(http.StatusCreated, showUnit(u))
}

func (s *server) createUnit(c *gin.Context) (*directory.Unit, error) {
	p, ctx := httpapi.Caller(c), c.Request.Context()
	if err := p.Require(auth.SettingsWrite); err != nil {
		return nil, err
	}
	key, err := s.idempotency(c)
	if err != nil {
		return nil, err
	}
	var in struct {
		Name     string `json:"name"`
		ParentID string `json:"parent_id"`
	}
	if err := httpapi.Body(c, &in); err != nil {
		return nil, err
	}
	u := &directory.Unit{Name: in.Name, ParentID: in.ParentID, Version: 1, Digest: key.Digest}
	u.ID, u.Tenant = key.ID(c, "ou"), p.Tenant
	if in.ParentID != "" {
		parent, err := s.units.Get(ctx, in.ParentID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err != nil || parent.Tenant != p.Tenant {
			return nil, fault.At("/parent_id", "bad_value", "there is no unit %s", in.ParentID)
		}
		u.Path = slices.Clone(parent.Path)
	}
	u.Path = append(u.Path, u.ID)
	directory.Tell(&u.Meta, "admin", directory.EntityUnit, 1, false, s.at())
	if err := s.units.Insert(ctx, u); isExists(err) {
		if u, err = s.units.Get(ctx, u.ID); err != nil {
			return nil, err
		}
		return u, key.Repeat(c, u.Digest)
	} else if err != nil {
		return nil, err
	}
	s.directory.Changed(event.Config{Entity: directory.EntityUnit, ID: u.ID, Version: 1})
	return u, s.record(c, "organization_unit.created", u.ID, nil, u)
}

func showUnit(u *directory.Unit) map[string]any {
	out := map[string]any{"id": u.ID, "name": u.Name, "path": u.Path}
	if u.ParentID != "" {
		out["parent_id"] = u.ParentID
	}
	return out
}
