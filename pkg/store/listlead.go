package store

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// Bounds of what is remembered about lists.
const (
	estimateTo   = 1000             // entries that are counted of a list to find the group that leads
	estimateKept = 30 * time.Second // an estimate is only for speed
	countKept    = time.Second
	remembered   = 4096
)

// Leads remembers how many entries lists have, for drivers: the group with the fewest leads a walk.
type Leads struct{ known *recalls }

// NewLeads returns one that remembers nothing yet.
func NewLeads() *Leads { return &Leads{newRecalls(estimateKept)} }

// Lead returns which group has the fewest entries, as far as they are counted. count counts the entries of one list to a limit.
func (l *Leads) Lead(ctx context.Context, w Walk, collection string, count func(ctx context.Context, list string, limit int) (int, error)) (int, error) {
	lead, least := -1, 0
	for i, group := range w.Groups {
		if len(group) > MaxLists {
			continue
		}
		n := 0
		for _, list := range group {
			if lead >= 0 && n >= least {
				break
			}
			of, err := l.known.get(ctx, digest(collection, w.Tenant, list), func(ctx context.Context) (int, error) { return count(ctx, list, estimateTo) })
			if err != nil {
				return 0, err
			}
			n += of
		}
		if lead < 0 || n < least {
			lead, least = i, n
		}
	}
	return lead, nil
}

// recalls are numbers that are kept for a while. The same one is asked for once at a time.
type recalls struct {
	kept   time.Duration
	known  *lru.Cache[string, recalledNumber]
	flight singleflight.Group
}

type recalledNumber struct {
	n  int
	at time.Time
}

func newRecalls(kept time.Duration) *recalls {
	known, err := lru.New[string, recalledNumber](remembered)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &recalls{kept: kept, known: known}
}

// get returns the number, made anew if it is older than it is kept. Who waits for another's does not outlive its own context.
func (r *recalls) get(ctx context.Context, key string, count func(context.Context) (int, error)) (int, error) {
	if k, ok := r.known.Get(key); ok && time.Since(k.at) < r.kept {
		return k.n, nil
	}
	made := r.flight.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countTime)
		defer cancel()
		began := time.Now()
		n, err := count(ctx)
		if err == nil {
			r.known.Add(key, recalledNumber{n, began})
		}
		return n, err
	})
	select {
	case <-ctx.Done():
		return 0, Away(ctx.Err())
	case got := <-made:
		if got.Err != nil {
			return 0, got.Err
		}
		return got.Val.(int), nil
	}
}

// countTime bounds a count that several wait for.
const countTime = 10 * time.Second
