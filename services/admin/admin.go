// Package admin is the service that configures: channels with their sealed secrets, users, API keys, tenants and their
// settings, organization units, and the audit log. It alone writes these documents; everybody else reads them through the
// directory.
package admin

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/admin/api"
)

//go:embed openapi.yaml
var openapi []byte

// Service is admin.
var Service = run.Service{Name: "admin", Settings: []config.Settings{config.Declare[Bootstrap]()}, Collections: collections, New: New}

var collections = append([]store.Spec{auditSpec, headSpec}, directory.Specs...)

type server struct {
	directory *directory.Directory
	auth      *auth.Authenticator
	sealer    *auth.Sealer
	bus       bus.Bus
	egress    *egress.Client
	publicURL string
	now       func() time.Time
	log       *slog.Logger

	channels *store.Collection[directory.Channel]
	claims   *store.Collection[directory.Claim]
	keys     *store.Collection[directory.APIKey]
	users    *store.Collection[directory.User]
	emails   *store.Collection[directory.Email]
	tenants  *store.Collection[directory.Tenant]
	units    *store.Collection[directory.Unit]
	audit    *store.Collection[Entry]
	heads    *store.Collection[head]
	logins   *attempts

	digestKey []byte
}

// New builds the service.
func New(ctx context.Context, env *run.Env) (*run.Parts, error) {
	if err := env.DB.Require(ctx, collections...); err != nil {
		return nil, err
	}
	applier := store.NewApplier(env.DB, env.Bus, env.Log)
	facts := store.Facts(applier)
	s := &server{
		directory: env.Directory, auth: env.Auth, sealer: env.Sealer, bus: env.Bus, egress: env.Egress, publicURL: env.PublicURL, now: env.Now, log: env.Log,
		channels: store.NewCollection[directory.Channel](env.DB, directory.Channels, facts),
		claims:   store.NewCollection[directory.Claim](env.DB, directory.Claims),
		keys:     store.NewCollection[directory.APIKey](env.DB, directory.APIKeys, facts),
		users:    store.NewCollection[directory.User](env.DB, directory.Users, facts),
		emails:   store.NewCollection[directory.Email](env.DB, directory.Emails),
		tenants:  store.NewCollection[directory.Tenant](env.DB, directory.Tenants, facts),
		units:    store.NewCollection[directory.Unit](env.DB, directory.Units, facts),
		audit:    store.NewCollection[Entry](env.DB, auditSpec),
		heads:    store.NewCollection[head](env.DB, headSpec),
		logins:   newAttempts(env.Now),
	}
	if err := s.findKey(ctx, env); err != nil {
		return nil, err
	}
	if err := s.bootstrap(ctx, config.Of[Bootstrap](env.Config)); err != nil {
		return nil, err
	}
	spec, err := httpapi.LoadSpec(openapi)
	if err != nil {
		return nil, err
	}
	return &run.Parts{
		Routes: func(r gin.IRouter) {
			guarded := r.Group("", s.open(spec)...)
			api.RegisterHandlersWithOptions(guarded, s, api.GinServerOptions{ErrorHandler: httpapi.BadParameter})
		},
		Loops: []run.Loop{{Name: "facts", Run: applier.Run}},
	}, nil
}

// findKey reads the key of digests. Its first value is derived from the encryption key: digests of earlier versions are under that.
func (s *server) findKey(ctx context.Context, env *run.Env) error {
	secret, err := env.Config.Key()
	if err != nil {
		return err
	}
	first, err := hkdf.Key(sha256.New, secret, nil, "tributary request digests v1", 32)
	if err == nil {
		s.digestKey, err = directory.Secret(ctx, env.DB, env.Sealer, directory.RequestDigests, first)
	}
	if err != nil {
		return fmt.Errorf("digest key: %w", err)
	}
	return nil
}

// loginBody is how many bytes a sign-in may have: an address and a password of the longest, each character escaped.
const loginBody = 16 << 10

// open guards every operation but the one that makes a caller of somebody: that takes less, and no credentials.
func (s *server) open(spec *httpapi.Spec) []gin.HandlerFunc {
	guard := httpapi.Guard(s.auth, spec)
	little := httpapi.LimitBody(loginBody)
	for i, h := range guard {
		guard[i] = func(c *gin.Context) {
			switch login := c.FullPath() == "/v1/auth/login"; {
			case login && i == 0: // the limit of the body
				little(c)
			case login && (i == 2 || i == 3): // caller and quota
				c.Next()
			default:
				h(c)
			}
		}
	}
	return guard
}

// idempotency is the request's key. The digest of its body, which may hold secrets, is kept under a key of ours: nobody who
// reads the store can try out passwords on it.
func (s *server) idempotency(c *gin.Context) (httpapi.Idempotency, error) {
	key, err := httpapi.IdempotencyKey(c, false)
	if err != nil {
		return key, err
	}
	key.Digest = s.keyed(key.Digest)
	return key, nil
}

// keyed is a digest under a key of ours: whoever reads the store cannot try out values on it.
func (s *server) keyed(value string) string { return hex.EncodeToString(s.mac(value)) }

func (s *server) mac(value string) []byte {
	mac := hmac.New(sha256.New, s.digestKey)
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

func (s *server) at() event.Time { return event.At(s.now()) }
