package httpapi

import (
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Quota bounds how often one caller may call one process: Rate requests a second on average, Burst at once.
type Quota struct {
	Rate  float64
	Burst int
}

// DefaultQuota is generous enough that only loops meet it.
var DefaultQuota = Quota{Rate: 200, Burst: 400}

type limiter struct {
	mu    sync.Mutex
	quota Quota
	of    map[string]*bucket
	swept time.Time
}

type bucket struct {
	*rate.Limiter
	used time.Time
}

// LimitRate answers 429 to a caller over its quota, and tells everybody where they stand (RateLimit, RateLimit-Policy).
// It stands behind [Authenticate].
func LimitRate(q Quota) gin.HandlerFunc {
	l := &limiter{quota: q, of: map[string]*bucket{}}
	policy := fmt.Sprintf(`"caller";q=%d;w=%d`, q.Burst, int(math.Ceil(float64(q.Burst)/q.Rate)))
	return func(c *gin.Context) {
		p := Caller(c)
		now := time.Now()
		b := l.bucket(p.Tenant+"|"+p.ID, now)
		ok := b.AllowN(now, 1)
		left := max(0, int(b.TokensAt(now)))
		reset := int(math.Ceil((float64(q.Burst) - b.TokensAt(now)) / q.Rate))
		c.Header("RateLimit-Policy", policy)
		c.Header("RateLimit", fmt.Sprintf(`"caller";r=%d;t=%d`, left, reset))
		c.Header("X-RateLimit-Limit", strconv.Itoa(q.Burst))
		c.Header("X-RateLimit-Remaining", strconv.Itoa(left))
		if !ok {
			Fail(c, fault.Later("rate_limited", time.Second, "at most %g requests a second", q.Rate))
			return
		}
		c.Next()
	}
}

func (l *limiter) bucket(who string, now time.Time) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > time.Minute { // whoever was silent for a minute has a full bucket again
		for k, b := range l.of {
			if now.Sub(b.used) > time.Minute {
				delete(l.of, k)
			}
		}
		l.swept = now
	}
	b := l.of[who]
	if b == nil {
		b = &bucket{Limiter: rate.NewLimiter(rate.Limit(l.quota.Rate), l.quota.Burst)}
		l.of[who] = b
	}
	b.used = now
	return b
}
