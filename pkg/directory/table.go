package directory

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// How long what was read is believed (architecture §7, Directory).
const (
	valueLife   = 30 * time.Second
	missingLife = time.Second
	staleLife   = time.Hour // on an error of the store
)

// errGone says that there is no such entity.
var errGone error = fault.New(fault.Gone, "not_found", "there is no such thing")

// table caches the values of one kind of entity by id. A value that is older than the newest known version is never used.
type table[T any] struct {
	load    func(ctx context.Context, id string) (v T, version int64, err error) // errGone: not there
	now     func() time.Time
	missing *rate.Limiter // look-ups of what may not exist
	flight  singleflight.Group

	mu      sync.RWMutex
	entries map[string]entry[T]
	floor   map[string]int64 // id → newest known version
}

type entry[T any] struct {
	value   T
	version int64
	gone    bool
	at      time.Time
}

func newTable[T any](now func() time.Time, load func(context.Context, string) (T, int64, error)) *table[T] {
	return &table[T]{load: load, now: now, missing: rate.NewLimiter(500, 500), entries: map[string]entry[T]{}, floor: map[string]int64{}}
}

// changed notes a version; an older value is not used any more.
func (t *table[T]) changed(id string, version int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if version > t.floor[id] {
		t.floor[id] = version
	}
	if e, ok := t.entries[id]; ok && (e.gone || e.version < version) {
		delete(t.entries, id)
	}
}

// find returns the value of an id, errGone if there is none.
func (t *table[T]) find(ctx context.Context, id string) (T, error) {
	t.mu.RLock()
	e, ok := t.entries[id]
	_, exists := t.floor[id]
	t.mu.RUnlock()
	age := t.now().Sub(e.at)
	if ok && !e.gone && age < valueLife {
		return e.value, nil
	}
	if ok && e.gone && age < missingLife {
		return e.value, errGone
	}
	if !exists && !ok && !t.missing.AllowN(t.now(), 1) {
		var zero T
		return zero, &fault.Error{Kind: fault.Throttled, Code: "overloaded", After: missingLife, Err: errors.New("too many look-ups of unknown ids")}
	}
	v, err, _ := t.flight.Do(id, func() (any, error) { return t.read(context.WithoutCancel(ctx), id) })
	fresh, _ := v.(entry[T])
	switch {
	case err != nil && ok && !e.gone && age < staleLife && t.current(id, e.version):
		return e.value, nil // the store is away: what we have is better than nothing
	case err != nil:
		var zero T
		return zero, err
	case fresh.gone:
		return fresh.value, errGone
	}
	return fresh.value, nil
}

func (t *table[T]) current(id string, version int64) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return version >= t.floor[id]
}

func (t *table[T]) read(ctx context.Context, id string) (entry[T], error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	v, version, err := t.load(ctx, id)
	e := entry[T]{value: v, version: version, at: t.now()}
	if errors.Is(err, errGone) {
		e.gone, err = true, nil
	}
	if err != nil {
		return e, &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if version > t.floor[id] && !e.gone {
		t.floor[id] = version
	}
	t.entries[id] = e
	if len(t.entries) > 100_000 { // an attacker's ids, or a very long life: begin anew
		clear(t.entries)
	}
	return e, nil
}
