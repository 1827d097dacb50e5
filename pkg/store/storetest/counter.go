package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Counter is a document whose every change is a fact, and every fact implies a note.
type Counter struct {
	store.Meta
	N int64 `json:"n"`
}

type note struct {
	store.Meta
	N int64 `json:"n"`
}

var (
	facts = store.Spec{Name: "counters", Facts: true}
	notes = store.Spec{Name: "notes"}
)

const topic = "facts"

// process is what one process has in memory.
type process struct {
	*store.Applier
	counters *store.Collection[Counter]
	notes    *store.Collection[note]
}

func newProcess(db store.DB, p store.Publisher) *process {
	a := store.NewApplier(db, p, nil)
	return &process{
		Applier: a,
		notes:   store.NewCollection[note](db, notes),
		counters: store.NewCollection[Counter](db, facts, store.Facts(a), store.Records(func(f store.Fact) ([]store.Implied, error) {
			var n int64
			if err := json.Unmarshal(f.Event.Data, &n); err != nil {
				return nil, err
			}
			id := fmt.Sprintf("%s.%d", f.Key, n)
			return []store.Implied{{Collection: notes.Name, ID: id, JSON: json.RawMessage(fmt.Sprintf(`{"_id":%q,"n":%d}`, id, n))}}, nil
		})),
	}
}

// count adds facts to the counter: one per increment.
func (p *process) count(ctx context.Context, id string, by int) error {
	_, err := p.counters.Upsert(ctx, id, func() *Counter { return &Counter{} }, func(c *Counter) error {
		for range by {
			c.N++
			c.Emit(topic, id, event.Event{ID: fmt.Sprintf("%s.%d", id, c.N), Data: json.RawMessage(fmt.Sprint(c.N))})
		}
		return nil
	})
	return err
}

func setup(t testing.TB, db store.DB) {
	t.Helper()
	if err := db.Ensure(t.Context(), facts, notes); err != nil {
		t.Fatal(err)
	}
}

// consumed is what a consumer of the topic has seen that skips every number it has passed.
func consumed(t testing.TB, p *Publisher) []int64 {
	t.Helper()
	var seen []int64
	last := int64(0)
	for _, r := range p.Records() {
		var n int64
		if err := json.Unmarshal(r.Event.Data, &n); err != nil {
			t.Fatal(err)
		}
		if n > last {
			seen, last = append(seen, n), n
		}
	}
	return seen
}

func upTo(n int64) []int64 {
	var all []int64
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

// settled checks that nothing of the counter is left to do, and that all its facts were seen in order and have their notes.
func settled(t testing.TB, db store.DB, p *Publisher, id string, n int64) {
	t.Helper()
	reader := newProcess(db, p)
	c := must[*Counter](t)(reader.counters.Get(t.Context(), id))
	if c.N != n || len(c.Pending) != 0 || !c.PendingSince.IsZero() {
		t.Errorf("counter %d, want %d; pending %d since %s", c.N, n, len(c.Pending), c.PendingSince)
	}
	if diff := cmp.Diff(upTo(n), consumed(t, p)); diff != "" {
		t.Errorf("seen by a consumer: %s", diff)
	}
	for i := range n {
		if _, err := reader.notes.Get(t.Context(), fmt.Sprintf("%s.%d", id, i+1)); err != nil {
			t.Errorf("note %d: %v", i+1, err)
		}
	}
}

var errAway = errors.New("kafka is away")

func away([]event.Record) error { return errAway }
