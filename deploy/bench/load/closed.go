package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/wire"
)

// wait is how long a call may take.
const wait = 30 * time.Second

// Caller makes the bytes of call k.
type Caller interface{ Request(k int64) []byte }

// Job is what to call.
type Job struct {
	Base   string        // http://host:port
	Caller func() Caller // one for each connection
	Next   *atomic.Int64 // the number of the next call; shared by all runs on one plan
	// OK, if not nil, is told of each call that was answered 2xx, with the time it was due.
	OK func(k int64, due time.Time, body []byte)
}

// Closed calls over conns connections for a time; the calls of the warm-up before are made and not counted. meanwhile is called
// when the warm-up is over.
func Closed(ctx context.Context, j Job, conns int, warm, d time.Duration, meanwhile func()) (*Result, error) {
	begin := time.Now().Add(warm)
	end := begin.Add(d)
	total := newResult(0)
	var mu sync.Mutex
	var wg sync.WaitGroup
	timer := time.AfterFunc(warm, meanwhile)
	defer timer.Stop()
	for range conns {
		c, err := wire.New(j.Base, wait)
		if err != nil {
			return nil, err
		}
		wg.Go(func() {
			defer c.Close() //nolint:errcheck // the run is over
			r := j.drive(ctx, c, begin, end)
			mu.Lock()
			defer mu.Unlock()
			total.merge(r)
		})
	}
	wg.Wait()
	total.Took = d
	total.Lat.Sort()
	return total, ctx.Err()
}

func (j Job) drive(ctx context.Context, c *wire.Conn, begin, end time.Time) *Result {
	r, b := newResult(1<<14), j.Caller()
	for ctx.Err() == nil {
		k := j.Next.Add(1) - 1
		req := b.Request(k)
		from := time.Now()
		if from.After(end) {
			return r
		}
		status, body, err := c.Do(req)
		now := time.Now()
		ok := status >= 200 && status < 300
		if ok && j.OK != nil {
			j.OK(k, from, body)
		}
		if now.After(begin) && now.Before(end) {
			r.note(status, now.Sub(from))
		}
		if err != nil || !ok { // whoever is refused does not hammer
			time.Sleep(5 * time.Millisecond)
		}
	}
	return r
}
