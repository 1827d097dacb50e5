package directory

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// How long what was read is believed.
const (
	valueLife   = 30 * time.Second
	missingLife = time.Second
	staleLife   = time.Hour // on an error of the store
)

// Bounds of reading: the time for one look-up, how often it is read again because it was overtaken, and how much is
// cached.
const (
	loadTimeout = 3 * time.Second
	loadTries   = 4
	maxEntries  = 100_000
	maxMissing  = 10_000 // ids that are not there, the newest
)

// errGone says that there is no such entity.
var errGone error = fault.New(fault.Gone, "not_found", "there is no such thing")

// table caches the values of one kind of entity by id. A value that is older than the newest known version is never
// used.
type table[T any] struct {
	load    func(ctx context.Context, id string) (v T, version int64, err error) // errGone: not there
	now     func() time.Time
	unknown *rate.Limiter // look-ups of ids that nothing was heard of
	flight  singleflight.Group
	missing *lru.Cache[string, time.Time] // ids that were not there, and when
	all     atomic.Bool                   // every id that exists is in floor, but for those of the last moments

	mu      sync.RWMutex
	entries map[string]entry[T]
	floor   map[string]int64 // id → newest known version; 0: it exists
}

type entry[T any] struct {
	value   T
	version int64 // of a value that carries none: the newest that was known when it was asked for
	gone    bool
	at      time.Time
}

// unknownRate is how many look-ups a second, at once and on average, may be of ids that nobody has heard of.
const unknownRate = 500

func newTable[T any](now func() time.Time, load func(context.Context, string) (T, int64, error)) *table[T] {
	missing, err := lru.New[string, time.Time](maxMissing)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &table[T]{
		load: load, now: now, missing: missing, unknown: rate.NewLimiter(unknownRate, unknownRate), entries: map[string]entry[T]{}, floor: map[string]int64{},
	}
}

// changed notes a version; an older value is not used any more. Version 0 says only that there is something new.
func (t *table[T]) changed(id string, version int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.floor[id]; !ok || version > known {
		t.floor[id] = version
	}
	t.missing.Remove(id)
	if e, ok := t.entries[id]; ok && (version == 0 || e.version < version) {
		delete(t.entries, id)
	}
}

// find returns the value of an id, errGone if there is none. Ids that exist are looked up as often as is needed; those
// that nothing was heard of have a budget, so that no flood of them reaches the store.
func (t *table[T]) find(ctx context.Context, id string) (T, error) {
	var zero T
	t.mu.RLock()
	e, ok := t.entries[id]
	_, exists := t.floor[id]
	t.mu.RUnlock()
	age := t.now().Sub(e.at)
	if ok && age < valueLife {
		return e.value, nil
	}
	if at, ok := t.missing.Get(id); ok && t.now().Sub(at) < missingLife {
		return zero, errGone
	}
	if !exists && !ok && !t.unknown.AllowN(t.now(), 1) {
		if t.all.Load() {
			return zero, errGone
		}
		return zero, fault.Later("overloaded", missingLife, "too many look-ups of unknown ids")
	}
	v, err, _ := t.flight.Do(id, func() (any, error) { return t.read(context.WithoutCancel(ctx), id) })
	fresh, _ := v.(entry[T])
	switch {
	case err != nil && ok && age < staleLife && e.version >= t.newest(id):
		return e.value, nil // the store is away: what we have is better than nothing
	case err != nil:
		return zero, err
	case fresh.gone:
		return zero, errGone
	}
	return fresh.value, nil
}

// heard reports whether an id was heard of, or found: looking it up takes nothing of the budget of unknown ones.
func (t *table[T]) heard(id string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	_, exists := t.floor[id]
	_, found := t.entries[id]
	return exists || found
}

func (t *table[T]) newest(id string) int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.floor[id]
}

// read loads an id. A value that was overtaken while it was being read is read again.
func (t *table[T]) read(ctx context.Context, id string) (entry[T], error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	for range loadTries {
		known := t.newest(id)
		v, version, err := t.load(ctx, id)
		e := entry[T]{value: v, version: version, at: t.now()}
		if errors.Is(err, errGone) {
			e.gone, err = true, nil
		}
		if err != nil {
			return e, &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
		}
		if version == 0 {
			e.version = known // it has no version: it is at least as new as what was known when we asked
		}
		if t.keep(id, e) {
			return e, nil
		}
	}
	return entry[T]{}, &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: errors.New("the store answers with versions older than known")}
}

// keep stores an entry unless a newer version is known.
func (t *table[T]) keep(id string, e entry[T]) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.version < t.floor[id] {
		return false
	}
	if e.version > t.floor[id] {
		t.floor[id] = e.version
	}
	if e.gone {
		delete(t.entries, id)
		t.missing.Add(id, e.at)
		return true
	}
	if len(t.entries) >= maxEntries { // a very long life: begin anew
		clear(t.entries)
	}
	t.entries[id] = e
	return true
}
