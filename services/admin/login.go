package admin

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"

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
	if !s.logins.allow(email) {
		httpapi.Fail(c, fault.Later("rate_limited", time.Minute, "too many attempts to sign in; wait a minute"))
		return
	}
	ctx := c.Request.Context()
	known, doc, err := s.byEmail(ctx, email)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	hash := nobody()
	if doc != nil {
		hash = doc.Password
	}
	match, err := s.match(ctx, in.Password, hash)
	if err == nil && (!match || doc == nil || doc.Disabled) {
		err = auth.ErrUnauthenticated
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	known.Sessions = doc.Sessions
	token, ends, err := s.auth.Session(known)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, gin.H{"token": token, "expires_at": event.At(ends), "user": showUser(doc)})
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

// match compares a password. Each comparison takes 64 MiB, so only a few are made at once.
func (s *server) match(ctx context.Context, password, hash string) (bool, error) {
	select {
	case s.hashing <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-s.hashing }()
	return auth.MatchPassword(password, hash), nil
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

// throttle slows down guessing: ten attempts at once per address, then one every six seconds.
type throttle struct {
	mu    sync.Mutex
	now   func() time.Time
	of    map[string]*attempts
	swept time.Time
}

type attempts struct {
	*rate.Limiter
	last time.Time
}

const (
	attemptEvery   = 6 * time.Second
	attemptsAtOnce = 10
)

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, of: map[string]*attempts{}}
}

func (t *throttle) allow(who string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if now.Sub(t.swept) > attemptsAtOnce*attemptEvery { // whoever was silent for that long begins anew anyway
		maps.DeleteFunc(t.of, func(_ string, a *attempts) bool { return now.Sub(a.last) > attemptsAtOnce*attemptEvery })
		t.swept = now
	}
	a := t.of[who]
	if a == nil {
		a = &attempts{Limiter: rate.NewLimiter(rate.Every(attemptEvery), attemptsAtOnce)}
		t.of[who] = a
	}
	a.last = now
	return a.AllowN(now, 1)
}
