package deliverystatus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

var errDead = errors.New("the process is dead")

// dying is the store and the broker of a process that dies at its left-th step: before it, or right after it.
type dying struct {
	store.DB
	out   store.Publisher
	after bool

	mu   sync.Mutex
	left int
}

func (d *dying) step() (happens, lives bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left--
	return d.left >= 0 || (d.left == -1 && d.after), d.left >= 0
}

func (d *dying) dead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left < 0
}

func (d *dying) Get(ctx context.Context, collection string, ids ...string) ([]store.Raw, error) {
	if _, lives := d.step(); !lives {
		return nil, errDead
	}
	return d.DB.Get(ctx, collection, ids...)
}

func (d *dying) Query(ctx context.Context, collection string, q store.Query) (store.Page, error) {
	if _, lives := d.step(); !lives {
		return store.Page{}, errDead
	}
	return d.DB.Query(ctx, collection, q)
}

func (d *dying) Batch(ctx context.Context, ops []store.Op) []error {
	errs := make([]error, len(ops))
	for i, op := range ops {
		happens, lives := d.step()
		if happens {
			errs[i] = d.DB.Batch(ctx, []store.Op{op})[0]
		}
		if !lives {
			errs[i] = errDead
		}
	}
	return errs
}

func (d *dying) Publish(ctx context.Context, recs ...event.Record) error {
	happens, lives := d.step()
	if happens {
		if err := d.out.Publish(ctx, recs...); err != nil {
			return err
		}
	}
	if !lives {
		return errDead
	}
	return nil
}

// A process dies at every step of its work, before and after it, and another takes over: records that were not committed come
// again. Every step is told once, in order, and the statuses end where they would have ended.
func TestP3_P6_ACrashAtAnyStepLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, receiptSpec, attemptSpec, watermarkSpec)
	for name, records := range map[string]func(id, ext string) []bus.Message{
		"result first": func(id, ext string) []bus.Message {
			return []bus.Message{settled(id, 0, 1, event.Accepted, ext), reported(ext, event.Sent, ""), reported(ext, event.Read, "")}
		},
		"receipt first": func(id, ext string) []bus.Message {
			return []bus.Message{reported(ext, event.Read, ""), reported(ext, event.Sent, ""), settled(id, 0, 1, event.Accepted, ext)}
		},
		"watermark": func(id, ext string) []bus.Message {
			return []bus.Message{settled(id, 0, 1, event.Accepted, ext), reported(ext, event.Sent, ""), of(marked(event.Read, epoch), id)}
		},
		"watermark first": func(id, ext string) []bus.Message {
			return []bus.Message{of(marked(event.Read, epoch), id), settled(id, 0, 1, event.Accepted, ext), reported(ext, event.Sent, "")}
		},
	} {
		for _, after := range []bool{false, true} {
			for left, died := 0, true; died; left++ {
				id := fmt.Sprintf("try_%s_%t_%d", name, after, left)
				died = crash(t, db, after, left, id, records(id, "m."+id))
				if left > 200 {
					t.Fatal("the work never ends")
				}
			}
		}
	}
}

// of gives a record a tenant of its own, so that watermarks of one run mark nothing of another.
func of(m bus.Message, tenant string) bus.Message {
	m.Event.Tenant = tenant
	return m
}

func crash(t *testing.T, db store.DB, after bool, left int, id string, records []bus.Message) (died bool) {
	t.Helper()
	for i := range records {
		records[i] = of(records[i], id)
	}
	out := &consumer{t: t, seq: map[string]int64{}, status: map[string]event.DeliveryStatus{}, steps: map[string][]string{}}
	d := &dying{DB: db, out: out, after: after, left: left}
	first := judgeOn(d, d)
	committed := 0
	for _, m := range records {
		if err := first.handle(t.Context(), m); err != nil {
			if !d.dead() || fault.Is(err, fault.Invalid) {
				t.Fatalf("%s: %v (a record must not be given up)", id, err)
			}
			break
		}
		committed++
	}
	died = d.dead()
	d.mu.Lock()
	d.left = -1 // nothing that the dead process still tries happens
	d.after = false
	d.mu.Unlock()
	second := judgeOn(db, out)
	for _, m := range records[max(0, committed-1):] { // the offset of the last one may not have been committed
		if err := second.handle(t.Context(), m); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
	if err := second.attempts.Apply(t.Context(), id); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	a, err := second.attempts.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out.steps[id])
	if want := []string{"0:accepted", "0:read", "0:sent"}; !slices.Equal(out.steps[id], want) || a.Status != event.Read || out.status[id] != event.Read {
		t.Errorf("%s (died: %t): told %v, status %s, told %s", id, died, out.steps[id], a.Status, out.status[id])
	}
	return died
}

func judgeOn(db store.DB, p store.Publisher) *judge {
	applier := store.NewApplier(db, p, slog.New(slog.DiscardHandler))
	return &judge{
		receipts: store.NewCollection[receipt](db, receiptSpec), attempts: store.NewCollection[attempt](db, attemptSpec, store.Facts(applier)),
		watermarks: store.NewCollection[watermark](db, watermarkSpec), now: epoch.Time.UTC, unclaimed: unclaimedCounter,
	}
}
