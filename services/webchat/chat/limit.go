package chat

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Quota is N things per Per, Burst of them at once.
type Quota struct {
	N     int
	Per   time.Duration
	Burst int
}

type limits struct {
	sessions, visitors, connects, messages, frames, uploads, pages, address, channel *buckets
}

func newLimits(l Limits, now func() time.Time) limits {
	b := func(q Quota) *buckets { return &buckets{quota: q, now: now, of: map[string]*bucket{}} }
	return limits{
		b(l.Sessions), b(l.Visitors), b(l.Connects), b(l.Messages), b(l.Frames), b(l.Uploads), b(l.Pages), b(l.Address), b(l.Channel),
	}
}

// buckets are one quota for each of many.
type buckets struct {
	quota Quota
	now   func() time.Time

	mu    sync.Mutex
	of    map[string]*bucket
	swept time.Time
}

type bucket struct {
	*rate.Limiter
	used time.Time
}

// take takes one, or says when there will be one again.
func (b *buckets) take(key string) error {
	now := b.now()
	r := b.bucket(key, now).ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return fault.Later("rate_limited", wait, "at most %d in %s", b.quota.N, b.quota.Per)
}

func (b *buckets) bucket(key string, now time.Time) *bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	full := max(b.quota.Per, time.Minute) * time.Duration(1+b.quota.Burst/b.quota.N) // after so long every bucket is full again
	if now.Sub(b.swept) > full {
		for k, v := range b.of {
			if now.Sub(v.used) > full {
				delete(b.of, k)
			}
		}
		b.swept = now
	}
	v := b.of[key]
	if v == nil {
		v = &bucket{Limiter: rate.NewLimiter(rate.Every(b.quota.Per/time.Duration(b.quota.N)), b.quota.Burst)}
		b.of[key] = v
	}
	v.used = now
	return v
}

// address is where a call comes from, for limits only: what a proxy inside our network says last is believed.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	near, err := netip.ParseAddr(host)
	if err != nil || !near.IsPrivate() && !near.IsLoopback() {
		return host
	}
	said := r.Header.Values("X-Forwarded-For")
	if len(said) == 0 {
		return host
	}
	last := said[len(said)-1]
	far, err := netip.ParseAddr(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]))
	if err != nil {
		return host
	}
	return far.Unmap().String()
}
