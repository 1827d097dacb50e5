package cache

import (
	"context"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Rate is Limit things per Per.
type Rate struct {
	Limit int
	Per   time.Duration
}

const (
	windowsPerPeriod = 4 // so that two full windows in a row exceed the rate by a quarter at most
	windowMin        = 100 * time.Millisecond
	blocksPerWindow  = 4
	retryRedis       = time.Second // for so long a limiter that met an error does not ask Redis again
)

// Limiter gives out tokens of a rate that all replicas share. It takes them from Redis in blocks and spends those locally, so most
// calls cost nothing. While Redis is away it gives half the rate by itself, because it cannot know how many replicas do the same.
type Limiter struct {
	cache  *Cache
	key    string
	rate   Rate
	window time.Duration
	parts  int // windows of a period

	mu      sync.Mutex
	current int64 // window
	tokens  int   // left of the block
	spent   bool  // the window has no more
	local   *rate.Limiter
	now     func() time.Time
}

// Limiter returns the limiter of that name; the name must say whom it limits, and all who use it must agree on the rate.
func (c *Cache) Limiter(name string, r Rate) (*Limiter, error) {
	if r.Limit <= 0 || r.Per < windowMin {
		return nil, fault.At("/rate", "invalid", "rate of %s: %d per %s: want at least 1 per %s", name, r.Limit, r.Per, windowMin)
	}
	parts := min(windowsPerPeriod, r.Limit, int(r.Per/windowMin))
	half := rate.Limit(float64(r.Limit) / r.Per.Seconds() / 2)
	return &Limiter{
		cache: c, key: prefix + "rate:" + name + ":", rate: r, parts: parts, window: r.Per / time.Duration(parts),
		local: rate.NewLimiter(half, max(1, r.Limit/parts/2)), now: time.Now,
	}, nil
}

// Take takes a token. If there is none, wait is how long it takes until there may be one.
func (l *Limiter) Take(ctx context.Context) (ok bool, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if w := now.UnixNano() / int64(l.window); w != l.current {
		l.current, l.tokens, l.spent = w, 0, false
	}
	if l.tokens == 0 && !l.spent {
		if l.cache.away.Since() < retryRedis || l.fetch(ctx) != nil {
			return l.takeLocal(now)
		}
	}
	if l.tokens == 0 {
		return false, time.Duration((l.current+1)*int64(l.window) - now.UnixNano())
	}
	l.tokens--
	return true, 0
}

// fetch takes a block of the current window from Redis.
func (l *Limiter) fetch(ctx context.Context) error {
	limit := l.limit()
	block := max(1, limit/blocksPerWindow)
	key := l.key + strconv.FormatInt(l.current, 36)
	p := l.cache.client.Pipeline()
	taken := p.IncrBy(ctx, key, int64(block))
	p.PExpire(ctx, key, 2*l.window)
	if _, err := p.Exec(ctx); err != nil {
		if ctx.Err() == nil {
			l.cache.away.Set()
			warn("limits are kept locally", err)
		}
		return err
	}
	before := int(taken.Val()) - block
	l.tokens = min(max(limit-before, 0), block)
	l.spent = l.tokens < block
	return nil
}

// limit shares the period's tokens out over its windows, without losing one to rounding.
func (l *Limiter) limit() int {
	i := int(l.current % int64(l.parts))
	return (i+1)*l.rate.Limit/l.parts - i*l.rate.Limit/l.parts
}

func (l *Limiter) takeLocal(now time.Time) (bool, time.Duration) {
	r := l.local.ReserveN(now, 1)
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return false, wait
	}
	return true, 0
}
