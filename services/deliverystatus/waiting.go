package deliverystatus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	lookEvery    = 30 * time.Second // for the oldest letter
	lookPage     = 50               // letters of one read
	redrivenKept = 90 * 24 * time.Hour
)

// redrivenSpec remembers which dead letters were redriven: they stay on their topic, and nobody has to look after them any more. It is kept
// for longer than any broker should keep letters.
var redrivenSpec = store.Spec{Name: "redriven_letters", Expires: true}

// redriven is one of them.
type redriven struct {
	store.Meta
}

// redrivenID is the id of a letter. A topic that was lost and begun anew has the offsets again, and other events.
func redrivenID(m bus.Message) string {
	return event.DeriveID("rdv", strconv.Itoa(m.Partition), strconv.FormatInt(m.Offset, 10), m.Event.ID)
}

// note remembers letters that were redriven. One that is not remembered counts as waiting until it is redriven again, which is harmless.
func (w *waiting) note(ctx context.Context, letters []bus.Message) error {
	docs := make([]*redriven, len(letters))
	for i, m := range letters {
		docs[i] = &redriven{Meta: store.Meta{ID: redrivenID(m), Tenant: m.Event.Tenant, ExpiresAt: event.At(w.now().Add(redrivenKept))}}
	}
	for _, err := range w.redriven.InsertMany(ctx, docs...) {
		if err != nil && !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	return nil
}

// letterTopic is where dead letters are read.
type letterTopic interface {
	Partitions(ctx context.Context, topic string) (int, error)
	ReadFrom(ctx context.Context, topic string, partition int, offset int64, limit int) ([]bus.Message, error)
}

// waiting knows since when the oldest dead letter has waited for somebody: of those that can be redriven and were not. What nobody can
// decode, or belongs to no tenant, does not wait.
type waiting struct {
	letters  letterTopic
	redriven *store.Collection[redriven]
	now      func() time.Time

	mu     sync.Mutex
	oldest map[int]letter // by partition
}

func newWaiting(b letterTopic, db store.DB, now func() time.Time) *waiting {
	return &waiting{letters: b, redriven: store.NewCollection[redriven](db, redrivenSpec), now: now, oldest: map[int]letter{}}
}

// letter is where the oldest letter of a partition that waits lies, and when it died; without a time there is none before next.
type letter struct {
	next int64
	died time.Time
}

// look finds the oldest letter of each partition anew, from where the last look has found it.
func (w *waiting) look(ctx context.Context) error {
	n, err := w.letters.Partitions(ctx, event.TopicDead)
	if err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	for p := range n {
		w.mu.Lock()
		from, known := w.oldest[p]
		w.mu.Unlock()
		if !known {
			from.next = bus.Oldest
		}
		at, err := w.first(ctx, p, from.next)
		if errors.Is(err, bus.ErrTrimmed) {
			at, err = w.first(ctx, p, bus.Oldest)
		}
		if err != nil {
			return fmt.Errorf("dead letters: %w", err)
		}
		w.mu.Lock()
		w.oldest[p] = at
		w.mu.Unlock()
	}
	return nil
}

// first is the first letter of a partition, from an offset on, that waits.
func (w *waiting) first(ctx context.Context, partition int, from int64) (letter, error) {
	at := letter{next: from}
	for {
		page, err := w.letters.ReadFrom(ctx, event.TopicDead, partition, at.next, lookPage)
		if err != nil || len(page) == 0 {
			return at, err
		}
		ids := make([]string, len(page))
		for i, m := range page {
			ids[i] = redrivenID(m)
		}
		done, err := w.redriven.GetMany(ctx, ids)
		if err != nil {
			return at, err
		}
		for i, m := range page {
			if done[i] == nil && redrivable(m) {
				return letter{m.Offset, m.Time}, nil
			}
		}
		at.next = page[len(page)-1].Offset + 1
	}
}

// redrivable reports whether a record is a dead letter that its tenant can redrive.
func redrivable(m bus.Message) bool {
	return m.Dead != nil && m.Dead.Topic != "" && m.Event.ID != "" && m.Event.Type != "" && m.Event.Tenant != ""
}

// age is how long the oldest letter has waited; 0 if none does.
func (w *waiting) age() (oldest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.oldest {
		if !l.died.IsZero() {
			oldest = max(oldest, w.now().Sub(l.died))
		}
	}
	return oldest
}

// observe tells OpenTelemetry of it whenever it asks.
func (w *waiting) observe(m metric.Meter) error {
	_, err := m.Float64ObservableGauge("tributary.dlq.oldest_age", metric.WithUnit("s"),
		metric.WithDescription("How long the oldest dead letter that was not redriven has waited; 0 if there is none."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(w.age().Seconds())
			return nil
		}))
	return err
}
