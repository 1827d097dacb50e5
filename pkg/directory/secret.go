package directory

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/store"
)

// RequestDigests names the secret under which digests of requests are kept.
const RequestDigests = "request digests"

// installed names the secrets of the installation that Reseal seals again.
var installed = []string{RequestDigests}

// Secret returns a secret of the installation that stays the same when encryption keys are rotated. The store holds it, sealed; at
// its first use it is first.
func Secret(ctx context.Context, db store.DB, s *auth.Sealer, name string, first []byte) ([]byte, error) {
	secrets := store.NewCollection[keyCheck](db, Keys)
	kept, err := secrets.Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		kept = sealSecret(s, name, first)
		if err = secrets.Insert(ctx, kept); errors.Is(err, store.ErrExists) { // another process was first
			kept, err = secrets.Get(ctx, name)
		}
	}
	if err != nil {
		return nil, err
	}
	secret, err := openSecret(s, kept)
	if err != nil {
		return nil, fmt.Errorf("the secret %q: %w", name, err)
	}
	return secret, nil
}

func sealSecret(s *auth.Sealer, name string, secret []byte) *keyCheck {
	return &keyCheck{Meta: store.Meta{ID: name}, Sealed: s.Seal(base64.StdEncoding.EncodeToString(secret), name)}
}

func openSecret(s *auth.Sealer, kept *keyCheck) ([]byte, error) {
	text, err := s.Open(kept.Sealed, kept.ID)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

// resealSecrets seals the secrets of the installation with the current key. One that no key opens is lost; if it is given up, a
// random one takes its place, so that processes start again.
func resealSecrets(ctx context.Context, db store.DB, s *auth.Sealer, giveUp bool) (r Resealed, err error) {
	secrets := store.NewCollection[keyCheck](db, Keys)
	for _, name := range installed {
		var one Resealed
		_, err := secrets.Update(ctx, name, func(kept *keyCheck) error {
			one = Resealed{}
			if s.Current(kept.Sealed) {
				one.Current = 1
				return store.Unchanged
			}
			secret, err := openSecret(s, kept)
			if err == nil {
				one.Values = 1
			} else if one.Lost = []string{"the secret " + name}; !giveUp {
				return store.Unchanged
			} else {
				secret = []byte(rand.Text())
			}
			kept.Sealed = sealSecret(s, name, secret).Sealed
			return nil
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return r, err
		}
		r.add(one)
	}
	return r, nil
}
