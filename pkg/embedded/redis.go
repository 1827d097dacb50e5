package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

const redisTick = 500 * time.Millisecond

// Redis is a Redis server in this process. It has no data on disk: everything in Redis is disposable.
type Redis struct {
	server *miniredis.Miniredis
	end    context.CancelFunc
	ended  sync.WaitGroup
}

// StartRedis starts Redis on addr, host:port; an empty addr picks a free port of the loopback interface. Its time is real time,
// in steps of half a second.
func StartRedis(ctx context.Context, addr string) (*Redis, error) {
	r := &Redis{server: miniredis.NewMiniRedis()}
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	if err := r.server.StartAddr(addr); err != nil {
		return nil, fmt.Errorf("embedded redis: listen on %s: %w", addr, err)
	}
	ctx, r.end = context.WithCancel(context.WithoutCancel(ctx))
	r.ended.Go(func() { r.tick(ctx) })
	return r, nil
}

// tick lets time pass, because miniredis expires nothing by itself.
func (r *Redis) tick(ctx context.Context) {
	t := time.NewTicker(redisTick)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			r.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Addr is where Redis listens.
func (r *Redis) Addr() string { return r.server.Addr() }

// URL is Addr for clients.
func (r *Redis) URL() string { return "redis://" + r.server.Addr() }

// Close stops Redis; its data is gone.
func (r *Redis) Close() error {
	r.end()
	r.ended.Wait()
	r.server.Close()
	return nil
}
