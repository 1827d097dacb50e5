package bustest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestPoisonGoesToTheDeadLettersAtOnce(t *testing.T) {
	t.Parallel()
	b := New(t)
	publish(t, b, rec(event.TopicInbound, "k", "bad"), rec(event.TopicInbound, "k", "good"))
	var s sink
	var tries atomic.Int64
	Run(t, b, inbound("g", func(ctx context.Context, m bus.Message) error {
		if m.Event.ID == "bad" {
			tries.Add(1)
			return fault.At("/text", "too_long", "the customer wrote: my secret is 4711")
		}
		return s.handle(ctx, m)
	}))
	s.wait(t, 1)
	letters := deadLetters(t, b, 1)
	if tries.Load() != 1 {
		t.Errorf("poison was tried %d times", tries.Load())
	}
	want := bus.Dead{Reason: "poison", Error: "invalid (too_long) at /text: *errors.errorString", Attempts: 1, Group: "g", Topic: event.TopicInbound}
	if diff := cmp.Diff(want, *letters[0].Dead, cmpopts.IgnoreFields(bus.Dead{}, "FirstFailed", "Partition", "Error")); diff != "" {
		t.Errorf("dead letter (-want +got):\n%s", diff)
	}
	if e := letters[0].Dead.Error; strings.Contains(e, "4711") || !strings.HasPrefix(e, "invalid (too_long) at /text") {
		t.Errorf("error header: %q", e)
	}
	if letters[0].Key != "k" || letters[0].Event.ID != "bad" || string(letters[0].Event.Data) != `{"id":"bad"}` {
		t.Errorf("the letter is not the original: %+v", letters[0])
	}
	if time.Since(letters[0].Dead.FirstFailed) > time.Minute {
		t.Errorf("first failed at %s", letters[0].Dead.FirstFailed)
	}
}

// deadLetters waits for n of them.
func deadLetters(t *testing.T, b bus.Bus, n int) (ms []bus.Message) {
	t.Helper()
	Eventually(t, "not enough dead letters", func() (ok bool) {
		var err error
		if ms, err = bus.DeadLetters(t.Context(), b, bus.Filter{}, 100); err != nil {
			t.Fatal(err)
		}
		return len(ms) >= n
	})
	if len(ms) != n {
		t.Fatalf("%d dead letters, want %d", len(ms), n)
	}
	return ms
}

