package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Whatever the order in which records are done, the mark never passes one that is not, and comes to the end when all are.
func TestP3_OnlyTheContiguousMarkIsCommitted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tr := newTracker(1000)
		tr.begin(100)
		gaps := rapid.SliceOfN(rapid.Int64Range(1, 3), 1, 50).Draw(t, "gaps") // compaction leaves holes
		open := map[*entry]bool{}
		next := int64(100)
		for _, g := range gaps {
			next += g
			e, ok := tr.take(next-1, time.Now())
			if !ok {
				t.Fatal("no room")
			}
			open[e] = true
		}
		entries := make([]*entry, 0, len(open))
		entries = append(entries, tr.open...)
		for _, i := range rapid.Permutation(indexes(len(entries))).Draw(t, "order") {
			tr.mark(entries[i])
			delete(open, entries[i])
			want := next
			for e := range open {
				want = min(want, e.offset)
			}
			if got, _ := tr.low(); got != want {
				t.Fatalf("mark at %d, want %d", got, want)
			}
		}
	})
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestTrackerIsBoundedAndSealed(t *testing.T) {
	t.Parallel()
	tr := newTracker(2)
	if low, _ := tr.low(); low != -1 {
		t.Errorf("before it begins the mark is %d", low)
	}
	tr.begin(0)
	a, _ := tr.take(0, time.Now())
	b, _ := tr.take(1, time.Now())
	if _, ok := tr.take(2, time.Now()); ok {
		t.Error("took a third of two")
	}
	tr.mark(b)
	if _, ok := tr.take(2, time.Now()); ok {
		t.Error("a record above an unfinished one made room")
	}
	tr.mark(a)
	<-tr.room
	c, ok := tr.take(2, time.Now())
	if !ok {
		t.Error("no room although all are done")
	}
	tr.seal()
	tr.mark(c)
	if low, _ := tr.low(); low != 2 {
		t.Errorf("a mark after the seal moved the mark to %d", low)
	}
}

func TestEnvelopeRoundTrip(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[a-zA-Z0-9|ü漢 _.:-]{1,40}`)
	rapid.Check(t, func(t *rapid.T) {
		want := event.Event{
			ID: text.Draw(t, "id"), Type: event.Type(text.Draw(t, "type")), Source: rapid.String().Draw(t, "source"), Tenant: rapid.String().Draw(t, "tenant"),
			Subject: rapid.String().Draw(t, "subject"), Time: event.Unix(rapid.Int64Range(1, 4e9).Draw(t, "time")), Data: []byte(`{}`),
		}
		m, err := encode(context.Background(), event.Record{Topic: "t", Key: text.Draw(t, "key"), Event: want})
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(record{topic: m.Topic, key: m.Key, value: m.Value, headers: m.Headers})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Event); diff != "" || got.Key != string(m.Key) {
			t.Fatalf("event (-want +got):\n%s", diff)
		}
	})
}
