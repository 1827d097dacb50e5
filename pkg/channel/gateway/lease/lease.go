// Package lease lets one replica at a time do a piece of work. A lease is a store document with a fence that rises with every
// holder, so an empty cache lets nobody in twice.
package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// TTL is how long a holder that died keeps others waiting.
const TTL = 15 * time.Second

// Spec declares the collection of leases; all services share it.
var Spec = store.Spec{Name: "leases"}

// Document says who may work, and until when.
type Document struct {
	store.Meta
	Holder string     `json:"holder"`
	Until  event.Time `json:"until"`
	Fence  int64      `json:"fence"` // rises with every new holder
}

// Leases hands out leases to one process.
type Leases struct {
	docs   *store.Collection[Document]
	holder string
	now    func() time.Time

	mu   sync.Mutex
	seen map[string]sight
}

// sight is a lease as another held it when it was first seen so.
type sight struct {
	fence int64
	until event.Time
	at    time.Time // by our monotonic clock
}

// New returns the leases kept in db. The caller is a holder of its own, also beside others in the same process.
func New(db store.DB, now func() time.Time) *Leases {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return &Leases{docs: store.NewCollection[Document](db, Spec), holder: event.Hash(string(b[:])), now: now, seen: map[string]sight{}}
}

// Try runs f if nobody else holds the lease, and reports whether it did. The context of f ends when the lease is lost, and no
// later than a third of TTL before anybody else may have it; f should return then. The error is f's, or the store's.
func (l *Leases) Try(ctx context.Context, name string, f func(ctx context.Context, fence int64) error) (held bool, err error) {
	fence, err := l.acquire(ctx, name)
	if err != nil || fence == 0 {
		return false, err
	}
	ctx, lost := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		defer lost()
		l.keep(ctx, name, fence)
	}()
	err = f(ctx, fence)
	lost()
	<-kept
	l.release(context.WithoutCancel(ctx), name, fence)
	return true, err
}

var errHeld = errors.New("lease: held by another")

// acquire returns the new fence, or 0 if another holds the lease.
func (l *Leases) acquire(ctx context.Context, name string) (int64, error) {
	doc, err := l.docs.Upsert(ctx, name, func() *Document { return &Document{} }, func(d *Document) error {
		if d.Holder != "" && !l.outlived(name, d) {
			return errHeld
		}
		d.Holder, d.Until, d.Fence = l.holder, event.At(l.now().Add(TTL)), d.Fence+1
		return nil
	})
	if errors.Is(err, errHeld) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("lease %s: %w", name, err)
	}
	return doc.Fence, nil
}

// outlived reports whether a holder has not renewed its lease for TTL by our own clock. Until is for people: the clock of whoever
// wrote it may be another, or have been set since.
func (l *Leases) outlived(name string, d *Document) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	have, ok := l.seen[name]
	if !ok || have.fence != d.Fence || have.until != d.Until {
		l.seen[name] = sight{d.Fence, d.Until, l.now()}
		return false
	}
	return l.now().Sub(have.at) >= TTL
}

// keep renews the lease until ctx ends or it is lost.
func (l *Leases) keep(ctx context.Context, name string, fence int64) {
	tick := time.NewTicker(TTL / 5)
	defer tick.Stop()
	renewed := l.now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		rctx, cancel := context.WithTimeout(ctx, TTL/5)
		at := l.now()
		_, err := l.docs.Update(rctx, name, func(d *Document) error {
			if d.Fence != fence {
				return errHeld
			}
			d.Until = event.At(at.Add(TTL))
			return nil
		})
		cancel()
		if err == nil {
			renewed = at
		} else if errors.Is(err, errHeld) || errors.Is(err, store.ErrNotFound) || l.now().Sub(renewed) > TTL*2/3-TTL/5 {
			return
		}
	}
}

// release lets the next one in at once; if it fails, after TTL.
func (l *Leases) release(ctx context.Context, name string, fence int64) {
	ctx, cancel := context.WithTimeout(ctx, TTL/5)
	defer cancel()
	_, _ = l.docs.Update(ctx, name, func(d *Document) error {
		if d.Fence != fence {
			return store.Unchanged
		}
		d.Holder = ""
		return nil
	})
}
