package dispatch

import (
	"slices"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
)

// table is what an owner knows of the open rows of its keys: rows that wait, and rows that waited and are being called. A lane
// looks here before it calls (rule BUSY); the drainer takes from here, the oldest of a key first.
type table struct {
	owner  drainer
	scopes *Scopes
	busy   sync.WaitGroup // drainers' calls under way
	mu     sync.Mutex
	lines  map[string]*line // by key
	over   bool
}

// drainer takes rows further: the owner of the table's partition.
type drainer interface {
	drain(w work, p *Permit)
	// elsewhere reports whether only another owner can make the scope's calls.
	elsewhere(scope string) bool
	// done is closed when the partition is lost.
	done() <-chan struct{}
}

// line is the open rows of one key, oldest first. It is in one place at a time: idle, in its scope's queue, on a timer, or
// in the hands of the drainer.
type line struct {
	key   string
	scope string
	rows  []ref
	taken bool // queued, timed or drained
}

// ref is a row that is known to be open. The zero ref is none.
type ref struct {
	id     string
	offset int64
	part   int
	at     event.Time // what the row says: waiting: not before; called by another: given up then
	due    time.Time  // the same by our monotonic clock, as it was when the row was first seen like this
	until  time.Time  // it expires then, if it still waits
	called bool       // by another
	bulk   bool       // others of its scope go first
}

func (t *table) refOf(doc Doc) ref {
	r := doc.Core()
	n := ref{id: r.ID, offset: r.Offset, part: r.Part, at: r.NextAt, until: r.SendBy.Time, bulk: doc.Bulk()}
	allowed, margin := r.allowed(), t.scopes.Timing.Margin
	switch {
	case r.State == Calling:
		n.at, n.called = r.Deadline.Add(margin), true
		allowed += margin
	case r.State.Final():
		return ref{}
	}
	n.due = time.Now().Add(due.Left(n.at.Time, t.scopes.Now(), allowed))
	return n
}

// waited reports whether a line has waited for what its row still says.
func (r ref) waited(row ref) bool {
	return r.at == row.at && r.called == row.called && !time.Now().Before(r.due)
}

func newTable(o drainer, s *Scopes) *table {
	return &table{owner: o, scopes: s, lines: map[string]*line{}}
}

// has reports whether anything of the key is open.
func (t *table) has(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lines[key] != nil
}

// add notes an open row; noting it twice is harmless. A row that another calls is looked at again at once: it may have ended since
// it was read, by our own drainer even, and would hold its key up until its deadline.
func (t *table) add(doc Doc) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	key := doc.Core().Key
	l := t.lines[key]
	if l == nil {
		l = &line{key: key, scope: doc.Scope()}
		t.lines[key] = l
	}
	n := t.refOf(doc)
	if n.called {
		n.at, n.due = event.Time{}, time.Time{}
	}
	if slices.ContainsFunc(l.rows, func(have ref) bool { return have.id == n.id }) {
		return
	}
	i, _ := slices.BinarySearchFunc(l.rows, n, func(a, b ref) int {
		if a.offset != b.offset {
			return int(a.offset - b.offset)
		}
		return a.part - b.part
	})
	l.rows = slices.Insert(l.rows, i, n)
	t.schedule(l)
}

// schedule sends a line to its scope's queue, now or when its oldest row is due. A row that another calls needs no leave of the
// scope: it will only be looked at. It holds the lock.
func (t *table) schedule(l *line) {
	if l.taken || t.over {
		return
	}
	l.taken = true
	w := work{table: t, line: l, until: l.rows[0].until, bulk: l.rows[0].bulk}
	next := func() { t.scopes.of(l.scope).push(w) }
	if l.rows[0].called {
		next = func() { t.owner.drain(w, nil) }
	}
	switch wait := time.Until(l.rows[0].due); {
	case wait > 0:
		time.AfterFunc(wait, next)
	case l.rows[0].called:
		go next()
	default:
		next()
	}
}

// oldest returns the row that is the line's next; false if the owner is gone.
func (t *table) oldest(l *line) (ref, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return ref{}, false
	}
	t.busy.Add(1)
	return l.rows[0], true
}

// put gives a line back from the drainer, with what is left of the row that it took.
func (t *table) put(l *line, id string, left ref) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.busy.Done()
	i := slices.IndexFunc(l.rows, func(r ref) bool { return r.id == id })
	if left.id == "" {
		l.rows = slices.Delete(l.rows, i, i+1)
	} else {
		l.rows[i] = left
	}
	t.back(l)
}

// later gives a line back that only its key's limit holds.
func (t *table) later(l *line, due time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.rows[0].due = due
	t.back(l)
}

func (t *table) back(l *line) {
	l.taken = false
	if len(l.rows) == 0 {
		delete(t.lines, l.key)
		return
	}
	t.schedule(l)
}

// lost reports whether the owner has lost its partition.
func (t *table) lost() bool {
	select {
	case <-t.owner.done():
		return true
	default:
		return false
	}
}

// close forgets everything: the owner has lost its partition.
func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
}
