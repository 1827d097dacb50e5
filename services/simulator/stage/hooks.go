package stage

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Send posts a webhook of an account in the background, as its script wants: late, more than once.
func (s *Stage) Send(a *account.Account, post webhook.Post) error {
	post.Told = s.told(a, post.About)
	for range a.Script().Duplicate + 1 {
		again := post
		again.After += a.Script().Hold()
		if err := s.Hooks.Post(again); err != nil {
			return err
		}
	}
	return nil
}

// Deliver is Send, but waits for the answer to the first try.
func (s *Stage) Deliver(ctx context.Context, a *account.Account, post webhook.Post) webhook.Result {
	post.Told = s.told(a, post.About)
	for range a.Script().Duplicate {
		again := post
		again.After += a.Script().Hold()
		if err := s.Hooks.Post(again); err != nil {
			return webhook.Result{Error: err.Error()}
		}
	}
	post.After += a.Script().Hold()
	return s.Hooks.Deliver(ctx, post)
}

// told puts every try of a webhook into the ledger.
func (s *Stage) told(a *account.Account, about webhook.About) func(webhook.Tried) {
	return func(t webhook.Tried) {
		h := &ledger.Hook{Of: a, Kind: about.Kind, Peer: about.Peer, Message: about.Message, At: t.At.UTC(), TookMS: t.Took.Milliseconds(),
			Status: t.Result.Status, Error: t.Result.Error, Try: t.Try}
		if u, err := url.Parse(t.Call.URL); err == nil {
			h.Path = u.Path
		}
		if json.Valid(t.Call.Body) {
			h.Body = t.Call.Body
		}
		s.Ledger.Tell(h)
	}
}
