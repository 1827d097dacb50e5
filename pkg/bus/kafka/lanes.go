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

// lanes gives every lane that has work a goroutine of its own, so that records of a lane stay in order and a slow one delays no
// other. A lane holds at most its share of the partition's records in flight; what comes above it is set aside: only its offset
// is kept, and it is read again when its turn comes. So a key with any number of records leaves room for the others.
type lanes struct {
	share int // records that one lane holds
	most  int // records given to work at once
	// work handles records in order. false: the lane must stop, what is left of it will be read again.
	work func([]item) bool
	// recall reads records again that were set aside, some of the first. gone is how many of them are settled: among the items,
	// or no longer in the log. false: the lane must stop.
	recall func(aside []*entry) (items []item, gone int, ok bool)

	mu   sync.Mutex
	of   map[string]*lane // by name, those that have work; nil before the first
	busy sync.WaitGroup
}

// lane is the work of one lane behind the records in progress. While anything is set aside, all that comes is set aside.
type lane struct {
	queue []item
	aside []*entry
}

// full reports whether the next record of a lane must be set aside.
func (l *lanes) full(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.of[name]
	return ln != nil && (len(ln.queue) >= l.share || len(ln.aside) > 0)
}

func (l *lanes) add(name string, it item) {
	l.change(name, func(ln *lane) { ln.queue = append(ln.queue, it) })
}

func (l *lanes) setAside(name string, e *entry) {
	l.change(name, func(ln *lane) { ln.aside = append(ln.aside, e) })
}

// change alters a lane, and starts it if it has had no work.
func (l *lanes) change(name string, f func(*lane)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.of[name]
	if l.of == nil {
		l.of = map[string]*lane{}
	}
	if ln == nil {
		ln = &lane{}
		l.of[name] = ln
		l.busy.Go(func() { l.run(name, ln) })
	}
	f(ln)
}

func (l *lanes) run(name string, ln *lane) {
	for {
		items, ok := l.next(name, ln)
		if !ok || !l.work(items) {
			return
		}
	}
}

// next takes the records that a lane handles now; false: it has no more, or must stop.
func (l *lanes) next(name string, ln *lane) ([]item, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(ln.queue) == 0 && len(ln.aside) > 0 && !l.refill(ln) {
		return nil, false
	}
	if len(ln.queue) == 0 && len(ln.aside) == 0 {
		delete(l.of, name)
		return nil, false
	}
	n := min(len(ln.queue), l.most)
	items := ln.queue[:n:n]
	ln.queue = ln.queue[n:]
	return items, true
}

// refill recalls the first of what was set aside. It is called with the lock, which is free while records are read: the lane is
// there, so whatever comes meanwhile is set aside behind them.
func (l *lanes) refill(ln *lane) bool {
	for len(ln.queue) == 0 && len(ln.aside) > 0 {
		first := ln.aside[:min(len(ln.aside), l.share)]
		l.mu.Unlock()
		items, gone, ok := l.recall(first)
		l.mu.Lock()
		if !ok {
			return false
		}
		ln.queue, ln.aside = items, ln.aside[gone:]
	}
	return true
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
