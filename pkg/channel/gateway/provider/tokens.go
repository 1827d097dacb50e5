package provider

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// TokenSpec declares the collection of provider tokens; all services share it. It is only a cache, but one that an empty Redis
// does not empty: several providers kill the old token when a new one is fetched, so replicas must share theirs.
var TokenSpec = store.Spec{Name: "provider_tokens", Expires: true}

const (
	dropAgain  = time.Minute      // a token younger than this is not dropped: it is not its age that the provider denies
	tokenTries = 20               // looks at what another replica is fetching
	tokenWait  = 15 * time.Second // for one fetch
)

// Sealer seals secrets at rest; auth.Sealer is one.
type Sealer interface {
	Seal(plain string, context ...string) string
	Open(sealed string, context ...string) (string, error)
}

// Tokens keeps the short-lived tokens of channels fresh, and the credentials that were renewed.
type Tokens struct {
	source     channel.TokenSource // nil for types whose credentials are renewed
	renewer    channel.Renewer     // nil for all others
	transports map[string]Transport
	docs       *store.Collection[tokenDocument]
	leases     *lease.Leases
	sealer     Sealer
	now        func() time.Time
	fetching   singleflight.Group

	mu        sync.Mutex
	memory    map[string]held
	unrenewed map[string]bool // channels whose last renewal failed
}

// tokenDocument is one channel's token, sealed.
type tokenDocument struct {
	store.Meta
	Sealed    string     `json:"sealed"`
	Version   int64      `json:"version"`      // of the channel whose secrets fetched it
	Of        string     `json:"of,omitempty"` // of a renewed credential: the digest of the secret that it replaces, in place of Version
	FetchedAt event.Time `json:"fetched_at"`
	Until     event.Time `json:"until"`
}

// held is a token in memory.
type held struct {
	token   string
	none    bool // the channel's calls need none
	version int64
	fetched time.Time
	until   time.Time

	of     string    // of a renewed credential: the digest of the secret that it replaces
	looked time.Time // when the store was asked for it
}

// good reports whether the token may still be used for a call at t, and whether it is time to fetch the next one.
func (h held) good(version int64, t time.Time) (usable, old bool) {
	life := h.until.Sub(h.fetched)
	if h.none && h.version == version {
		return true, false
	}
	usable = h.token != "" && h.version == version && t.Before(h.until.Add(-min(30*time.Second, life/4)))
	return usable, t.After(h.until.Add(-min(5*time.Minute, life/3)))
}

// NewTokens returns the tokens of an adapter's channels, nil if it needs none.
func NewTokens(a channel.Guarded, transports map[string]Transport, db store.DB, sealer Sealer, now func() time.Time) *Tokens {
	if a.TokenSource == nil && a.Renewer == nil {
		return nil
	}
	return &Tokens{
		source: a.TokenSource, renewer: a.Renewer, transports: transports, docs: store.NewCollection[tokenDocument](db, TokenSpec), leases: lease.New(db, now),
		sealer: sealer, now: now, memory: map[string]held{}, unrenewed: map[string]bool{},
	}
}

// Token returns the channel's token, fetched now if need be. A token that grows old is fetched anew in the background.
func (t *Tokens) Token(ctx context.Context, ch channel.Keyed) (string, error) {
	if t.source == nil {
		return t.renewed(ctx, ch)
	}
	t.mu.Lock()
	h := t.memory[ch.ID]
	t.mu.Unlock()
	usable, old := h.good(ch.Version, t.now())
	if usable && !old {
		return h.token, nil
	}
	result := t.fetching.DoChan(ch.ID, func() (any, error) {
		fctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenWait)
		defer cancel()
		token, err := t.renew(fctx, ch)
		t.noted(ch.ID, err)
		return token, err
	})
	if usable {
		return h.token, nil
	}
	select {
	case r := <-result:
		if r.Err != nil {
			return "", r.Err
		}
		return r.Val.(string), nil
	case <-ctx.Done():
		return "", &fault.Error{Kind: fault.Unavailable, Code: "token_timeout", Err: ctx.Err()}
	}
}

// ending reports whether the channel's token is old and the last try to renew it has failed.
func (t *Tokens) ending(ch channel.Keyed) bool {
	if t.source == nil {
		return false // the ends of credentials that operators gave are told by package expiry
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	_, old := t.memory[ch.ID].good(ch.Version, t.now())
	return old && t.unrenewed[ch.ID]
}

// noted remembers whether a renewal has failed.
func (t *Tokens) noted(id string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		delete(t.unrenewed, id)
		return
	}
	t.unrenewed[id] = true
}

