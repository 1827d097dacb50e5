package ingress

import (
	"container/list"
	"io"
	"sync"
	"time"
)

// arrivals bounds the bytes of bodies whose origin is not proved yet: in all, of one source and for one channel. Where there is no
// room, the oldest body that is still arriving gives way: a genuine one is complete within moments, so those that are held open
// on purpose are cut off and not those that come.
type arrivals struct {
	all, each int64 // bytes; of everybody, and of one source or channel
	settle    time.Duration
	now       func() time.Time

	mu   sync.Mutex
	sum  int64
	of   map[string]int64
	open list.List // of *arrival: those not complete, the oldest first
}

// arrival is one body.
type arrival struct {
	to     *arrivals
	keys   []string
	cut    func() // makes a pending read fail
	began  time.Time
	n      int64
	at     *list.Element // nil once it is complete, cut off or released
	gaveUp bool
}

func newArrivals(l Limits, now func() time.Time) *arrivals {
	return &arrivals{all: l.Unproved, each: l.Unproved / 4, settle: l.Settle, now: now, of: map[string]int64{}}
}

// begin notes a body; the keys name its source and its channel.
func (a *arrivals) begin(cut func(), keys ...string) *arrival {
	b := &arrival{to: a, keys: keys, cut: cut, began: a.now()}
	a.mu.Lock()
	b.at = a.open.PushBack(b)
	a.mu.Unlock()
	return b
}

// add counts bytes that have come. It reports false if there is no room for them, or if the body gave way to another.
func (b *arrival) add(n int) bool {
	a := b.to
	a.mu.Lock()
	defer a.mu.Unlock()
	for !b.gaveUp && !a.fits(b.keys, int64(n)) {
		if !a.evict(b, int64(n)) {
			return false
		}
	}
	if b.gaveUp {
		return false
	}
	a.count(b, int64(n))
	return true
}

// complete says that the body is whole: it gives way no more.
func (b *arrival) complete() {
	b.to.mu.Lock()
	defer b.to.mu.Unlock()
	b.close()
}

// release gives all bytes back.
func (b *arrival) release() {
	b.to.mu.Lock()
	defer b.to.mu.Unlock()
	b.to.count(b, -b.n)
	b.close()
}

func (b *arrival) close() {
	if b.at != nil {
		b.to.open.Remove(b.at)
		b.at = nil
	}
}

func (a *arrivals) fits(keys []string, n int64) bool {
	for _, k := range keys {
		if a.of[k]+n > a.each {
			return false
		}
	}
	return a.sum+n <= a.all
}

func (a *arrivals) count(b *arrival, n int64) {
	b.n += n
	a.sum += n
	for _, k := range b.keys {
		if a.of[k] += n; a.of[k] <= 0 {
			delete(a.of, k)
		}
	}
}

// evict cuts off the oldest body that holds what b lacks. One that has only just begun is left alone.
func (a *arrivals) evict(b *arrival, n int64) bool {
	for e := a.open.Front(); e != nil; e = e.Next() {
		v := e.Value.(*arrival)
		if a.now().Sub(v.began) < a.settle {
			return false
		}
		if v != b && v.n > 0 && (a.sum+n > a.all || a.shares(v, b, n)) {
			a.count(v, -v.n)
			v.close()
			v.gaveUp = true
			v.cut()
			return true
		}
	}
	return false
}

// shares reports whether v holds something of a key of b that is full.
func (a *arrivals) shares(v, b *arrival, n int64) bool {
	for _, k := range b.keys {
		for _, have := range v.keys {
			if k == have && a.of[k]+n > a.each {
				return true
			}
		}
	}
	return false
}

// readAll reads a body, counting its bytes as they come. A body of honest announced size up to 64 KiB costs one allocation; a larger
// one grows with what really arrives.
func (b *arrival) readAll(r io.Reader, announced int64) (body []byte, err error) {
	size := min(announced, 64<<10)
	if size <= 0 {
		size = 4 << 10
	}
	body = make([]byte, 0, size+1) // one more, so that the end is seen without growing
	for {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if !b.add(n) {
			return body, errBusy
		}
		if err == io.EOF {
			b.complete()
			return body, nil
		}
		if err != nil {
			return body, err
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
}
