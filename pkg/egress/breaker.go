package egress

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Breaker is when an account's calls are refused at once. A failure is a call without an answer, or a 5xx.
type Breaker struct {
	Failures uint32        // in a row, after which it opens; default 5
	Open     time.Duration // after which one call may try; default 10 s
}

const forgetAccount = time.Hour // without a call

type breakers struct {
	cfg   Breaker
	mu    sync.Mutex
	of    map[string]*account
	swept time.Time
}

type account struct {
	*gobreaker.TwoStepCircuitBreaker[struct{}]
	used time.Time
}

func newBreakers(cfg Breaker) *breakers {
	if cfg.Failures == 0 {
		cfg.Failures = 5
	}
	if cfg.Open <= 0 {
		cfg.Open = 10 * time.Second
	}
	return &breakers{cfg: cfg, of: map[string]*account{}, swept: time.Now()}
}

// enter asks whether a call may be made; done tells what became of it.
func (b *breakers) enter(name string) (done func(ctx context.Context, status int, err error), err error) {
	if name == "" {
		return func(context.Context, int, error) {}, nil
	}
	report, err := b.account(name).Allow()
	if err != nil {
		return nil, &fault.Error{Kind: fault.Unavailable, Code: "breaker_open", After: b.cfg.Open, Err: err, Detail: "too many calls of this account failed; it is tried again shortly"}
	}
	return func(ctx context.Context, status int, err error) { report(verdict(ctx, status, err)) }, nil
}

// verdict is nil if the account is well. Whose caller has given up, or may not call at all, says nothing about it.
func verdict(ctx context.Context, status int, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled), fault.Is(err, fault.Denied):
		return errExcluded
	case err == nil && status >= http.StatusInternalServerError:
		return fault.New(fault.Unknown, "server_error", "status %d", status)
	}
	return err
}

var errExcluded = fault.New(fault.Unknown, "excluded", "says nothing")

func (b *breakers) account(name string) *account {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if now.Sub(b.swept) > forgetAccount {
		b.swept = now
		for k, a := range b.of {
			if now.Sub(a.used) > forgetAccount {
				delete(b.of, k)
			}
		}
	}
	a := b.of[name]
	if a == nil {
		a = &account{TwoStepCircuitBreaker: gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Name: name, Timeout: b.cfg.Open,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= b.cfg.Failures },
			IsExcluded:  func(err error) bool { return errors.Is(err, errExcluded) },
		})}
		b.of[name] = a
	}
	a.used = now
	return a
}

// Tripped reports whether calls for an account are refused now.
func (c *Client) Tripped(name string) bool {
	return name != "" && c.breakers.account(name).State() == gobreaker.StateOpen
}
