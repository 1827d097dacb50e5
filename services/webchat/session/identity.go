package session

import (
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

const (
	proofFor = 5 * time.Minute // the longest life of an identity token
	skew     = 30 * time.Second
	maxName  = 128 // bytes of an identity
)

// proof is how the business's page says who the visitor is: a token that its server signed, or, as Chatwoot has it, a hash
// of the name, which proves the name alone and never expires.
type proof struct {
	Token      string `json:"token"`
	Identifier string `json:"identifier"`
	Hash       string `json:"hash"`
}

type identityClaims struct {
	jwt.RegisteredClaims
	Name   string `json:"name"`
	Email  string `json:"email"`
	Phone  string `json:"phone"`
	Locale string `json:"locale"`
}

var errIdentity error = fault.New(fault.Denied, "forged", "the identity is not proved: want an HS256 token of at most 5 minutes with aud (the channel's id or its setting identity_audience), sub, iat and exp, or the identifier's HMAC-SHA256 in hex, made with the channel's identity_secret")

// audiences are what a token may be made for: the channel, by its id or by the name that its settings give it. What the call says
// about itself is no part of it: a token for another system must prove nobody here.
func audiences(ch channel.Channel) []string {
	out := []string{ch.ID}
	if name := ch.Settings.Text("identity_audience"); name != "" {
		out = append(out, name)
	}
	return out
}

// prove checks who the visitor is said to be.
func prove(ch channel.Keyed, p proof, now func() time.Time) (identity string, profile *event.Profile, err error) {
	keys := ch.Secrets["identity_secret"]
	if p.Token == "" {
		if p.Identifier == "" || len(p.Identifier) > maxName || channel.HMACSHA256Hex([]byte(p.Identifier), p.Hash, "", keys) != nil {
			return "", nil, errIdentity
		}
		return p.Identifier, nil, nil
	}
	var set jwt.VerificationKeySet
	for _, k := range keys {
		if k != "" {
			set.Keys = append(set.Keys, []byte(k))
		}
	}
	var c identityClaims
	_, err = jwt.ParseWithClaims(p.Token, &c, func(*jwt.Token) (any, error) { return set, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithTimeFunc(now), jwt.WithLeeway(skew),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithAudience(audiences(ch.Channel)...))
	if err != nil || len(set.Keys) == 0 || c.Subject == "" || len(c.Subject) > maxName || c.IssuedAt == nil || c.ExpiresAt.Sub(c.IssuedAt.Time) > proofFor {
		return "", nil, errIdentity
	}
	return c.Subject, &event.Profile{
		Name: cut(c.Name), Email: cut(c.Email), Phone: cut(c.Phone), Locale: cut(c.Locale), Verified: true,
	}, nil
}
