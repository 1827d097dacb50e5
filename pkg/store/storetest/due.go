package storetest

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

var timers = store.Spec{Name: "timers", Indexes: []store.Index{{Name: "by_at", Fields: []string{"at"}, Sparse: true}}}

// due: what has come, and what lies further ahead than its rule allows; nothing in between, nothing without a time.
func due(t *testing.T, db store.DB) {
	check(t, db.Ensure(t.Context(), timers))
	c := store.NewCollection[Doc](db, timers)
	now := event.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	for id, ahead := range map[string]time.Duration{
		"past": -time.Hour, "now": 0, "soon": 30 * time.Second, "allowed": time.Minute, "skewed": time.Minute + 5*time.Second,
		"back": time.Hour, "far back": 48 * time.Hour,
	} {
		d := &Doc{At: now.Add(ahead)}
		d.ID, d.Tenant = id, "acme"
		check(t, c.Insert(t.Context(), d))
	}
	none := &Doc{}
	none.ID, none.Tenant = "without a time", "acme"
	check(t, c.Insert(t.Context(), none))
	for limit, want := range map[int][]string{10: {"past", "now", "back", "far back"}, 3: {"past", "now", "back"}, 2: {"past", "now"}, 1: {"past"}} {
		var got []string
		for _, d := range must[[]*Doc](t)(c.Due(t.Context(), "at", now, time.Minute, limit)) {
			got = append(got, d.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d: %s", limit, diff)
		}
	}
}

// sweepAfterTheClockWasSetBack: the writer died, and the clock was set back by an hour: its facts wait for nobody.
func sweepAfterTheClockWasSetBack(t *testing.T, db store.DB) {
	setup(t, db)
	var p Publisher
	dead := newProcess(db, &p)
	p.Fail(away)
	check(t, dead.count(t.Context(), "c", 1))
	raw := must[[]store.Raw](t)(db.Get(t.Context(), facts.Name, "c"))[0]
	var doc map[string]any
	check(t, json.Unmarshal(raw.JSON, &doc))
	doc["pending_since"] = event.At(time.Now()).Add(time.Hour)
	b, err := json.Marshal(doc)
	check(t, err, errors.Join(db.Batch(t.Context(), []store.Op{{Kind: store.Replace, Collection: facts.Name, ID: "c", Rev: raw.Rev, JSON: b, Was: raw.JSON}})...))
	p.Fail(nil)
	next := newProcess(db, &p)
	check(t, next.Sweep(t.Context(), store.SweepAge), next.Flush(t.Context()))
	settled(t, db, &p, "c", 1)
}
