package cache

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// The token is compared on the server, so that nobody renews or gives back what another holds by now. Leases are rare: the only
// scripts that this package has.
var (
	renew   = redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("pexpire", KEYS[1], ARGV[2]) else return 0 end`)
	release = redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) else return 0 end`)
)

// Lease says that one process at a time should do something. It saves work and prevents nothing: when Redis loses its data two may
// hold it, so what must happen once is guarded in the store.
type Lease struct {
	cache      *Cache
	key, token string
	ttl        time.Duration
}

// Lease takes the lease of that name for ttl; nil without an error means that somebody else has it.
func (c *Cache) Lease(ctx context.Context, name string, ttl time.Duration) (*Lease, error) {
	l := &Lease{cache: c, key: prefix + "lease:" + name, token: rand.Text(), ttl: ttl}
	got, err := c.client.SetNX(ctx, l.key, l.token, ttl).Result()
	if err != nil || !got {
		return nil, classify("lease "+name, err)
	}
	return l, nil
}

// Renew begins the lease's lifetime anew; false means that it is lost.
func (l *Lease) Renew(ctx context.Context) (held bool, err error) {
	n, err := renew.Run(ctx, l.cache.client, []string{l.key}, l.token, l.ttl.Milliseconds()).Int()
	return n == 1, classify("renew", err)
}

// Release gives the lease back, if it is still held.
func (l *Lease) Release(ctx context.Context) error {
	return classify("release", release.Run(ctx, l.cache.client, []string{l.key}, l.token).Err())
}

// Hold runs f while this process has the lease of that name; ran is false if somebody else has it. The context of f ends when the
// lease is lost, and before it could have been taken by another while Redis does not answer. The lease is given back when f returns.
func (c *Cache) Hold(ctx context.Context, name string, ttl time.Duration, f func(context.Context) error) (ran bool, err error) {
	l, err := c.Lease(ctx, name, ttl)
	if l == nil {
		return false, err
	}
	ctx, lost := context.WithCancel(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() { l.keep(ctx, lost) })
	defer func() {
		lost()
		keeper.Wait()
		rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		if rerr := l.Release(rctx); rerr != nil {
			warn("lease not given back, it expires", rerr, "lease", name)
		}
	}()
	return true, f(ctx)
}

// keep renews three times per lifetime, until ctx ends or the lease is lost.
func (l *Lease) keep(ctx context.Context, lost func()) {
	defer lost()
	last := time.Now()
	tick := time.NewTicker(l.ttl / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := time.Now()
		rctx, cancel := context.WithTimeout(ctx, l.ttl/3)
		held, err := l.Renew(rctx)
		cancel()
		switch {
		case err == nil && !held:
			return
		case err == nil:
			last = asked
		case time.Since(last) > l.ttl/3*2:
			return
		}
	}
}
