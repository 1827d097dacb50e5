package bustest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// crowd is n records of each key, of one partition, one key after the other.
func crowd(n int, keys ...string) (recs []event.Record) {
	for _, k := range keys {
		for i := range n {
			recs = append(recs, rec(event.TopicInbound, k, fmt.Sprintf("%s %04d", k, i)))
		}
	}
	return recs
}

// inOrder fails unless every record of a key came once, in order.
func inOrder(t *testing.T, got []string, key string, n int) {
	t.Helper()
	mine := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return !strings.HasPrefix(id, key+" ") })
	want := make([]string, n)
	for i := range want {
		want[i] = fmt.Sprintf("%s %04d", key, i)
	}
	if diff := cmp.Diff(want, mine); diff != "" {
		t.Errorf("records of %s (-want +got):\n%.2000s", key, diff)
	}
}

// The records of hot keys are many times what a partition has in flight, and none of them is handled while the neighbour is.
func TestP12_HotKeysLeaveRoomForTheirNeighbours(t *testing.T) {
	t.Parallel()
	b := New(t)
	other := neighbour(t, b, "hot")
	quick := neighbour(t, b, other)
	release := make(chan struct{})
	var s sink
	sub := inbound("g", func(ctx context.Context, m bus.Message) error {
		if m.Key != quick {
			<-release
		}
		return s.handle(ctx, m)
	})
	sub.InFlight = 64
	publish(t, b, crowd(400, "hot", other)...)
	publish(t, b, rec(event.TopicInbound, quick, "quick"))
	Run(t, b, sub)
	s.wait(t, 1)
	if diff := cmp.Diff([]string{"quick"}, s.ids()); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	close(release)
	s.wait(t, 801)
	inOrder(t, s.ids(), "hot", 400)
	inOrder(t, s.ids(), other, 400)
}

// flood is how many records of a key wait.
const flood = 500

// flooded is a broker on which two keys of one partition have a flood of records each: "hot" and other.
func flooded(t *testing.T) (b *Bus, other string) {
	t.Helper()
	b = New(t)
	other = neighbour(t, b, "hot")
	publish(t, b, crowd(flood, "hot", other)...)
	return b, other
}

// chancy is a subscription whose handlers of one and of many fail by chance, or do only a part of what they are offered.
func chancy(s *sink, most *atomic.Int64) bus.Subscription {
	var calls atomic.Int64
	sub := inbound("g", func(ctx context.Context, m bus.Message) error {
		if calls.Add(1)%10 == 0 {
			return fault.New(fault.Internal, "chance", "by chance")
		}
		return s.handle(ctx, m)
	})
	sub.Together = func(ctx context.Context, ms []bus.Message) (done int) {
		most.Store(max(most.Load(), int64(len(ms))))
		n := calls.Add(1)
		if n%7 == 0 {
			panic("by chance")
		}
		done = len(ms) * int(n%4) / 3
		for _, m := range ms[:done] {
			_ = s.handle(ctx, m)
		}
		return done
	}
	sub.InFlight = 64
	return sub
}

// Records that are handled together, alone after a failure, or read again after they were set aside: each once, and in order.
func TestP3_P4_RecordsHandledTogetherKeepTheirOrder(t *testing.T) {
	t.Parallel()
	b, other := flooded(t)
	const n = flood
	var s sink
	var most atomic.Int64
	Run(t, b, chancy(&s, &most))
	s.wait(t, 2*n)
	inOrder(t, s.ids(), "hot", n)
	inOrder(t, s.ids(), other, n)
	if most.Load() < 2 {
		t.Error("no records were handled together: the test shows nothing")
	}
}

// A member that leaves while records are set aside leaves the rest to the next: some may come twice, none is missing, and each
// comes first after the one before it.
func TestP3_P13_WhatWasSetAsideIsLeftToTheNextOwner(t *testing.T) {
	t.Parallel()
	b, other := flooded(t)
	const n = flood
	var s sink
	var most atomic.Int64
	stop := Run(t, b, chancy(&s, &most))
	s.wait(t, n/2)
	stop()
	Run(t, b, chancy(&s, &most))
	var first []string
	Eventually(t, "not all records came", func() bool {
		first = nil
		seen := map[string]bool{}
		for _, id := range s.ids() {
			if !seen[id] {
				seen[id], first = true, append(first, id)
			}
		}
		return len(first) == 2*n
	})
	inOrder(t, first, "hot", n)
	inOrder(t, first, other, n)
}
