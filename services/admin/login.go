package admin

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/auth"
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
		httpapi.Fail(c, &fault.Error{Kind: fault.Throttled, Code: "rate_limited", After: time.Minute, Err: errTooManyLogins})
		return
	}
	ctx := c.Request.Context()
	known, err := s.directory.UserByEmail(ctx, email)
	if err != nil && !fault.Is(err, fault.Gone) {
		httpapi.Fail(c, err)
		return
	}
	hash := nobody()
	if err == nil {
		doc, err := s.users.Get(ctx, known.ID)
		if err != nil {
			httpapi.Fail(c, httpapi.StoreError(err))
			return
		}
		hash, known.Sessions, known.Disabled = doc.Password, doc.Sessions, doc.Disabled
	}
	if !auth.MatchPassword(in.Password, hash) || err != nil || known.Disabled {
		httpapi.Fail(c, auth.ErrUnauthenticated)
		return
	}
	token, ends, err := s.auth.Session(known)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	doc, err := s.users.Get(ctx, known.ID)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, gin.H{"token": token, "expires_at": event.At(ends), "user": showUser(doc)})
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

var errTooManyLogins = fault.New(fault.Throttled, "rate_limited", "too many attempts to sign in; wait a minute")

// throttle slows down guessing: ten attempts at once per address, then one every six seconds.
type throttle struct {
	mu  sync.Mutex
	now func() time.Time
	of  map[string]*rate.Limiter
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, of: map[string]*rate.Limiter{}}
}

func (t *throttle) allow(who string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.of) > 10_000 {
		clear(t.of) // a guesser of addresses; each begins anew
	}
	l := t.of[who]
	if l == nil {
		l = rate.NewLimiter(rate.Every(6*time.Second), 10)
		t.of[who] = l
	}
	return l.AllowN(t.now(), 1)
}