func TestUndecodableIsADeadLetter(t *testing.T) {
	t.Parallel()
	b := New(t)
	foreign, err := kgo.NewClient(kgo.SeedBrokers(b.Broker.Addrs()...), kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	r := &kgo.Record{Topic: event.TopicInbound, Key: []byte("k"), Value: []byte("no event"), Headers: []kgo.RecordHeader{{Key: "x", Value: []byte("y")}}}
	if err := foreign.ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
	publish(t, b, rec(event.TopicInbound, "k", "good"))
	var s sink
	Run(t, b, inbound("g", s.handle))
	s.wait(t, 1)
	m := deadLetters(t, b, 1)[0]
	if m.Dead.Reason != "undecodable" || string(m.Event.Data) != "no event" {
		t.Errorf("dead letter: %+v %s", m.Dead, m.Event.Data)
	}
	got, err := bus.Redrive(t.Context(), b, bus.Filter{}, 10, false)
	if err != nil || len(got.Published) != 0 || len(got.Skipped) != 1 {
		t.Errorf("redrive of what cannot be decoded: %+v, %v", got, err)
	}
}

func TestTransientFailureIsRetriedInPlace(t *testing.T) {
	t.Parallel()
	b := New(t)
	publish(t, b, rec(event.TopicInbound, "k", "1"), rec(event.TopicInbound, "k", "2"))
	var s sink
	var tries atomic.Int64
	Run(t, b, inbound("g", func(ctx context.Context, m bus.Message) error {
		if m.Event.ID == "1" && tries.Add(1) < 4 {
			return errors.New("not now")
		}
		return s.handle(ctx, m)
	}))
	s.wait(t, 2)
	if diff := cmp.Diff([]string{"1", "2"}, s.ids()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	deadLetters(t, b, 0)
}

func TestPatienceEndsAndRedriveBringsTheRecordBack(t *testing.T) {
	t.Parallel()
	b := New(t)
	publish(t, b, rec(event.TopicInbound, "k", "1"), rec(event.TopicInbound, "k", "2"))
	var s sink
	var works atomic.Bool
	sub := inbound("g", func(ctx context.Context, m bus.Message) error {
		if m.Event.ID == "1" && !works.Load() {
			panic("the customer's text")
		}
		return s.handle(ctx, m)
	})
	sub.Patience = 100 * time.Millisecond
	Run(t, b, sub)
	s.wait(t, 1)
	m := deadLetters(t, b, 1)[0]
	if m.Dead.Reason != "exhausted" || m.Dead.Attempts < 2 || strings.Contains(m.Dead.Error, "customer") {
		t.Errorf("dead letter: %+v", m.Dead)
	}
	works.Store(true)
	for _, f := range []bus.Filter{{Reason: "poison"}, {ID: "2"}, {Before: m.Time}, {Group: "other"}} {
		if got, err := bus.Redrive(t.Context(), b, f, 10, true); err != nil || len(got.Published) != 0 {
			t.Errorf("filter %+v picks %v, %v", f, got.Published, err)
		}
	}
	if got, err := bus.Redrive(t.Context(), b, bus.Filter{ID: "1"}, 10, true); err != nil || len(got.Published) != 1 {
		t.Fatalf("dry run: %+v, %v", got, err)
	}
	if s.count("1") != 0 {
		t.Fatal("a dry run published")
	}
	if _, err := bus.Redrive(t.Context(), b, bus.Filter{Topic: event.TopicInbound}, 10, false); err != nil {
		t.Fatal(err)
	}
	s.wait(t, 2)
	if diff := cmp.Diff([]string{"2", "1"}, s.ids()); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
}

func TestOnlyTheTypesThatConcernItAreHandled(t *testing.T) {
	t.Parallel()
	b := New(t)
	other := rec(event.TopicInbound, "k", "other")
	other.Event.Type = event.ContactTyping
	publish(t, b, other, rec(event.TopicInbound, "k", "one"), other, rec(event.TopicInbound, "k", "two"), other)
	var s sink
	sub := inbound("g", s.handle)
	sub.Types = []event.Type{rec(event.TopicInbound, "k", "one").Event.Type}
	stop := Run(t, b, sub)
	s.wait(t, 2)
	stop()
	publish(t, b, rec(event.TopicInbound, "k", "three"))
	Run(t, b, sub) // what does not concern it is committed with the rest
	s.wait(t, 3)
	for n, m := range s.all() {
		if want := []string{"one", "two", "three"}[n]; m.Event.ID != want {
			t.Errorf("record %d is %s, want %s", n, m.Event.ID, want)
		}
	}
}

func TestSoManyHandlersAtOnceAndNoMore(t *testing.T) {
	t.Parallel()
	b := New(t)
	const keys, each, atOnce = 30, 5, 4
	for n := range each {
		for k := range keys {
			publish(t, b, rec(event.TopicInbound, fmt.Sprint(k), fmt.Sprintf("%d-%d", k, n)))
		}
	}
	var s sink
	var running, most atomic.Int64
	sub := inbound("g", func(ctx context.Context, m bus.Message) error {
		for n := running.Add(1); ; {
			if have := most.Load(); n <= have || most.CompareAndSwap(have, n) {
				break
			}
		}
		defer running.Add(-1)
		time.Sleep(time.Millisecond) // a store's work
		return s.handle(ctx, m)
	})
	sub.AtOnce = atOnce
	Run(t, b, sub)
	s.wait(t, keys*each)
	if n := most.Load(); n != atOnce {
		t.Errorf("%d handlers at once, want %d", n, atOnce)
	}
}

func TestStoreAwayStopsThePartitionAndNothingElse(t *testing.T) {
	t.Parallel()
	b := New(t)
	var away atomic.Bool
	var calls atomic.Int64
	away.Store(true)
	var s sink
	sub := inbound("g", func(ctx context.Context, m bus.Message) error {
		calls.Add(1)
		if away.Load() {
			return fault.New(fault.Unavailable, "store_away", "no primary")
		}
		return s.handle(ctx, m)
	})
	sub.InFlight = 10
	sub.Patience = 50 * time.Millisecond
	const keys, each = 10, 30
	want := map[string][]string{}
	for n := range each {
		for k := range keys {
			key, id := string(rune('a'+k)), string(rune('a'+k))+"-"+string(rune('A'+n))
			publish(t, b, rec(event.TopicInbound, key, id))
			want[key] = append(want[key], id)
		}
	}
	Run(t, b, sub)
	Eventually(t, "nothing was tried", func() bool { return calls.Load() > 20 })
	before := calls.Load()
	time.Sleep(300 * time.Millisecond) // this measures a rate
	if n := calls.Load() - before; n > 60 {
		t.Errorf("%d calls in 300 ms while the store is away", n)
	}
	away.Store(false)
	s.wait(t, keys*each)
	got := map[string][]string{}
	for _, m := range s.all() {
		got[m.Key] = append(got[m.Key], m.Event.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	deadLetters(t, b, 0)
}
