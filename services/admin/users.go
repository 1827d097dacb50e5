package admin

import (
	"context"
	"errors"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/admin/api"
)

type userInput struct {
	Name      string `json:"name"`
	Email     string `json:"email"`
	Password  string `json:"password,omitempty"`
	Role      string `json:"role"`
	OUID      string `json:"ou_id,omitempty"`
	AvatarURL string `json:"avatar_url,omitempty"`
	Disabled  bool   `json:"disabled,omitempty"`
}

func (in *userInput) check(t *directory.Tenant) error {
	var bad httpapi.Fields
	in.Email = strings.ToLower(strings.TrimSpace(in.Email))
	if a, err := mail.ParseAddress(in.Email); err != nil || a.Address != in.Email {
		bad.Add("/email", "bad_format", "not an e-mail address")
	}
	if n := len([]rune(in.Name)); n < 1 || n > 128 {
		bad.Add("/name", "out_of_range", "a name has 1 to 128 characters")
	}
	if in.Password != "" && len(in.Password) < 10 {
		bad.Add("/password", "out_of_range", "a password has at least 10 characters")
	}
	if _, builtin := auth.Roles[in.Role]; !builtin && t.Roles[in.Role] == nil {
		bad.Add("/role", "bad_value", "there is no role %q", in.Role)
	}
	return bad.Err()
}

// ListUsers implements api.ServerInterface.
func (s *server) ListUsers(c *gin.Context, _ api.ListUsersParams) {
	p := httpapi.Caller(c)
	show, err := shownTo(p, auth.UsersRead, showUser, nameUser)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	list(c, s.users, store.Query{Where: []store.Eq{{Field: "tenant", Value: p.Tenant}}, Order: "created_at"}, show)
}

