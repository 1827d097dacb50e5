package session

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

const (
	sessionFor = time.Hour
	provenFor  = 24 * time.Hour // for so long a session is renewed without a new proof of who the visitor is
)

// session is what a token says: who the browser speaks for.
type session struct {
	jwt.RegisteredClaims                  // subject: the visitor; id: the session; audience: the channel
	Tenant               string           `json:"tnt"`
	Identity             string           `json:"idn,omitempty"` // who the visitor has proved to be
	Profile              *event.Profile   `json:"pro,omitempty"`
	Proven               *jwt.NumericDate `json:"prv,omitempty"` // when

	secret string // that the browser gets with this answer, if it gets one
	via    string // the socket that speaks just now, which needs no copy of what it said
}

func (v session) mailbox() string { return mailboxID(v.Tenant, v.Audience[0], v.Subject, v.Identity) }

var errSession error = fault.New(fault.Denied, "unauthenticated", "the session token is missing, wrong or expired; begin the session again")

func (s *server) sign(v session) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, v).SignedString(s.key)
}

// open reads a token of a session of ch.
func (s *server) open(ch channel.Keyed, token string) (v session, err error) {
	_, err = jwt.ParseWithClaims(token, &v, func(*jwt.Token) (any, error) { return s.keys, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithTimeFunc(s.Now), jwt.WithExpirationRequired(), jwt.WithAudience(ch.ID))
	if err != nil || v.Tenant != ch.Tenant || v.Subject == "" || v.ID == "" {
		return v, errSession
	}
	return v, nil
}

// member lets pass who holds a session, named by the header Authorization.
func (s *server) member(next func(c *gin.Context, v session)) gin.HandlerFunc {
	return func(c *gin.Context) {
		token := httpapi.BearerOf(c)
		v, err := s.open(channelOf(c), token)
		if err != nil {
			httpapi.Fail(c, err)
			return
		}
		next(c, v)
	}
}

// random returns 128 random bits behind a prefix.
func random(prefix string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return prefix + hex.EncodeToString(b[:])
}
