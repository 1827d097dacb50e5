package decide

import (
	"cmp"
	"slices"
	"sync"
)

// tenant is the memory of one tenant: what is to be decided. Its records come one after the other, for they share a key.
type tenant struct {
	id      string
	mu      sync.Mutex // a record and the net take turns
	waiting map[string]*Routed
	lines   map[string][]*Routed // queue → what waits in it, in order
}

func newTenant(id string) *tenant {
	return &tenant{id: id, waiting: map[string]*Routed{}, lines: map[string][]*Routed{}}
}

// take takes over where a conversation stands. A hold hides one that waits only if its epoch is not older.
func (t *tenant) take(p *Routed, newestHold int64) {
	if p.undecided() && newestHold < p.Epoch {
		t.wait(p)
	} else {
		t.leave(p.ID)
	}
}

// wait puts a conversation into the line of its queue, also if it stood in one already.
func (t *tenant) wait(p *Routed) {
	t.leave(p.ID)
	line := t.lines[p.QueueID]
	i, _ := slices.BinarySearchFunc(line, p, order)
	t.lines[p.QueueID] = slices.Insert(line, i, p)
	t.waiting[p.ID] = p
}

// leave takes a conversation out of its line.
func (t *tenant) leave(id string) {
	p := t.waiting[id]
	if p == nil {
		return
	}
	delete(t.waiting, id)
	line := t.lines[p.QueueID]
	i, _ := slices.BinarySearchFunc(line, p, order)
	if line = slices.Delete(line, i, i+1); len(line) > 0 {
		t.lines[p.QueueID] = line
	} else {
		delete(t.lines, p.QueueID)
	}
}

// order puts the most urgent first, and then what waits the longest.
func order(a, b *Routed) int {
	return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.WaitingSince.Compare(b.WaitingSince.Time), cmp.Compare(a.ID, b.ID))
}

// turn is how far a look has come in the line of a queue.
type turn struct {
	queue *Queue
	next  int
}

// first is the turn of the most urgent and then longest waiting conversation that the look has not come to yet, and nil behind
// the last.
func (t *tenant) first(turns []*turn) (best *turn, place *Routed) {
	for _, x := range turns {
		if line := t.lines[x.queue.ID]; x.next < len(line) && (best == nil || order(line[x.next], place) < 0) {
			best, place = x, line[x.next]
		}
	}
	return best, place
}
