package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

type issuer struct{ verifier *oidc.IDTokenVerifier }

// NewIssuer returns a Verifier for tokens of an OpenID Connect issuer that name audience. It fetches the issuer's keys.
func NewIssuer(ctx context.Context, url, audience string) (Verifier, error) {
	p, err := oidc.NewProvider(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("oidc issuer %s: %w", url, err)
	}
	return issuer{p.Verifier(&oidc.Config{ClientID: audience})}, nil
}

// Verify implements Verifier. Only an address that the issuer has verified counts.
func (i issuer) Verify(ctx context.Context, token string) (string, time.Time, error) {
	t, err := i.verifier.Verify(ctx, token)
	if err != nil {
		return "", time.Time{}, err
	}
	var c struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := t.Claims(&c); err != nil {
		return "", time.Time{}, err
	}
	if c.Email == "" || !c.Verified {
		return "", time.Time{}, errors.New("oidc: the token has no verified e-mail address")
	}
	return c.Email, t.Expiry, nil
}
