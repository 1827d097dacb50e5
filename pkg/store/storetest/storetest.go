// Package storetest is the one suite that every driver of package store passes, and what other packages need to test on a real
// store: a fast database and a publisher that remembers.
package storetest

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/mongo"
	"github.com/tributaryhq/tributary/pkg/store/mongo/fresh"
	"github.com/tributaryhq/tributary/pkg/store/sqlite"
)

// Open returns an empty SQLite database in dir or, with TRIBUTARY_TEST_MONGODB_URI, an empty database of that deployment, which is
// deleted when it is closed.
func Open(ctx context.Context, dir string) (store.DB, error) {
	if !fresh.Real() {
		return sqlite.Open(ctx, filepath.Join(dir, "store.db"))
	}
	uri, drop, err := fresh.Database()
	if err != nil {
		return nil, err
	}
	db, err := mongo.Open(ctx, uri)
	if err != nil {
		return nil, err
	}
	return &passing{db, drop}, nil
}

// passing is a database that does not outlive its use. What is required of it it makes: nobody else would.
type passing struct {
	store.DB
	drop func(context.Context) error
}

func (p *passing) Require(ctx context.Context, specs ...store.Spec) error {
	return p.Ensure(ctx, specs...)
}

func (p *passing) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(p.drop(ctx), p.DB.Close())
}

// New returns a database as Open does, with the collections made. It is closed when the test ends.
func New(t testing.TB, specs ...store.Spec) store.DB {
	t.Helper()
	db, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	if err := db.Ensure(t.Context(), specs...); err != nil {
		t.Fatal(err)
	}
	return db
}

// Publisher remembers what was published. The zero value is ready.
type Publisher struct {
	mu   sync.Mutex
	recs []event.Record
	fail func([]event.Record) error
}

// Publish implements store.Publisher.
func (p *Publisher) Publish(ctx context.Context, recs ...event.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		if err := p.fail(recs); err != nil {
			return err
		}
	}
	p.recs = append(p.recs, recs...)
	return ctx.Err()
}

// Heads is what a call of a Publisher that fails may have written: of each topic and key the first few records, as many
// as cut says. Every part that may be written has a cut.
func Heads(recs []event.Record, cut uint64) (heads []event.Record) {
	type line struct{ topic, key string }
	total, left := map[line]uint64{}, map[line]uint64{}
	for _, r := range recs {
		total[line{r.Topic, r.Key}]++
	}
	for _, r := range recs {
		of := line{r.Topic, r.Key}
		if _, drawn := left[of]; !drawn {
			left[of] = cut % (total[of] + 1)
			cut /= total[of] + 1
		}
		if left[of] > 0 {
			left[of]--
			heads = append(heads, r)
		}
	}
	return heads
}

// Fail lets every call fail for which fail returns an error; nothing of it is written. nil: none fails.
func (p *Publisher) Fail(fail func(recs []event.Record) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = fail
}

// Records returns everything published so far, repetitions included.
func (p *Publisher) Records() []event.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.recs)
}

// Topic returns the events published to a topic, each once, in the order in which they came first.
func (p *Publisher) Topic(topic string) []event.Event {
	seen := map[string]bool{}
	var events []event.Event
	for _, r := range p.Records() {
		if r.Topic == topic && !seen[r.Event.ID] {
			seen[r.Event.ID] = true
			events = append(events, r.Event)
		}
	}
	return events
}

// Eventually waits until ok holds, at most ten seconds.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute) // longer than anything takes on a busy machine
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// must stops the test on an error.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
