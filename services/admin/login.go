package admin

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/admin/api"
)

// nobody's password is compared when there is no such user, so that the answer takes as long.
var nobody = sync.OnceValue(func() string { return auth.HashPassword("nobody has this password") })

// Login implements api.ServerInterface.
func (s *server) Login(c *gin.Context) {
	var in api.LoginJSONBody
	if err := httpapi.Body(c, &in); err != nil {
		httpapi.Fail(c, err)
		return
	}
	email := strings.ToLower(strings.TrimSpace(in.Email))
	ctx, from := c.Request.Context(), httpapi.Source(c)
	if err := s.logins.admit(email, from); err != nil {
		httpapi.Fail(c, err)
		return
	}
	known, doc, err := s.byEmail(ctx, email)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	hash := nobody()
	if doc != nil {
		hash = doc.Password
	}
	match, err := s.logins.match(ctx, email, from, in.Password, hash)
	if err == nil && (!match || doc == nil || doc.Disabled) {
		err = auth.ErrUnauthenticated
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	s.logins.succeeded(email, from)
	known.Sessions = doc.Sessions
	token, ends, err := s.auth.Session(known)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	out := gin.H{"expires_at": event.At(ends), "user": showUser(doc)}
	if in.Cookie != nil && *in.Cookie {
		err = httpapi.KeepSession(c, token, auth.SessionLength)
	} else {
		out["token"] = token
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, out)
}

// byEmail returns the user who may sign in with an address: as the directory has it, and the document; nil if there is none.
func (s *server) byEmail(ctx context.Context, email string) (auth.User, *directory.User, error) {
	known, err := s.directory.UserByEmail(ctx, email)
	if fault.Is(err, fault.Gone) {
		return known, nil, nil
	}
	if err != nil {
		return known, nil, err
	}
	doc, err := s.users.Get(ctx, known.ID)
	if err != nil {
		return known, nil, httpapi.StoreError(err)
	}
	if doc.Password == "" || doc.Email != email {
		return known, nil, nil
	}
	return known, doc, nil
}

// mostEnded is how many ended sessions a user's document names; whoever ends more at once ends all.
const mostEnded = 50

// Logout implements api.ServerInterface: the session that makes the call ends, here and on every replica.
func (s *server) Logout(c *gin.Context) {
	p, ctx := httpapi.Caller(c), c.Request.Context()
	if p.Session == "" {
		httpapi.Fail(c, fault.New(fault.Invalid, "not_applicable", "only a session of POST /v1/auth/login can be ended; revoke an API key, sign out at the issuer of another token"))
		return
	}
	doc, err := s.users.Update(ctx, p.ID, func(d *directory.User) error {
		now := s.at()
		d.Ended = slices.DeleteFunc(d.Ended, func(e directory.Ended) bool { return !e.Until.After(now) })
		if d.Ended = append(d.Ended, directory.Ended{ID: p.Session, Until: event.At(p.Until)}); p.Session == auth.Unnamed || len(d.Ended) > mostEnded {
			d.Ended = nil // all of them end
			d.Sessions++
		}
		d.Version++
		directory.Tell(&d.Meta, "admin", directory.EntityUser, d.Version, false, now)
		return nil
	})
	if err == nil {
		s.directory.Changed(event.Config{Entity: directory.EntityUser, ID: p.ID, Version: doc.Version})
		err = s.record(c, "session.ended", p.ID, nil, nil)
	}
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	httpapi.DropSession(c)
	c.Status(http.StatusNoContent)
}

// Me implements api.ServerInterface.
func (s *server) Me(c *gin.Context) {
	p := httpapi.Caller(c)
	perms := make([]string, len(p.Permissions))
	for i, x := range p.Permissions {
		perms[i] = string(x)
	}
	out := gin.H{"tenant": p.Tenant, "kind": p.Kind, "id": p.ID, "name": p.Name, "role": p.Role, "permissions": perms}
	if p.AgentID != "" {
		out["agent_id"] = p.AgentID
	}
	c.JSON(http.StatusOK, out)
}
