package kafka

import (
	"sync"
	"time"
)

// item is a record on its way through a lane.
type item struct {
	record
	entry  *entry
	weight int64
}

// lanes gives every key that has work a goroutine of its own, so that records of a key stay in order and a slow key delays nobody.
type lanes struct {
	work func(item) bool // false: the lane must stop, what is left of it will be read again

	mu    sync.Mutex
	queue map[string][]item // what waits behind the record in progress, by key
	busy  sync.WaitGroup
}

func newLanes(work func(item) bool) *lanes {
	return &lanes{work: work, queue: map[string][]item{}}
}

func (l *lanes) add(key string, it item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q, ok := l.queue[key]; ok {
		l.queue[key] = append(q, it)
		return
	}
	l.queue[key] = nil
	l.busy.Go(func() { l.run(key, it) })
}

func (l *lanes) run(key string, it item) {
	for l.work(it) {
		var ok bool
		if it, ok = l.next(key); !ok {
			return
		}
	}
}

func (l *lanes) next(key string) (item, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queue[key]
	if len(q) == 0 {
		delete(l.queue, key)
		return item{}, false
	}
	it := q[0]
	q[0] = item{}
	l.queue[key] = q[1:]
	return it, true
}

// wait reports whether all lanes ended within d. No record may be added any more.
func (l *lanes) wait(d time.Duration) bool {
	ended := make(chan struct{})
	go func() { l.busy.Wait(); close(ended) }()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ended:
		return true
	case <-t.C:
		return false
	}
}