// CreateUser implements api.ServerInterface.
func (s *server) CreateUser(c *gin.Context, _ api.CreateUserParams) {
	p := httpapi.Caller(c)
	var in userInput
	key, err := s.idempotency(c)
	if err == nil {
		err = errors.Join(p.Require(auth.UsersWrite), httpapi.Body(c, &in))
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	doc, err := s.createUser(c, key, in)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.JSON(http.StatusCreated, showUser(doc))
}

func (s *server) createUser(c *gin.Context, key httpapi.Idempotency, in userInput) (*directory.User, error) {
	p, ctx := httpapi.Caller(c), c.Request.Context()
	t, err := s.directory.Tenant(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	doc := &directory.User{}
	doc.ID, doc.Tenant, doc.Digest = key.ID(c, "usr"), p.Tenant, key.Digest
	if have, err := s.users.Get(ctx, doc.ID); err == nil {
		return have, key.Repeat(c, have.Digest)
	} else if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err := errors.Join(in.check(&t), s.unitExists(ctx, p.Tenant, in.OUID)); err != nil {
		return nil, err
	}
	if err := s.mayGive(ctx, p, authority{t.Permissions(in.Role), in.OUID}); err != nil {
		return nil, err
	}
	if err := s.addUser(ctx, doc, in); isExists(err) { // the same call, at the same time
		have, err := s.users.Get(ctx, doc.ID)
		if err != nil {
			return nil, err
		}
		return have, key.Repeat(c, have.Digest)
	} else if err != nil {
		return nil, err
	}
	return doc, s.record(c, "user.created", doc.ID, nil, doc)
}

// addUser claims the address, then stores the user; store.ErrExists if it is there.
func (s *server) addUser(ctx context.Context, doc *directory.User, in userInput) error {
	if err := s.claimEmail(ctx, doc.Tenant, doc.ID, in.Email); err != nil {
		return err
	}
	in.into(doc)
	doc.Version, doc.CreatedAt = 1, s.at()
	directory.Tell(&doc.Meta, "admin", directory.EntityUser, 1, false, doc.CreatedAt)
	if err := s.users.Insert(ctx, doc); err != nil {
		return err
	}
	s.directory.Changed(event.Config{Entity: directory.EntityUser, ID: doc.ID, Version: 1})
	return nil
}

func (in *userInput) into(d *directory.User) {
	d.Name, d.Email, d.Role, d.OUID, d.AvatarURL = in.Name, in.Email, in.Role, in.OUID, in.AvatarURL
	if in.Password != "" {
		d.Password = auth.HashPassword(in.Password)
		d.Sessions++
	}
	if in.Disabled && !d.Disabled {
		d.Sessions++
	}
	d.Disabled = in.Disabled
}

// GetUser implements api.ServerInterface.
func (s *server) GetUser(c *gin.Context, id api.ID) {
	p := httpapi.Caller(c)
	show, err := shownTo(p, auth.UsersRead, showUser, nameUser)
	var doc *directory.User
	if err == nil {
		doc, err = s.user(c.Request.Context(), p.Tenant, id)
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.JSON(http.StatusOK, show(doc))
}

func (s *server) user(ctx context.Context, tenant, id string) (*directory.User, error) {
	doc, err := s.users.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || (err == nil && doc.Tenant != tenant) {
		return nil, gone("user", id)
	}
	return doc, httpapi.StoreError(err)
}

// PatchUser implements api.ServerInterface.
func (s *server) PatchUser(c *gin.Context, id api.ID) {
	doc, err := s.patchUser(c, id)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.JSON(http.StatusOK, showUser(doc))
}

func (s *server) patchUser(c *gin.Context, id string) (*directory.User, error) {
	p, ctx := httpapi.Caller(c), c.Request.Context()
	if err := p.Require(auth.UsersWrite); err != nil {
		return nil, err
	}
	raw, err := httpapi.Raw(c)
	if err != nil {
		return nil, err
	}
	before, err := s.user(ctx, p.Tenant, id)
	if err != nil {
		return nil, err
	}
	t, err := s.directory.Tenant(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	wanted := ""
	doc, err := s.users.Update(ctx, id, func(d *directory.User) error {
		in := userInput{Name: d.Name, Email: d.Email, Role: d.Role, OUID: d.OUID, AvatarURL: d.AvatarURL, Disabled: d.Disabled}
		if err := httpapi.MergePatch(&in, raw); err != nil {
			return err
		}
		if err := errors.Join(in.check(&t), s.unitExists(ctx, d.Tenant, in.OUID)); err != nil {
			return err
		}
		if err := s.mayGive(ctx, p, authority{t.Permissions(d.Role), d.OUID}, authority{t.Permissions(in.Role), in.OUID}); err != nil {
			return err
		}
		if wanted = ""; in.Email != d.Email {
			wanted = in.Email
			if err := s.claimEmail(ctx, d.Tenant, d.ID, in.Email); err != nil {
				return err
			}
		}
		in.into(d)
		d.Version++
		directory.Tell(&d.Meta, "admin", directory.EntityUser, d.Version, false, s.at())
		return nil
	})
	if err != nil {
		if wanted != "" && fault.KindOf(err) != fault.Unavailable { // if the store is away it may have been written
			s.releaseEmail(ctx, id, wanted)
		}
		return nil, err
	}
	if doc.Email != before.Email {
		s.releaseEmail(ctx, id, before.Email)
	}
	s.directory.Changed(event.Config{Entity: directory.EntityUser, ID: id, Version: doc.Version})
	return doc, s.record(c, "user.changed", id, before, doc)
}

// nameUser is what colleagues see of a user.
func nameUser(d *directory.User) map[string]any {
	out := map[string]any{"id": d.ID, "agent_id": directory.AgentOf(d.ID), "name": d.Name}
	if d.AvatarURL != "" {
		out["avatar_url"] = d.AvatarURL
	}
	return out
}

func showUser(d *directory.User) map[string]any {
	out := map[string]any{
		"id": d.ID, "agent_id": directory.AgentOf(d.ID), "name": d.Name, "email": d.Email, "role": d.Role, "disabled": d.Disabled,
		"created_at": d.CreatedAt,
	}
	if d.OUID != "" {
		out["ou_id"] = d.OUID
	}
	if d.AvatarURL != "" {
		out["avatar_url"] = d.AvatarURL
	}
	return out
}

// unitExists checks a reference to an organization unit of the tenant; none is fine.
func (s *server) unitExists(ctx context.Context, tenant, id string) error {
	if id == "" {
		return nil
	}
	_, err := s.directory.Unit(ctx, tenant, id)
	return httpapi.Named(err, "/ou_id", "organization unit", id)
}

func permissions(names []string) ([]auth.Permission, error) {
	var bad httpapi.Fields
	out := make([]auth.Permission, 0, len(names))
	for i, n := range names {
		if p := auth.Permission(n); slices.Contains(auth.All, p) {
			out = append(out, p)
		} else {
			bad.Add("/scopes/"+strconv.Itoa(i), "bad_value", "there is no permission %q", n)
		}
	}
	return out, bad.Err()
}
