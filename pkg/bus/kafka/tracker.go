package kafka

import (
	"sync"
	"time"
)

// tracker knows which records of a partition are done, and so up to where everything is: only that may be committed.
type tracker struct {
	mu     sync.Mutex
	open   []*entry // in the order of their offsets; the first is not done
	next   int64    // behind the newest record taken; -1 before the partition has been opened
	sealed bool
	newest int64         // behind the newest record that the broker has told of
	limit  int           // of len(open)
	room   chan struct{} // signals that open has shrunk
	moved  time.Time     // since when the first open record has been the first
}

type entry struct {
	offset int64
	at     time.Time
	done   bool
}

func newTracker(limit int) *tracker {
	return &tracker{next: -1, limit: limit, room: make(chan struct{}, 1), moved: time.Now()}
}

// begin sets the position from which everything counts.
func (t *tracker) begin(offset int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = offset
}

// take notes a record that is about to be handled; false means that too many lie above an unfinished one, so that the caller
// must wait for room and try again. Offsets must rise.
func (t *tracker) take(offset int64, at time.Time) (*entry, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.open) >= t.limit {
		return nil, false
	}
	if len(t.open) == 0 {
		t.moved = time.Now()
	}
	e := &entry{offset: offset, at: at}
	t.open = append(t.open, e)
	t.next = offset + 1
	return e, true
}

// mark says that a record is done. It has no effect once the tracker is sealed.
func (t *tracker) mark(e *entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return
	}
	e.done = true
	n := 0
	for n < len(t.open) && t.open[n].done {
		t.open[n] = nil
		n++
	}
	if n == 0 {
		return
	}
	t.open = t.open[n:]
	t.moved = time.Now()
	select {
	case t.room <- struct{}{}:
	default:
	}
}

// seal makes later marks void: the offset that is committed last must not move any more.
func (t *tracker) seal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed = true
}

// low is the offset of the first record that is not done, or -1 before begin; oldest is when that record was written, or zero.
func (t *tracker) low() (offset int64, oldest time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.open) > 0 {
		return t.open[0].offset, t.open[0].at
	}
	return t.next, time.Time{}
}

// touch says that standing still up to now was not the fault of a record.
func (t *tracker) touch() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moved = time.Now()
}

func (t *tracker) lastMoved() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moved
}

// saw notes where the partition ends.
func (t *tracker) saw(end int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.newest = end
}

func (t *tracker) end() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(t.newest, t.next)
}