// Drop forgets a token that the provider denied, here and for all replicas, unless it was fetched just now.
func (t *Tokens) Drop(ctx context.Context, ch channel.Keyed, token string) {
	t.mu.Lock()
	h := t.memory[ch.ID]
	if h.token == token && t.now().Sub(h.fetched) > dropAgain {
		delete(t.memory, ch.ID)
	}
	t.mu.Unlock()
	_, _ = t.docs.Update(ctx, ch.ID, func(d *tokenDocument) error { // if the store is away, memory is all there is
		if t.open(ch, d).token != token || t.now().Sub(d.FetchedAt.Time) <= dropAgain {
			return store.Unchanged
		}
		d.Sealed = ""
		return nil
	})
}

// renew takes the token that another replica has fetched, or fetches one under the channel's lease.
func (t *Tokens) renew(ctx context.Context, ch channel.Keyed) (string, error) {
	if req, err := t.source.TokenRequest(ch, t.now(), nonce()); err == nil && req.URL == "" {
		return t.remember(ch, held{none: true, version: ch.Version, fetched: t.now()}), nil
	}
	for try := range tokenTries {
		h, err := t.shared(ctx, ch)
		if err == nil {
			if usable, old := h.good(ch.Version, t.now()); usable && !old {
				return t.remember(ch, h), nil
			}
		}
		var fresh held
		mine, err := t.leases.Try(ctx, "token "+ch.ID, func(ctx context.Context, _ int64) (err error) {
			fresh, err = t.fetch(ctx, ch)
			return err
		})
		if err != nil {
			return "", err
		}
		if mine {
			return t.remember(ch, fresh), nil
		}
		select {
		case <-ctx.Done():
			return "", &fault.Error{Kind: fault.Unavailable, Code: "token_timeout", Err: ctx.Err()}
		case <-time.After(time.Duration(try+1) * 20 * time.Millisecond):
		}
	}
	return "", fault.New(fault.Unavailable, "token_timeout", "another replica fetches the token and does not end")
}

func (t *Tokens) remember(ch channel.Keyed, h held) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.memory[ch.ID] = h
	return h.token
}

func (t *Tokens) shared(ctx context.Context, ch channel.Keyed) (held, error) {
	d, err := t.docs.Get(ctx, ch.ID)
	if err != nil {
		return held{}, err
	}
	return t.open(ch, d), nil
}

func (t *Tokens) open(ch channel.Keyed, d *tokenDocument) held {
	if d.Sealed == "" {
		return held{}
	}
	plain, err := t.sealer.Open(d.Sealed, ch.Tenant, ch.ID, "provider token")
	if err != nil {
		return held{} // sealed with a key that is gone: as good as none
	}
	return held{token: plain, version: d.Version, fetched: d.FetchedAt.Time, until: d.Until.Time}
}

// fetch asks the provider, unless the holder of the lease before us has just done so.
func (t *Tokens) fetch(ctx context.Context, ch channel.Keyed) (held, error) {
	if h, err := t.shared(ctx, ch); err == nil {
		if usable, old := h.good(ch.Version, t.now()); usable && !old {
			return h, nil
		}
	}
	req, err := t.source.TokenRequest(ch, t.now(), nonce())
	if err != nil {
		return held{}, fmt.Errorf("token request: %w", notSent(err))
	}
	tr := t.transports[scheme(req.URL)]
	if tr == nil {
		return held{}, fault.New(fault.Invalid, "no_transport", "no transport for the token request")
	}
	resp, err := tr.Do(ctx, ch, req)
	if err != nil {
		return held{}, err
	}
	resp.Tag = req.Tag
	token, life, err := t.source.ParseToken(resp)
	if err != nil {
		return held{}, fmt.Errorf("token answer: %w", err)
	}
	h := held{token: token, version: ch.Version, fetched: t.now(), until: t.now().Add(life)}
	return h, t.share(ctx, ch, h)
}

func (t *Tokens) share(ctx context.Context, ch channel.Keyed, h held) error {
	if err := t.keep(ctx, ch, h); errors.Is(err, context.Canceled) {
		return err
	}
	return nil // a token that is not shared still works here
}

func (t *Tokens) keep(ctx context.Context, ch channel.Keyed, h held) error {
	sealed := t.sealer.Seal(h.token, ch.Tenant, ch.ID, "provider token")
	_, err := t.docs.Upsert(ctx, ch.ID, func() *tokenDocument { return &tokenDocument{} }, func(d *tokenDocument) error {
		d.Tenant, d.Sealed, d.Version, d.Of, d.FetchedAt, d.Until = ch.Tenant, sealed, h.version, h.of, event.At(h.fetched), event.At(h.until)
		d.ExpiresAt = d.Until
		return nil
	})
	return err
}
