package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/wire"
)

// Open makes rate calls a second for a time, over up to conns connections. A call is due at its time whatever became of those
// before it, and its latency counts from then: a server that stalls is charged for all who had to wait.
func Open(ctx context.Context, j Job, conns int, rate float64, d time.Duration) (*Result, error) {
	n := int64(rate * d.Seconds())
	total := newResult(0)
	var mu sync.Mutex
	var wg sync.WaitGroup
	var turn atomic.Int64
	begin := time.Now().Add(20 * time.Millisecond)
	due := func(i int64) time.Time { return begin.Add(time.Duration(float64(i) / rate * float64(time.Second))) }
	for range conns {
		c, err := wire.New(j.Base, wait)
		if err != nil {
			return nil, err
		}
		wg.Go(func() {
			defer c.Close() //nolint:errcheck // the run is over
			r, b := newResult(int(n)/conns+16), j.Caller()
			for i := turn.Add(1) - 1; i < n && ctx.Err() == nil; i = turn.Add(1) - 1 {
				k := j.Next.Add(1) - 1
				at := due(i)
				req := b.Request(k)
				time.Sleep(time.Until(at))
				status, body, _ := c.Do(req)
				if r.note(status, time.Since(at)) && j.OK != nil {
					j.OK(k, at, body)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.merge(r)
		})
	}
	wg.Wait()
	total.Took = max(d, time.Since(begin))
	total.Lat.Sort()
	return total, ctx.Err()
}
