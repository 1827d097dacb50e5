package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// partly is a Publisher whose first call fails after it has written a part of its records, as many as cut says.
type partly struct {
	*Publisher
	cut    uint64
	failed atomic.Bool
}

// Publish implements store.Publisher.
func (p *partly) Publish(ctx context.Context, recs ...event.Record) error {
	if p.failed.Swap(true) {
		return p.Publisher.Publish(ctx, recs...)
	}
	_ = p.Publisher.Publish(ctx, Heads(recs, p.cut)...)
	return errAway
}

// factsGoTogether: what waits in a document is published with as few calls as keep the order for every consumer.
func factsGoTogether(t *testing.T, db store.DB) {
	setup(t, db)
	type to struct{ topic, key string }
	for name, tc := range map[string]struct {
		facts []to
		calls []int
	}{
		"one key":                  {slices.Repeat([]to{{"a", "k"}}, 6), []int{6}},
		"two topics":               {[]to{{"a", "k"}, {"b", "l"}, {"a", "k"}, {"b", "l"}}, []int{4}},
		"another key of the topic": {[]to{{"a", "k"}, {"a", "k"}, {"a", "l"}, {"b", "k"}, {"a", "k"}}, []int{2, 2, 1}},
		"more than go at once":     {slices.Repeat([]to{{"a", "k"}}, 300), []int{256, 44}},
	} {
		var p Publisher
		var calls []int
		p.Fail(func(recs []event.Record) error { calls = append(calls, len(recs)); return nil })
		a := newProcess(db, &p)
		c := &Counter{Meta: store.Meta{ID: name}}
		var want, got []string
		for n, f := range tc.facts {
			want = append(want, fmt.Sprint(n))
			c.Emit(f.topic, f.key, event.Event{ID: want[n], Data: fmt.Append(nil, n)})
		}
		check(t, a.counters.Insert(t.Context(), c), a.Flush(t.Context()))
		for _, r := range p.Records() {
			got = append(got, r.Event.ID)
		}
		if diff := cmp.Diff(tc.calls, calls); diff != "" {
			t.Errorf("%s: facts of each call (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: facts (-want +got):\n%s", name, diff)
		}
	}
}
