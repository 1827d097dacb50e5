package stage

import (
	"context"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Send posts a webhook of an account in the background, as its script wants: late, more than once.
func (s *Stage) Send(a *account.Account, post webhook.Post) error {
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
