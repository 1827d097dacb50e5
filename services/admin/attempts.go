package admin

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/budget"
)

// The budgets of attempts to sign in. Who has signed in from a source before has a budget of their own there, which neither what
// others try from elsewhere nor what they try from the same source for other addresses uses up.
var (
	ofPair   = budget.Rate{N: 10, Per: time.Minute, Burst: 10} // per address and source
	ofKnown  = budget.Rate{N: 10, Per: time.Minute, Burst: 30} // per address and source that have succeeded
	ofSource = budget.Rate{N: 30, Per: time.Minute, Burst: 30} // per source, over all addresses that have not succeeded there
)

const (
	pairsKept = 50_000 // pairs of address and source that have succeeded and are remembered
	// Comparisons of passwords at once. Each takes 19 MiB. Strangers cannot use up those of known pairs.
	strangersHashed, knownHashed = 3, 2
)

// attempts bounds attempts to sign in, by address and source and by source.
type attempts struct {
	pairs, known, sources *budget.Limits
	good                  *lru.Cache[string, struct{}]
	hashing               map[bool]chan struct{} // by whether the pair is known
}

func newAttempts(now func() time.Time) *attempts {
	good, err := lru.New[string, struct{}](pairsKept)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &attempts{
		pairs: budget.New(ofPair, now), known: budget.New(ofKnown, now), sources: budget.New(ofSource, now), good: good,
		hashing: map[bool]chan struct{}{true: make(chan struct{}, knownHashed), false: make(chan struct{}, strangersHashed)},
	}
}

func pair(email, source string) string { return source + " " + email }

// admit lets an attempt pass, or returns an error of kind Throttled.
func (a *attempts) admit(email, source string) error {
	who := pair(email, source)
	if a.good.Contains(who) {
		return a.known.Take(who)
	}
	if err := a.pairs.Take(who); err != nil { // before the source's: an address that is guessed at uses up its own budget first
		return err
	}
	return a.sources.Take(source)
}

// succeeded notes that somebody signed in: their failures before are forgotten.
func (a *attempts) succeeded(email, source string) {
	who := pair(email, source)
	a.good.Add(who, struct{}{})
	a.known.Reset(who)
}

// match compares a password. Each comparison takes 19 MiB, so only a few are made at once.
func (a *attempts) match(ctx context.Context, email, source, password, hash string) (bool, error) {
	slots := a.hashing[a.good.Contains(pair(email, source))]
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-slots }()
	return auth.MatchPassword(password, hash), nil
}
