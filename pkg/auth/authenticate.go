package auth

import (
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Key is what the directory knows of an API key.
type Key struct {
	ID, Tenant, Name string
	Hash             string
	Scopes           []Permission
	OUID             string
	ExpiresAt        time.Time // zero: never
}

// User is what the directory knows of a user.
type User struct {
	ID, Tenant, Name, Email string
	Role                    string
	AgentID, OUID           string
	Permissions             []Permission // of the role, as the tenant has it
	Queues                  []string     // of the agent
	Sessions                int64        // moves when all sessions of the user are to end
	Ended                   []string     // ids of single sessions that ended before their time
	Disabled                bool
}

// Source is where keys and users are looked up; directory.Directory is one. What is not there is an error of kind Gone.
type Source interface {
	APIKey(ctx context.Context, id string) (Key, error)
	UserByID(ctx context.Context, tenant, id string) (User, error)
	UserByEmail(ctx context.Context, email string) (User, error)
}

// Authenticator finds out who holds a bearer token: an API key, a session of ours, or a token of a configured OIDC issuer.
type Authenticator struct {
	source Source
	key    []byte
	keys   jwt.VerificationKeySet // key, and those of before or after a rotation
	oidc   Verifier
	now    func() time.Time
}

// Verifier checks tokens of another issuer and returns the verified e-mail address, and when the token expires.
type Verifier interface {
	Verify(ctx context.Context, token string) (email string, until time.Time, err error)
}

// Unnamed is the Session of callers whose session is of a version that gave sessions no ids.
const Unnamed = "unnamed"

// SessionLength is how long a sign-in lasts.
const SessionLength = 12 * time.Hour

// NewAuthenticator returns an Authenticator whose sessions are signed with a key derived from secret (the encryption key).
// oidc may be nil. Sessions signed with keys derived from accepted secrets are taken, too: those of a rotation.
func NewAuthenticator(source Source, secret []byte, oidc Verifier, now func() time.Time, accepted ...[]byte) (*Authenticator, error) {
	key, keys, err := SigningKeys("tributary session v1", secret, accepted...)
	if err != nil {
		return nil, fmt.Errorf("session key: %w", err)
	}
	return &Authenticator{source: source, key: key, keys: keys, oidc: oidc, now: now}, nil
}

// SigningKeys derives the keys of tokens of one purpose: the one that signs, and the set of those that verify.
func SigningKeys(purpose string, secret []byte, accepted ...[]byte) (key []byte, keys jwt.VerificationKeySet, err error) {
	for _, s := range append([][]byte{secret}, accepted...) {
		k, err := hkdf.Key(sha256.New, s, nil, purpose, 32)
		if err != nil {
			return nil, keys, err
		}
		keys.Keys = append(keys.Keys, k)
		if key == nil {
			key = k
		}
	}
	return key, keys, nil
}

type claims struct {
	jwt.RegisteredClaims
	Tenant   string `json:"tid"`
	Sessions int64  `json:"ver"`
}

// Session returns a signed token for a user, and when it ends.
func (a *Authenticator) Session(u User) (token string, ends time.Time, err error) {
	now := a.now()
	ends = now.Add(SessionLength)
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID: event.DeriveID("ses", rand.Text()), Issuer: "tributary", Subject: u.ID, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(ends),
		},
		Tenant: u.Tenant, Sessions: u.Sessions,
	}).SignedString(a.key)
	return token, ends, err
}

// Authenticate returns whoever holds the token, or ErrUnauthenticated; an error of another kind means that it could not be
// found out.
func (a *Authenticator) Authenticate(ctx context.Context, bearer string) (*Principal, error) {
	if strings.HasPrefix(bearer, "trb_") {
		return a.byKey(ctx, bearer)
	}
	var c claims
	_, err := jwt.ParseWithClaims(bearer, &c, func(*jwt.Token) (any, error) { return a.keys, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("tributary"), jwt.WithExpirationRequired(), jwt.WithTimeFunc(a.now))
	if err == nil {
		u, err := a.source.UserByID(ctx, c.Tenant, c.Subject)
		if err == nil && (u.Sessions != c.Sessions || c.ID != "" && slices.Contains(u.Ended, c.ID)) {
			return nil, ErrUnauthenticated
		}
		return principal(u, err, c.ExpiresAt.Time, cmp.Or(c.ID, Unnamed))
	}
	if a.oidc == nil {
		return nil, ErrUnauthenticated
	}
	email, until, err := a.oidc.Verify(ctx, bearer)
	if err != nil {
		return nil, ErrUnauthenticated
	}
	u, err := a.source.UserByEmail(ctx, email)
	return principal(u, err, until, "")
}

func (a *Authenticator) byKey(ctx context.Context, text string) (*Principal, error) {
	id, ok := SplitAPIKey(text)
	if !ok {
		return nil, ErrUnauthenticated
	}
	k, err := a.source.APIKey(ctx, id)
	if fault.Is(err, fault.Gone) || (err == nil && !MatchAPIKey(text, k.Hash)) {
		return nil, ErrUnauthenticated
	}
	if err != nil {
		return nil, err
	}
	if !k.ExpiresAt.IsZero() && !a.now().Before(k.ExpiresAt) {
		return nil, ErrUnauthenticated
	}
	return &Principal{Tenant: k.Tenant, Kind: "api_key", ID: "key_" + k.ID, Name: k.Name, Role: "key", OUID: k.OUID, Permissions: k.Scopes, Until: k.ExpiresAt}, nil
}

// principal is a user who was looked up, for as long as the token lasts that named them.
func principal(u User, err error, until time.Time, session string) (*Principal, error) {
	if fault.Is(err, fault.Gone) || err == nil && u.Disabled {
		return nil, ErrUnauthenticated
	}
	if err != nil {
		return nil, err
	}
	return &Principal{
		Tenant: u.Tenant, Kind: "user", ID: u.ID, Name: u.Name, Role: u.Role, AgentID: u.AgentID, OUID: u.OUID, Queues: u.Queues,
		Permissions: u.Permissions, Until: until, Session: session,
	}, nil
}
