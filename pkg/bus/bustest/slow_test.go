package bustest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
)

func TestP12_ASlowKeyDelaysNobody(t *testing.T) {
	t.Parallel()
	b := New(t)
	release := make(chan struct{})
	var s sink
	Run(t, b, inbound("g", func(ctx context.Context, m bus.Message) error {
		if m.Key == "slow" {
			<-release
		}
		return s.handle(ctx, m)
	}))
	publish(t, b, rec(event.TopicInbound, "slow", "slow-1"), rec(event.TopicInbound, "slow", "slow-2"))
	for n := range 300 {
		publish(t, b, rec(event.TopicInbound, fmt.Sprint("k", n), fmt.Sprint(n)))
	}
	s.wait(t, 300)
	if s.count("slow-1") != 0 {
		t.Error("the slow key was not slow: the test shows nothing")
	}
	close(release)
	s.wait(t, 302)
}

func TestP13_AHandlerInProgressIsFinishedAtShutdown(t *testing.T) {
	t.Parallel()
	b := New(t)
	started, release := make(chan struct{}), make(chan struct{})
	var s sink
	stop := Run(t, b, inbound("g", func(ctx context.Context, m bus.Message) error {
		close(started)
		<-release
		if ctx.Err() != nil {
			t.Error("the handler was cancelled before the drain was over")
		}
		return s.handle(ctx, m)
	}))
	publish(t, b, rec(event.TopicInbound, "k", "1"), rec(event.TopicInbound, "k", "2"))
	<-started
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	close(release)
	<-stopped
	if got := s.ids(); len(got) != 1 {
		t.Fatalf("handled %v, want only the record in progress", got)
	}
	var next sink
	Run(t, b, inbound("g", next.handle))
	next.wait(t, 1)
	if next.count("1") != 0 {
		t.Error("the finished record was not committed")
	}
}

// What is done above a gap cannot be committed: the next owner would handle it again, and a send would wait there for the deadline of
// a call that was over long ago.
func TestP13_TheDrainLeavesNoGapBelowWhatIsDone(t *testing.T) {
	t.Parallel()
	b := New(t)
	release := make(chan struct{})
	var all sink
	sub := inbound("g", func(ctx context.Context, m bus.Message) error {
		if m.Key == "slow" {
			<-release
		}
		return all.handle(ctx, m)
	})
	stop := Run(t, b, sub)
	quick := neighbour(t, b, "slow")
	for n := range 10 {
		publish(t, b, rec(event.TopicInbound, "slow", fmt.Sprint("slow", n)))
	}
	publish(t, b, rec(event.TopicInbound, quick, "quick"))
	all.wait(t, 1)
	over := make(chan struct{})
	go func() { stop(); close(over) }()
	time.Sleep(50 * time.Millisecond) // so that the generation has ended
	close(release)
	<-over
	publish(t, b, rec(event.TopicInbound, quick, "next"))
	var next sink
	Run(t, b, inbound("g", next.handle))
	next.wait(t, 1)
	if diff := cmp.Diff([]string{"next"}, next.ids()); diff != "" || len(all.all()) != 11 {
		t.Errorf("of 11 records %d were handled before; the next owner: -want +got\n%s", len(all.all()), diff)
	}
}

// neighbour is another key of the same partition.
func neighbour(t *testing.T, b bus.Bus, key string) string {
	t.Helper()
	at, err := b.PartitionOf(t.Context(), event.TopicInbound, key)
	for n := 0; err == nil; n++ {
		var p int
		if p, err = b.PartitionOf(t.Context(), event.TopicInbound, fmt.Sprint(key, n)); err == nil && p == at {
			return fmt.Sprint(key, n)
		}
	}
	t.Fatal(err)
	return ""
}

func TestAHandlerThatOutlastsTheDrainIsCancelledAndReadAgain(t *testing.T) {
	t.Parallel()
	b := New(t)
	started := make(chan struct{})
	sub := inbound("g", func(ctx context.Context, _ bus.Message) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	})
	sub.Drain = 100 * time.Millisecond
	stop := Run(t, b, sub)
	publish(t, b, rec(event.TopicInbound, "k", "1"))
	<-started
	stop()
	var next sink
	Run(t, b, inbound("g", next.handle))
	next.wait(t, 1)
}

func TestP3_WhatWasNotCommittedIsReadAgain(t *testing.T) {
	t.Parallel()
	b := New(t)
	dies := b.Broker.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.IllegalGeneration, Count: -1})
	var first, second sink
	stop := Run(t, b, inbound("g", first.handle))
	for n := range 20 {
		publish(t, b, rec(event.TopicInbound, fmt.Sprint("k", n), fmt.Sprint(n)))
	}
	first.wait(t, 20)
	stop()
	dies.Remove()
	stop = Run(t, b, inbound("g", second.handle))
	second.wait(t, 20)
	stop()
	var third sink
	Run(t, b, inbound("g", third.handle))
	publish(t, b, rec(event.TopicInbound, "k", "last"))
	third.wait(t, 1)
	if third.count("last") != 1 || len(third.all()) != 1 {
		t.Errorf("the third reads %v, want only the last", third.ids())
	}
}

func TestAHungHandlerIsFoundByTheWatchdog(t *testing.T) {
	t.Parallel()
	b := New(t)
	k := b.Broker.Open(t, func(c *kafka.Config) { c.Stall = 200 * time.Millisecond })
	var calls atomic.Int64
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	var s sink
	sub := inbound("g", func(ctx context.Context, m bus.Message) error {
		if calls.Add(1) == 1 {
			<-release // whatever its context says
		}
		return s.handle(ctx, m)
	})
	sub.Deadline, sub.Patience, sub.Drain = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	sub.Topics = []string{event.TopicConfig}
	Run(t, k, sub)
	publish(t, b, rec(event.TopicConfig, "k", "1"))
	Eventually(t, "the record did not come again", func() bool {
		publish(t, b, rec(event.TopicConfig, "other", "2")) // its neighbours move on
		return s.count("1") > 0
	})
	if err := k.(*kafka.Bus).Alive(); err != nil {
		t.Errorf("after one rebuild: %v", err)
	}
}

func TestWhatNeverMovesIsReported(t *testing.T) {
	t.Parallel()
	b := New(t)
	k := b.Broker.Open(t, func(c *kafka.Config) { c.Stall = 100 * time.Millisecond })
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	sub := inbound("g", func(context.Context, bus.Message) error { <-release; return nil })
	sub.Deadline, sub.Patience, sub.Drain = 10*time.Millisecond, 10*time.Millisecond, 10*time.Millisecond
	Run(t, k, sub)
	publish(t, b, rec(event.TopicInbound, "k", "1"))
	Eventually(t, "nobody notices", func() bool { return k.(*kafka.Bus).Alive() != nil })
}
