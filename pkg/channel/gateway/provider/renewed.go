package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// lookAgain is after how long a process looks whether another one has renewed the credential of a channel.
const lookAgain = 10 * time.Minute

// renewed returns the credential that was renewed last in place of the channel's own; empty if there is none.
func (t *Tokens) renewed(ctx context.Context, ch channel.Keyed) (string, error) {
	of, now := t.replaces(ch), t.now()
	t.mu.Lock()
	h, known := t.memory[ch.ID]
	t.mu.Unlock()
	if known && h.of == of && now.Sub(h.looked) < lookAgain {
		return h.credential(now), nil
	}
	d, err := t.docs.Get(ctx, ch.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		h = held{}
	case err != nil && known && h.of == of: // what is known may well be good
		return h.credential(now), nil
	case err != nil:
		return "", &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
	case d.Of != of:
		h = held{}
	default:
		h = t.open(ch, d)
	}
	h.of, h.looked = of, now
	t.remember(ch, h)
	return h.credential(now), nil
}

// credential is a renewed credential while it is valid.
func (h held) credential(now time.Time) string {
	if !now.Before(h.until) {
		return ""
	}
	return h.token
}

// Renew keeps a credential that replaces the channel's own until it ends. Answers have no secrets of the channel in them: a provider that
// repeats the credential that it was asked with has made that valid for longer, and of the channel's own there is nothing to keep.
func (t *Tokens) Renew(ctx context.Context, ch channel.Keyed, credential string, until time.Time) (err error) {
	if strings.Contains(credential, hidden) {
		if credential, err = t.renewed(ctx, ch); err != nil {
			return err
		}
	}
	if credential == "" {
		return nil
	}
	h := held{token: credential, version: ch.Version, fetched: t.now(), until: until, of: t.replaces(ch), looked: t.now()}
	if err := t.keep(ctx, ch, h); err != nil {
		return err
	}
	t.remember(ch, h)
	return nil
}

// replaces is the digest of the secret that is renewed: with another secret nothing that was renewed before counts.
func (t *Tokens) replaces(ch channel.Keyed) string {
	sum := sha256.Sum256([]byte(ch.Secrets.Current(t.renewer.Renewable())))
	return hex.EncodeToString(sum[:])
}
